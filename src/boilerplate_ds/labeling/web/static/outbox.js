// Changes on their way to the server. Each waits in this browser's storage until the server has it on disk;
// each has an id, so that sending one twice does no harm.

const BATCH = 200;
const BATCH_LENGTH = 1_000_000; // characters: at most three bytes each, and the server takes 4 MB
const LONGEST_PAUSE = 3000;

export class Outbox {
  #waiting = [];
  #sending = false;
  #timer = 0;
  #pause = 500;
  #count = 0;
  #most = BATCH;

  // told(state, number waiting, reason) on each change of state; answered(result, change) for each answer.
  constructor({ url, session, annotator, client, told, answered }) {
    Object.assign(this, { url, session, client, key: `boilerplate-ds ${session} ${annotator} `, told, answered });
    this.#adopt();
    addEventListener("online", () => this.send());
    addEventListener("pagehide", () => this.send(true));
  }

  get size() {
    return this.#waiting.length;
  }

  // Whether a change would be lost with this page: the storage is full or forbidden.
  get isInMemory() {
    return this.#waiting.some((item) => !item.isKept);
  }

  waitingFor(docId) {
    return this.#waiting.filter((item) => item.change.doc_id === docId);
  }

  add(change) {
    const time = `${Date.now()}`.padStart(15, "0");
    const name = `${this.key}${time} ${`${this.#count++}`.padStart(6, "0")} ${change.id}`;
    const item = { name, change };
    this.#keep(item);
    this.#waiting.push(item);
    this.send();
  }

  #keep(item) {
    item.text = JSON.stringify(item.change);
    try {
      storage().setItem(item.name, item.text);
      item.isKept = true;
    } catch {
      item.isKept = false;
    }
  }

  // What windows before this one could not deliver.
  #adopt() {
    const stored = storage() ?? {};
    for (const name of Object.keys(stored).filter((name) => name.startsWith(this.key)).sort()) {
      try {
        const text = stored.getItem(name);
        if (text === null) continue; // another window has just delivered it
        this.#waiting.push({ name, text, change: JSON.parse(text), isKept: true });
      } catch {
        // No page of this kind has written that.
      }
    }
  }

  async send(leaving = false) {
    if (this.#sending || !this.#waiting.length) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    this.told("saving", this.size);
    const [state, reason] = await this.#post(this.#batch(), leaving);
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

  // The oldest changes, of one window: those made on top of another's are sent once these are answered.
  #batch() {
    const batch = [];
    let length = 0;
    for (const item of this.#waiting.slice(0, this.#most)) {
      length += item.text.length;
      if (batch.length && (length > BATCH_LENGTH || item.change.client !== batch[0].change.client)) break;
      batch.push(item);
    }
    return batch;
  }

  async #post(batch, leaving) {
    let results;
    try {
      const answer = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: `{"session": ${JSON.stringify(this.session)}, "changes": [${batch.map((item) => item.text)}]}`,
        keepalive: leaving,
        signal: AbortSignal.timeout(20_000),
      });
      if (answer.status === 401) return ["signed-out"];
      if (answer.status === 413 && batch.length > 1) {
        this.#most = batch.length >> 1;
        return this.#post(this.#batch(), leaving);
      }
      // One change that is too large by itself must not keep all others waiting.
      if (answer.status === 413) results = [{ error: await reasonOf(answer) }];
      else if (!answer.ok) return ["refused", await reasonOf(answer)];
      else ({ results } = await answer.json());
    } catch {
      return ["offline"];
    }
    this.#most = BATCH;
    batch.forEach((item, i) => {
      this.#waiting.splice(this.#waiting.indexOf(item), 1);
      this.#rebase(item.change, results[i]);
      this.answered(results[i], item.change);
      storage()?.removeItem(item.name);
    });
    return ["saved"];
  }

  // What this window did on top of a change of another that it had taken over is no clash with that change.
  #rebase({ doc_id, client }, { version }) {
    if (client === this.client) return;
    for (const item of this.waitingFor(doc_id)) {
      if (item.change.client !== this.client || item.change.base + 1 !== version) continue;
      item.change.base = version;
      this.#keep(item);
    }
  }
}

function storage() {
  try {
    return localStorage;
  } catch {
    return null; // forbidden
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
