// The labelling page: keys, mouse and touch in; changes out. Documents come as JSON, one after another.

import { Draft } from "./draft.js";
import { element, Lines, NAMES, percent } from "./lines.js";
import { Outbox, reasonOf } from "./outbox.js";

const { annotator, session, docId, adjudicates } = document.body.dataset;
const base = `/a/${annotator}/`;
const client = newId();
const $ = (id) => document.getElementById(id);
const list = $("lines");
const scroller = $("scroller");
const lines = new Lines(list, $("heads"), scroller);
const ahead = new Map();
const changed = new Set(); // pages that other windows are to look up again
const siblings = new BroadcastChannel(`boilerplate-ds ${session} ${annotator}`);
const LABEL_KEYS = { 1: "c", 2: "a", 3: "n", 4: "r", c: "c", a: "a", n: "n", r: "r" };
const LONGEST_IDLE = 30_000;
const AHEAD = 3;

let draft = null;
let cursor = 0;
let anchor = 0;
let lastLabel = null;
let lastRun = null; // { label, count, end }: as many lines as got one label in a row
let brush = null;
let sticky = false; // whether moving selects
let warned = false;
let opening = 0; // number of the last page asked for
let later = 0; // timer of what follows this page, while it is not to be had
let active = 0;
let lastActive = performance.now();

const outbox = new Outbox({ url: `${base}changes`, session, annotator, client, told: showState, answered });

// Documents

async function load(id, { from = "server" } = {}) {
  const asked = ++opening;
  clearTimeout(later);
  const kept = from === "ahead" ? ahead.get(id) : undefined;
  let record;
  try {
    record = kept ?? (await fetchDocument(id));
  } catch (error) {
    if (asked === opening) throw error;
  }
  if (asked !== opening) return; // another page was asked for meanwhile
  ahead.delete(id);
  saveNote();
  show(record);
  draft.stale = kept !== undefined;
  if (draft.stale) refresh();
  else fetchAhead();
}

function show(record) {
  const { id } = record;
  draft = new Draft(record);
  for (const { change } of outbox.waitingFor(id)) if (change.text_sha256 === draft.text_sha256) replay(change);
  history.replaceState({ id }, "", `${base}page?id=${encodeURIComponent(id)}`);
  document.title = `${id} · boilerplate-ds`;
  lines.show(draft);
  const first = draft.adjudicates ? nextUncertain(-1) : null;
  anchor = cursor = first ?? 0;
  lastRun = null;
  sticky = warned = false;
  active = 0;
  showNote();
  showPage();
  move(cursor, { look: false }); // nobody has looked at anything yet
}

async function fetchDocument(id) {
  const answer = await fetch(`${base}document?id=${encodeURIComponent(id)}`).catch(() => {
    throw new Error("the server does not answer");
  });
  if (!answer.ok) throw new Error(await reasonOf(answer));
  const record = await answer.json();
  if (record.session !== session) throw new Error("another session is served here now");
  return record;
}

// The next pages are here before they are asked for, so that a server that goes away stops nobody.
async function fetchAhead() {
  const { id } = draft;
  let { next } = draft;
  try {
    for (let count = 0; count < AHEAD && next && next !== id; count++) {
      if (!ahead.has(next)) ahead.set(next, await fetchDocument(next));
      next = ahead.get(next).next;
    }
  } catch {
    // Tried again when the page is left.
  }
}

// A change of this window that the server has not got yet, on top of what the server knows.
function replay(change) {
  if (change.edits?.length) draft.apply(change.edits, canReplay(change.kind));
  if (change.note !== undefined) draft.note = change.note;
}

function canReplay(kind) {
  if (kind === "undo" && draft.undo.length) return "undo";
  return kind === "redo" && draft.redo.length ? "redo" : "edit";
}

// Takes over what other windows did, once nothing of this one is under way.
async function refresh() {
  saveNote();
  if (!draft || outbox.size) return;
  const { id } = draft;
  let record;
  try {
    record = await fetchDocument(id);
  } catch {
    return;
  }
  if (draft.id !== id) return;
  saveNote(); // whatever was typed meanwhile: the server settles it first
  if (outbox.size) return;
  if (isOther(record)) {
    show(record);
    notify(`${id} has other lines or votes now. It was loaded again; look at it again.`);
  } else if (draft.stale || record.version !== draft.version || record.status !== draft.status) {
    const { seen } = draft;
    draft = Object.assign(new Draft(record), { seen });
    lines.draft = draft;
    lines.paint(0, draft.length);
    showNote();
    showPage();
  } else draft.next = record.next;
  fetchAhead();
}

// Whether the rows on the page are of something else: a label must never go to a line that is not shown.
function isOther(record) {
  const rows = ({ text_sha256, look, votes }) => JSON.stringify([text_sha256, look, votes]);
  return rows(record) !== rows(draft);
}

// Changes

function send(what) {
  clearTimeout(later); // there is more to do here
  touch();
  const seconds = Math.round(active / 100) / 10;
  active = 0;
  warned = false;
  outbox.add({
    id: newId(),
    client,
    doc_id: draft.id,
    text_sha256: draft.text_sha256,
    base: draft.version,
    seconds,
    ...what,
  });
}

function edit(edits, kind = "edit") {
  sticky = false;
  draft.apply(edits, kind);
  for (const { start, end } of edits) lines.paint(start, end);
  send({ edits, kind });
  showPage();
}

function answered(result, change) {
  if (result.error) {
    const lost = change.edits?.map(({ start, end }) => (end - start > 1 ? `${start + 1}–${end}` : start + 1)).join(", ");
    const what = change.kind === "accept" ? "It was not accepted" : `Your change${lost ? ` to line ${lost}` : ""} was left out`;
    const note = change.note ? ` Your note was: ${change.note}` : "";
    notify(`${change.doc_id}: ${result.error}. ${what}.${note}`, change.doc_id);
  }
  changed.add(change.doc_id);
  if (draft?.id !== change.doc_id) return;
  if (result.status) draft.status = result.status;
  const expected = draft.version + (result.error || change.kind === "accept" ? 0 : 1);
  // What this window has not seen must not become the base of its next change.
  if (result.version === expected) draft.version = expected;
  if (result.error || result.version > expected) draft.stale = true;
}

function showState(state, waiting, reason) {
  const waits = `${waiting} ${waiting === 1 ? "change waits" : "changes wait"} in ${outbox.isInMemory ? "memory only; leave this page open" : "this browser"}`;
  const words = {
    saved: "Saved",
    saving: "Saving…",
    offline: `Offline: ${waits}`,
    refused: `Not saved: ${reason?.replace(/[.:\s]+$/, "")}: ${waits}`,
    "signed-out": `Signed out: open your link; ${waits}`,
  };
  $("state").dataset.state = state;
  if ($("state").textContent !== words[state]) $("state").textContent = words[state];
  if (state === "saved") {
    for (const id of changed) siblings.postMessage(id);
    changed.clear();
    if (draft?.stale) refresh();
  }
}

// Labelling

function label(letter, first = Math.min(anchor, cursor), last = Math.max(anchor, cursor)) {
  if (lastRun && lastRun.label === letter && lastRun.end === first) lastRun.count += last - first + 1;
  else lastRun = { label: letter, count: last - first + 1 };
  lastRun.end = last + 1;
  lastLabel = letter;
  for (let line = first; line <= last; line++) draft.seen.add(line);
  edit(lines.shown(first, last).map((run) => ({ ...run, label: letter })));
  advance(last);
  say(`${NAMES[letter]}, ${first === last ? `line ${first + 1}` : `lines ${first + 1} to ${last + 1}`}`);
}

function advance(last) {
  sticky = false;
  const next = draft.adjudicates ? nextUncertain(last) : last + 1 < draft.length ? last + 1 : null;
  move(next ?? last);
}

function toBlockEnd() {
  if (!lastLabel) return say("Label a line first; e then goes on with that label");
  label(lastLabel, cursor, draft.blockEnd(cursor) - 1);
}

function repeatRun() {
  if (!lastRun) return say("Label a line first; x then repeats the run");
  const { label: letter, count } = lastRun;
  const last = Math.min(cursor + count, draft.length) - 1;
  label(letter, cursor, last);
  lastRun.count = count;
}

// Makes what is suggested (in adjudication: what one annotator said) the label of each line selected.
function confirm(place = 0) {
  const said = draft.adjudicates ? draft.votes[draft.annotators[Math.min(place, draft.annotators.length - 1)]] : null;
  const first = Math.min(anchor, cursor);
  const last = Math.max(anchor, cursor);
  const edits = [];
  for (let line = first; line <= last; line++) {
    const letter = said ? said[line] : draft.current(line);
    if (letter === "-" || !lines.isShown(line)) continue;
    if (edits.at(-1)?.label === letter && edits.at(-1).end === line) edits.at(-1).end++;
    else edits.push({ start: line, end: line + 1, label: letter });
    draft.seen.add(line);
  }
  if (!edits.length) return say("Nothing is suggested here");
  edit(edits);
  lastLabel = edits.at(-1).label;
  advance(last);
}

function markUnsure() {
  const first = Math.min(anchor, cursor);
  const last = Math.max(anchor, cursor);
  const unsure = !draft.unsure.has(cursor);
  edit(lines.shown(first, last).map((run) => ({ ...run, unsure })));
  say(unsure ? "marked unsure" : "no longer unsure");
}

function unlabel() {
  edit(lines.shown(Math.min(anchor, cursor), Math.max(anchor, cursor)).map((run) => ({ ...run, label: "-" })));
  move(cursor);
}

function takeBack(kind) {
  const step = (kind === "undo" ? draft.undo : draft.redo).at(-1);
  if (!step) return say(`Nothing to ${kind}`);
  const edits = kind === "undo" ? step[1] : step[0];
  for (const { start, end } of edits) for (let line = start; line < end; line++) lines.reveal(line);
  edit(edits, kind);
  move(edits[0].start);
  say(kind === "undo" ? "undone" : "done again");
}

// The field may hold a text otherwise than it was given (line ends).
function showNote() {
  if ($("note").value !== draft.note) $("note").value = draft.note;
  draft.note = $("note").value;
}

function saveNote() {
  clearTimeout(typing);
  const note = $("note").value;
  if (!draft || note === draft.note) return;
  draft.note = note;
  send({ note });
}

let typing = 0;
function typeNote() {
  clearTimeout(later);
  clearTimeout(typing);
  if (!outbox.size) showState("saving");
  typing = setTimeout(() => {
    saveNote();
    if (!outbox.size) showState("saved");
  }, 500);
}

async function accept() {
  saveNote();
  const open = draft.labels.findIndex((_, line) => draft.current(line) === "-");
  if (open >= 0) {
    move(open);
    const count = draft.labels.filter((_, line) => draft.current(line) === "-").length;
    return tell(`${count} ${count === 1 ? "line has" : "lines have"} no label yet; here is the first.`);
  }
  const unseen = draft.labels.flatMap((_, line) => (draft.uncertain(line) && !draft.seen.has(line) ? [line] : []));
  if (unseen.length && !warned) {
    move(unseen[0]);
    warned = true;
    return tell(`${unseen.length} uncertain ${unseen.length === 1 ? "line was" : "lines were"} not looked at; here is the first. Enter again accepts them as suggested.`);
  }
  if (draft.status !== "done" || outbox.waitingFor(draft.id).length) send({ kind: "accept", shown: draft.lines.map((_, i) => draft.current(i)).join("") });
  tell(`${draft.id} accepted.`);
  await openNext();
}

async function skip() {
  saveNote();
  send({ skipped: true });
  tell(`${draft.id} put aside.`);
  await openNext();
}

async function openNext() {
  clearTimeout(later);
  if (!draft.next) return finish();
  try {
    await load(draft.next, { from: "ahead" });
    list.focus({ preventScroll: true });
  } catch (error) {
    tell(`The next page could not be had: ${error.message}. It is opened as soon as it can be.`);
    later = setTimeout(openNext, 2000);
  }
}

async function openPrevious() {
  if (!draft.previous) return;
  try {
    await load(draft.previous);
  } catch (error) {
    tell(`The page before could not be had: ${error.message}.`);
  }
}

function finish() {
  if (outbox.size) later = setTimeout(finish, 300);
  else if ($("notices").hidden) location.assign(base);
  else tell("This was the last page. Close the notices, then Enter leads to all pages.");
}

// Moving

function move(line, { extend = sticky, centre = true, look = true } = {}) {
  cursor = Math.max(0, Math.min(line, draft.length - 1));
  if (!extend) anchor = cursor;
  lines.reveal(cursor);
  warned = false;
  lines.mark(cursor, Math.min(anchor, cursor), Math.max(anchor, cursor));
  if (centre) lines.centre();
  if (look) see(cursor);
  drawMap();
}

// With the cursor in a spot of uncertain lines, those of it that are in view count as looked at.
function see(line) {
  const [first, last] = draft.spots().find(([first, last]) => first <= line && line <= last) ?? [line, line];
  draft.seen.add(line);
  for (let other = line - 1; other >= first && lines.isInView(other); other--) draft.seen.add(other);
  for (let other = line + 1; other <= last && lines.isInView(other); other++) draft.seen.add(other);
}

function step(direction, count, extend) {
  let line = cursor;
  for (let other = cursor + direction; count && other >= 0 && other < draft.length; other += direction) {
    if (!lines.isShown(other)) continue;
    line = other;
    count--;
  }
  move(line, { extend: extend || sticky });
}

function stepBlock(direction, extend) {
  if (extend || sticky) {
    // Selects to the block's end, then block after block.
    if (direction > 0) {
      const end = draft.blockEnd(cursor) - 1;
      move(end > cursor || cursor + 1 >= draft.length ? end : draft.blockEnd(cursor + 1) - 1, { extend: true });
    } else {
      const start = draft.blockStart(cursor);
      move(start < cursor || cursor === 0 ? start : draft.blockStart(cursor - 1), { extend: true });
    }
  } else if (direction > 0) move(draft.blockEnd(cursor));
  else {
    const start = draft.blockStart(cursor);
    move(start < cursor || cursor === 0 ? start : draft.blockStart(cursor - 1));
  }
}

function toggleSelecting() {
  sticky = !sticky;
  move(cursor);
  say(sticky ? "selecting" : "no longer selecting");
}

// Opens the next fold, or the one before.
function unfold() {
  const fold = lines.folds.find(({ first }) => first > cursor) ?? lines.folds.at(-1);
  if (!fold) return say("Nothing is folded up");
  lines.reveal(fold.first);
  move(cursor, { extend: true });
  say(`lines ${fold.first + 1} to ${fold.last + 1} opened`);
}

function selectBlock() {
  const end = draft.blockEnd(cursor) - 1;
  anchor = draft.blockStart(cursor);
  move(end, { extend: true });
}

// The first line of the next spot of uncertain lines; after the last one, of the first.
function nextUncertain(from) {
  const starts = draft.spots().map(([first]) => first);
  return starts.find((line) => line > from) ?? starts[0] ?? null;
}

function previousUncertain(from) {
  const starts = draft.spots().map(([first]) => first);
  return starts.findLast((line) => line < from) ?? starts.at(-1) ?? null;
}

function toUncertain(found) {
  if (found === null) return tell("No uncertain lines left. Enter accepts the page.");
  move(found);
  say(`line ${found + 1}, ${lines.describe(found)}`);
}

function search(direction) {
  const query = $("query").value.toLocaleLowerCase();
  const hits = query ? draft.lines.flatMap((text, line) => (text.toLocaleLowerCase().includes(query) ? [line] : [])) : [];
  lines.rows.forEach((row) => row.classList.remove("hit"));
  for (const line of hits) lines.rows[line].classList.add("hit");
  const place = direction > 0 ? hits.findIndex((line) => line > cursor) : hits.findLastIndex((line) => line < cursor);
  const found = hits.length ? hits.at(direction > 0 && place < 0 ? 0 : place) : null;
  if (found !== null && direction) move(found);
  $("hits").textContent = query ? `${hits.length ? hits.indexOf(cursor) + 1 : 0} of ${hits.length}` : "";
}

// What is beside and around the lines

function showPage() {
  const { site, url, id, place, pages, length, suggestion } = draft;
  $("title").replaceChildren(element("bdi", "", id));
  const state = { new: "", started: "", done: " · accepted", changed: " · changed since it was accepted", skipped: " · put aside" }[draft.status];
  $("place").textContent = `${place ? `Page ${place} of ${pages} · ` : ""}${length} ${length === 1 ? "line" : "lines"}${state}`;
  $("intro-site").textContent = site || "no site";
  $("intro-title").textContent = id;
  $("intro-url").textContent = url;
  $("intro-reason").textContent = draft.reason && `In the queue for: ${draft.reason}`;
  $("intro-hint").textContent = draft.adjudicates
    ? `${draft.looks.size} ${draft.looks.size === 1 ? "line" : "lines"} to settle between ${draft.annotators.join(", ")}.`
    : suggestion
      ? `Labels suggested by ${suggestion.source}. They are yours once you accept the page.`
      : "Nothing suggests labels for this page.";
  $("outro").textContent = "End of the page. Enter accepts it.";
  const counts = { c: 0, a: 0, n: 0, r: 0, "-": 0 };
  for (let line = 0; line < length; line++) counts[draft.current(line)]++;
  for (const cell of document.querySelectorAll("[data-count]")) cell.textContent = counts[cell.dataset.count];
  drawMap();
}

function drawMap() {
  const canvas = $("map");
  const height = canvas.clientHeight;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const colours = Object.fromEntries([..."canr"].map((letter) => [letter, style.getPropertyValue(`--${letter}`)]));
  context.clearRect(0, 0, canvas.width, height);
  const each = height / draft.length;
  for (let line = 0; line < draft.length; line++) {
    const letter = draft.current(line);
    if (letter === "-") continue;
    context.fillStyle = colours[letter];
    context.globalAlpha = draft.uncertain(line) ? 0.35 : draft.labels[line] === "-" ? 0.6 : 1;
    context.fillRect(2, line * each, 7, Math.max(each, 0.5));
  }
  context.globalAlpha = 1;
  context.fillStyle = style.getPropertyValue("--ink");
  context.fillRect(0, cursor * each - 1, canvas.width, Math.max(2, Math.min(each, 4)));
}

function openPanel(name) {
  saveNote();
  const side = $("side");
  const isOpen = !side.hidden && !$(`panel-${name}`).hidden;
  side.hidden = isOpen;
  for (const panel of side.querySelectorAll("section")) panel.hidden = panel.id !== `panel-${name}`;
  for (const other of ["note", "figures", "guidelines", "keys"]) $(`open-${other}`).setAttribute("aria-expanded", `${!isOpen && other === name}`);
  if (isOpen) return list.focus({ preventScroll: true });
  if (name === "note") $("note").focus();
  if (name === "figures") showFigures();
  lines.centre();
}

async function showFigures() {
  let figures;
  try {
    figures = await (await fetch(`${base}progress`)).json();
  } catch {
    return tell("The figures are with the server, which does not answer.");
  }
  const rows = [
    ["Pages", `${figures.pages_done} of ${figures.pages}`],
    ["Lines", `${figures.lines_done} of ${figures.lines}`],
    ["Lines a minute", figures.lines_a_minute === null ? "–" : Math.round(figures.lines_a_minute)],
    ["Agreement", figures.agreement === null ? "–" : `${(100 * figures.agreement).toFixed(1)}% of ${figures.compared_lines} lines${figures.kappa === null ? "" : `, κ ${figures.kappa.toFixed(2)}`}`],
  ];
  $("figures").replaceChildren(
    ...rows.map(([name, value]) => {
      const row = element("div");
      row.append(element("dt", "", name), element("dd", "", `${value}`));
      return row;
    }),
  );
  $("shares").replaceChildren(
    ...Object.entries(figures.labels).map(([name, count]) => {
      const item = element("li");
      const letter = element("span", "letter set", name[0]);
      letter.dataset.label = name[0];
      item.append(letter, ` ${name} `, element("b", "", figures.lines_done ? percent(count / figures.lines_done) : "–"));
      return item;
    }),
  );
}

// Stays until it is closed: what was left out must be read.
function notify(message, id = null) {
  const notice = element("p", "", message);
  if (id && id !== draft?.id) {
    const link = element("a", "", "Open it");
    link.href = `${base}page?id=${encodeURIComponent(id)}`;
    notice.append(" ", link);
  }
  const close = element("button", "close", "×");
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => {
    notice.remove();
    $("notices").hidden = !$("notices").children.length;
  });
  notice.prepend(close);
  $("notices").append(notice);
  $("notices").hidden = false;
}

let told = 0;
function tell(message) {
  say(message);
  $("place").textContent = message;
  clearTimeout(told);
  told = setTimeout(showPage, 4000);
}

function say(message) {
  $("live").textContent = message;
}

// Keys

const KEYS = {
  j: (event) => step(1, 1, event.shiftKey),
  k: (event) => step(-1, 1, event.shiftKey),
  ArrowDown: (event) => (event.ctrlKey ? stepBlock(1, event.shiftKey) : step(1, 1, event.shiftKey)),
  ArrowUp: (event) => (event.ctrlKey ? stepBlock(-1, event.shiftKey) : step(-1, 1, event.shiftKey)),
  PageDown: (event) => step(1, 10, event.shiftKey),
  PageUp: (event) => step(-1, 10, event.shiftKey),
  Home: (event) => move(0, { extend: event.shiftKey || sticky }),
  End: (event) => move(draft.length - 1, { extend: event.shiftKey || sticky }),
  "]": () => stepBlock(1, false),
  "[": () => stepBlock(-1, false),
  "}": () => stepBlock(1, true),
  "{": () => stepBlock(-1, true),
  ArrowLeft: () => draft.adjudicates && confirm(0),
  ArrowRight: () => draft.adjudicates && confirm(1),
  b: selectBlock,
  v: toggleSelecting,
  o: unfold,
  e: toBlockEnd,
  x: repeatRun,
  d: markUnsure,
  u: (event) => takeBack(event.shiftKey ? "redo" : "undo"),
  " ": () => confirm(0),
  Backspace: unlabel,
  Delete: unlabel,
  Tab: (event) => toUncertain(event.shiftKey ? previousUncertain(cursor) : nextUncertain(cursor)),
  Enter: accept,
  s: skip,
  p: openPrevious,
  m: () => openPanel("note"),
  f: () => openPanel("figures"),
  g: () => openPanel("guidelines"),
  "?": () => openPanel("keys"),
  "/": openSearch,
  Escape: leave,
};

function leave() {
  if (anchor !== cursor || sticky) {
    sticky = false;
    move(cursor);
  } else if (brush) pick(null);
  else if (!$("side").hidden) openPanel([...$("side").querySelectorAll("section")].find((panel) => !panel.hidden).id.slice(6));
  else $("open-search").focus();
}

function openSearch() {
  $("search").hidden = false;
  $("query").focus();
  $("query").select();
}

function onKey(event) {
  if (!draft || event.isComposing || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 && event.key !== " " ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey && !["z", "y", "ArrowUp", "ArrowDown"].includes(key)) return;
  if (event.ctrlKey && (key === "z" || key === "y")) {
    event.preventDefault();
    return takeBack(key === "y" || event.shiftKey ? "redo" : "undo");
  }
  const action = LABEL_KEYS[key] ? () => label(LABEL_KEYS[key]) : KEYS[key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

list.addEventListener("keydown", onKey);
// Wherever else the focus is (but in a text field or on a button), letters and digits still label.
document.addEventListener("keydown", (event) => {
  if (event.target === document.body || event.target === scroller) {
    list.focus({ preventScroll: true });
    onKey(event);
  } else if (event.key === "Escape" && event.target !== list) {
    if (event.target === $("query")) $("search").hidden = true;
    saveNote();
    list.focus({ preventScroll: true });
    event.preventDefault();
  } else if (event.target.closest?.("aside") && ["g", "f", "?", "m"].includes(event.key) && event.target !== $("note")) onKey(event);
});

$("search").addEventListener("submit", (event) => event.preventDefault());
$("query").addEventListener("input", () => search(0));
$("query").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  search(event.shiftKey ? -1 : 1);
});

// Mouse and touch

let drag = null;

function pick(letter) {
  brush = letter;
  for (const button of document.querySelectorAll(".pick")) button.setAttribute("aria-pressed", `${button.dataset.label === brush}`);
  list.dataset.brush = brush ?? "";
}

list.addEventListener("pointerdown", (event) => {
  const line = lines.lineAt(event.clientX, event.clientY);
  if (line === null || event.button) return;
  if (event.pointerType === "touch" && !event.target.closest(".letter, .number")) return;
  drag = { from: event.shiftKey ? anchor : line };
  list.setPointerCapture(event.pointerId);
  anchor = drag.from;
  move(line, { extend: true, centre: false });
});

list.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const box = scroller.getBoundingClientRect();
  if (event.clientY < box.top + 50) scroller.scrollBy(0, -24);
  if (event.clientY > box.bottom - 50) scroller.scrollBy(0, 24);
  const line = lines.lineAt(event.clientX, event.clientY);
  if (line !== null && line !== cursor) move(line, { extend: true, centre: false });
});

list.addEventListener("pointerup", () => {
  if (!drag) return;
  drag = null;
  if (brush) {
    const [first, last] = [Math.min(anchor, cursor), Math.max(anchor, cursor)];
    label(brush, first, last);
  } else move(cursor, { extend: true });
});
list.addEventListener("pointercancel", () => (drag = null));
list.addEventListener("click", (event) => {
  if (event.pointerType !== "touch" || event.target.closest(".letter, .number")) return;
  const line = lines.lineAt(event.clientX, event.clientY);
  if (line === null) return;
  move(line);
  if (brush) label(brush);
});

for (const button of document.querySelectorAll(".pick")) {
  button.addEventListener("click", () => {
    if (anchor !== cursor) label(button.dataset.label);
    else pick(brush === button.dataset.label ? null : button.dataset.label);
    list.focus({ preventScroll: true });
  });
}
const BUTTONS = { unsure: markUnsure, undo: () => takeBack("undo"), skip, accept, "open-search": openSearch };
for (const [id, action] of Object.entries(BUTTONS)) {
  $(id).addEventListener("click", () => {
    action();
    if (id !== "open-search") list.focus({ preventScroll: true });
  });
}
for (const name of ["note", "figures", "guidelines", "keys"]) $(`open-${name}`).addEventListener("click", () => openPanel(name));
$("close-side").addEventListener("click", () => {
  saveNote();
  $("side").hidden = true;
  list.focus({ preventScroll: true });
});
$("note").addEventListener("input", typeNote);
$("note").addEventListener("change", saveNote);
$("map").addEventListener("click", (event) => move(Math.floor((event.offsetY / $("map").clientHeight) * draft.length)));

// Time and other windows

function touch() {
  const now = performance.now();
  active += Math.min(now - lastActive, LONGEST_IDLE);
  lastActive = now;
}

for (const sign of ["keydown", "pointerdown", "wheel"]) document.addEventListener(sign, touch, { capture: true, passive: true });

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

siblings.addEventListener("message", (event) => event.data === draft?.id && refresh());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
addEventListener("resize", () => draft && (lines.centre(), drawMap()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draft && drawMap());
addEventListener("beforeunload", (event) => {
  saveNote();
  if (outbox.isInMemory) event.preventDefault();
});

try {
  await load(docId);
  list.focus({ preventScroll: true });
  if (!outbox.size) showState("saved");
} catch (error) {
  $("state").textContent = "Not loaded";
  notify(`${docId} could not be loaded: ${error.message}. Load this page again.`);
}
outbox.send();
document.body.dataset.ready = adjudicates ? "adjudicating" : "labelling";
