// Shows the lines of a draft. Whatever comes from a page goes in as text, never as HTML.

export const NAMES = { c: "content", a: "ad", n: "navigation", r: "recommendation", "-": "no label" };
const CHUNK = 100;
const CONTEXT = 2;

export class Lines {
  constructor(list, heads, scroller) {
    Object.assign(this, { list, heads, scroller });
    this.rows = [];
  }

  show(draft) {
    this.draft = draft;
    this.folds = [];
    this.cursor = 0;
    this.selected = [0, 0];
    this.list.dataset.votes = draft.adjudicates ? draft.annotators.length : "";
    this.rows = draft.lines.map((text, line) => this.#row(text, line));
    const chunks = [];
    for (let start = 0; start < this.rows.length; start += CHUNK) {
      const chunk = element("div", "chunk");
      chunk.setAttribute("role", "presentation");
      chunk.append(...this.rows.slice(start, start + CHUNK));
      chunks.push(chunk);
    }
    this.list.replaceChildren(...chunks);
    this.#showHeads();
    if (draft.adjudicates) this.#fold();
    this.paint(0, draft.length);
  }

  #row(text, line) {
    const row = element("div", "line");
    row.id = `line-${line}`;
    row.setAttribute("role", "option");
    row.dataset.line = line;
    if (this.draft.gaps.has(line)) row.classList.add("gap");
    const number = element("span", "number", `${line + 1}`);
    number.setAttribute("aria-hidden", "true");
    const letter = element("span", "letter");
    letter.setAttribute("role", "img");
    const votes = this.draft.annotators.map((name) => vote(name, this.draft.votes[name][line]));
    if (votes.length && this.draft.suggestion) {
      const sure = Math.round(100 * this.draft.suggestion.scores[line]);
      const model = vote(this.draft.suggestion.source, this.draft.suggested(line), ` ${sure}`);
      model.classList.add("model");
      votes.push(model);
    }
    const words = element("span", "text", text);
    words.dir = "auto";
    row.append(number, letter, ...votes, words, element("span", "sure"));
    return row;
  }

  #showHeads() {
    this.heads.hidden = !this.draft.adjudicates;
    const names = [...this.draft.annotators];
    if (this.draft.suggestion) names.push(this.draft.suggestion.source);
    const cells = names.map((name) => element("span", "vote", name));
    this.heads.replaceChildren(element("span", "number"), element("span", "letter", "✓"), ...cells, element("span", "text"));
  }

  // In adjudication only the lines to settle are shown, with their neighbours; the others fold up.
  #fold() {
    const near = (line) => {
      for (let other = line - CONTEXT; other <= line + CONTEXT; other++) if (this.draft.looks.has(other)) return true;
      return false;
    };
    for (let line = 0; line < this.rows.length; line++) {
      if (near(line)) continue;
      const first = line;
      while (line < this.rows.length && !near(line)) this.rows[line++].hidden = true;
      const button = element("button", "fold", `${line - first} agreed ${line - first === 1 ? "line" : "lines"}`);
      button.tabIndex = -1;
      button.addEventListener("click", () => this.reveal(first));
      this.rows[first].before(button);
      this.folds.push({ first, last: line - 1, button });
    }
  }

  // Opens the fold that a line is in.
  reveal(line) {
    const place = this.folds.findIndex(({ first, last }) => first <= line && line <= last);
    if (place < 0) return;
    const [{ first, last, button }] = this.folds.splice(place, 1);
    for (const row of this.rows.slice(first, last + 1)) row.hidden = false;
    button.remove();
  }

  // The runs of lines from one to another, both included, that are not folded up.
  shown(first, last) {
    const runs = [];
    for (let line = first; line <= last; line++) {
      if (!this.isShown(line)) continue;
      if (runs.at(-1)?.end === line) runs.at(-1).end++;
      else runs.push({ start: line, end: line + 1 });
    }
    return runs;
  }

  isShown(line) {
    return !this.rows[line].hidden;
  }

  // Brings rows up to date with the draft.
  paint(start, end) {
    const { draft } = this;
    for (let line = start; line < end; line++) {
      const row = this.rows[line];
      const label = draft.current(line);
      const isSet = draft.labels[line] !== "-";
      const uncertain = draft.uncertain(line);
      row.dataset.label = label;
      row.classList.toggle("set", isSet);
      row.classList.toggle("uncertain", uncertain);
      row.classList.toggle("unsure", draft.unsure.has(line));
      row.classList.toggle("settle", draft.adjudicates && draft.looks.has(line));
      const letter = row.children[1];
      letter.textContent = label === "-" ? "·" : label;
      const score = draft.suggestion && !draft.adjudicates && !isSet ? draft.suggestion.scores[line] : null;
      row.lastChild.textContent = draft.unsure.has(line) ? "unsure" : score === null ? "" : percent(score);
      letter.setAttribute("aria-label", this.describe(line));
    }
  }

  describe(line) {
    const { draft } = this;
    const parts = [NAMES[draft.current(line)]];
    if (draft.labels[line] === "-" && draft.current(line) !== "-") parts.push(`suggested, ${percent(draft.suggestion.scores[line])}`);
    if (draft.uncertain(line)) parts.push("uncertain");
    if (draft.unsure.has(line)) parts.push("marked unsure");
    return parts.join(", ");
  }

  // Marks cursor and selection: the lines from one to another, both included.
  mark(cursor, first, last) {
    for (let line = this.selected[0]; line <= this.selected[1]; line++) this.rows[line]?.removeAttribute("aria-selected");
    this.rows[this.cursor]?.classList.remove("cursor");
    for (let line = first; line <= last; line++) this.rows[line].setAttribute("aria-selected", "true");
    this.rows[cursor].classList.add("cursor");
    this.list.classList.toggle("selecting", first !== last);
    this.list.setAttribute("aria-activedescendant", this.rows[cursor].id);
    this.cursor = cursor;
    this.selected = [first, last];
  }

  centre() {
    const centre = () => {
      const row = this.rows[this.cursor];
      row?.scrollIntoView({ block: row.offsetHeight > this.scroller.clientHeight ? "start" : "center" });
    };
    centre();
    requestAnimationFrame(centre); // chunks that came into view have their true height by now
  }

  isInView(line) {
    const box = this.scroller.getBoundingClientRect();
    const row = this.rows[line].getBoundingClientRect();
    return row.bottom > box.top && row.top < box.bottom;
  }

  lineAt(x, y) {
    const row = document.elementFromPoint(x, y)?.closest(".line[data-line]");
    return row ? Number(row.dataset.line) : null;
  }
}

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

export function percent(share) {
  return `${Math.round(100 * share)}%`;
}

function vote(name, label, more = "") {
  const cell = element("span", "vote");
  const letter = element("span", "letter set", label);
  letter.dataset.label = label;
  letter.setAttribute("role", "img");
  letter.setAttribute("aria-label", `${name}: ${NAMES[label]}`);
  cell.append(letter, more);
  return cell;
}
