// Uncertain lines with no more than this many others between them are one spot to look at.
const NEAR = 3;

// A document and its draft as this window knows it. Labels are letters: c a n r, or - where there is none.

export class Draft {
  constructor(record) {
    Object.assign(this, record);
    this.labels = [...record.labels];
    this.unsure = new Set(record.unsure);
    this.gaps = new Set(record.gaps);
    this.annotators = Object.keys(record.votes);
    this.looks = new Set(record.look);
    this.seen = new Set();
  }

  get length() {
    return this.lines.length;
  }

  get adjudicates() {
    return this.annotators.length > 0;
  }

  suggested(line) {
    return this.suggestion ? this.suggestion.labels[line] : "-";
  }

  // What accepting would store: the annotator's label, else the suggested one; decisions take nothing over.
  current(line) {
    const label = this.labels[line];
    return label !== "-" || this.adjudicates ? label : this.suggested(line);
  }

  uncertain(line) {
    if (this.labels[line] !== "-") return false;
    if (this.looks.has(line) || this.current(line) === "-") return true;
    return !this.adjudicates && this.suggestion.scores[line] < this.sure;
  }

  // The spots to look at, each as its first and last line; in adjudication each line to settle is one.
  spots() {
    const near = this.adjudicates ? 0 : NEAR + 1;
    const spots = [];
    for (let line = 0; line < this.length; line++) {
      if (!this.uncertain(line)) continue;
      const last = spots.at(-1);
      if (last && line - last[1] <= near) last[1] = line;
      else spots.push([line, line]);
    }
    return spots;
  }

  // One past the last line of the block that goes on at a line: lines of one label, or a paragraph without any.
  blockEnd(line) {
    const label = this.current(line);
    let end = line + 1;
    while (end < this.length && this.current(end) === label && !(label === "-" && this.gaps.has(end))) end++;
    return end;
  }

  blockStart(line) {
    const label = this.current(line);
    let start = line;
    while (start > 0 && this.current(start - 1) === label && !(label === "-" && this.gaps.has(start))) start--;
    return start;
  }

  // Applies edits and gives what takes them back; kind says which history they belong to.
  apply(edits, kind = "edit") {
    const inverse = edits.reduce((back, edit) => [...this.#edit(edit), ...back], []);
    if (kind === "undo") this.redo.push(this.undo.pop());
    else if (kind === "redo") this.undo.push([this.redo.pop()[0], inverse]);
    else {
      this.undo.push([edits, inverse]);
      this.redo.length = 0;
    }
  }

  #edit({ start, end, label, unsure }) {
    const back = [];
    for (let line = start; line < end; line++) {
      const was = { start: line, end: line + 1 };
      if (label !== undefined) was.label = this.labels[line];
      if (unsure !== undefined) was.unsure = this.unsure.has(line);
      const last = back.at(-1);
      if (last && last.label === was.label && last.unsure === was.unsure) last.end = line + 1;
      else back.push(was);
      if (label !== undefined) this.labels[line] = label;
      if (unsure === true) this.unsure.add(line);
      if (unsure === false) this.unsure.delete(line);
    }
    return back;
  }
}
