// Changes on their way to the server. Each waits in this browser's storage until the server has it on disk;
// each has an id, so that sending one twice does no harm.

const BATCH = 200;
const LONGEST_PAUSE = 3000;

export class Outbox {
  #waiting = [];
  #sending = false;
  #timer = 0;
  #pause = 500;
  #count = 0;

  // told(state, number waiting, reason) on each change of state; answered(result, change) for each answer.
  constructor({ url, session, annotator, told, answered }) {
    Object.assign(this, { url, session, key: `boilerplate-ds ${session} ${annotator} `, told, answered });
    this.#adopt();
    addEventListener("online", () => this.send());
    addEventListener("pagehide", () => this.send(true));
  }

  get size() {
    return this.#waiting.length;
  }

  waitingFor(docId) {
    return this.#waiting.filter((item) => item.change.doc_id === docId);
  }

  add(change) {
    const time = `${Date.now()}`.padStart(15, "0");
    const name = `${this.key}${time} ${`${this.#count++}`.padStart(6, "0")} ${change.id}`;
    try {
      localStorage.setItem(name, JSON.stringify(change));
    } catch {
      // Full or forbidden: the change is in memory only, and leaving the page warns as long as it is.
    }
    this.#waiting.push({ name, change });
    this.send();
  }

  // What windows before this one could not deliver.
  #adopt() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.key)).sort();
    for (const name of names) {
      try {
        this.#waiting.push({ name, change: JSON.parse(localStorage.getItem(name)) });
      } catch {
        localStorage.removeItem(name);
      }
    }
  }

  async send(leaving = false) {
    if (this.#sending || !this.#waiting.length) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    this.told("saving", this.size);
    const batch = this.#waiting.slice(0, BATCH);
    const [state, reason] = await this.#post(batch, leaving);
    this.#sending = false;
    if (state === "saved") {
      this.#pause = 500;
      if (this.size) return this.send();
    } else {
      this.#timer = setTimeout(() => this.send(), this.#pause);
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    }
    this.told(state, this.size, reason);
  }

  async #post(batch, leaving) {
    let answer;
    try {
      answer = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ session: this.session, changes: batch.map((item) => item.change) }),
        keepalive: leaving,
        signal: AbortSignal.timeout(20_000),
      });
      if (answer.status === 401) return ["signed-out"];
      if (!answer.ok) return ["refused", await reasonOf(answer)];
      answer = await answer.json();
    } catch {
      return ["offline"];
    }
    batch.forEach((item, i) => {
      localStorage.removeItem(item.name);
      this.#waiting.splice(this.#waiting.indexOf(item), 1);
      this.answered(answer.results[i], item.change);
    });
    return ["saved"];
  }
}

// What the server says for itself; whatever stands before it may answer with anything.
export async function reasonOf(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? `status ${answer.status}`;
  } catch {
    return answer.headers.get("Content-Type")?.startsWith("text/plain") && text.trim() ? text.trim() : `status ${answer.status}`;
  }
}
