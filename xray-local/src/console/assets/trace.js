// The waterfall: rows are made for what is on the screen alone, so that 100,000 rows cost what 50 cost.

import { $, all, counted, isTyping, length, localise, make, say } from "./base.js";
import { follow } from "./follow.js";
import { makeHidden } from "./hide.js";
import { HEIGHT, OPEN, ORPHAN, TROUBLE, WAITING, build } from "./row.js";
import { makeScale } from "./scale.js";

const SPARE = 8;

const grid = $("#rows");
const id = grid.dataset.trace;
const canvas = make("div", { class: "canvas", role: "rowgroup" });
grid.append(canvas);

let data; // the columns that the server sent
let parents; // the row that holds each row, or -1
let shown = new Int32Array(0); // rows that are neither folded nor hidden
let place; // where each row is in `shown`, or -1
let folded = new Set();
let active = 0;
let found = [];
let isFound = new Set();
let view = [0, 1]; // the part of the time on screen, in drawn units
let gapsFolded = false;
let critical = false;
let made = new Map(); // rows in the document by number

const took = (row) => data.took[row];
const name = (row) => data.names[data.name[row]];

const hidden = makeHidden(() => data, () => {
  arrange();
  if (place[active] < 0 && shown.length) choose(shown[here()]);
  remember();
});

let scale;
const measure = () => { scale = makeScale(data.span, gapsFolded ? data.gaps : []); };
const screen = (time) => (scale.drawnAt(time) - view[0]) / (view[1] - view[0]);

function arrange() {
  const list = [];
  for (let row = 0; row < data.depth.length; ) {
    if (!hidden.has(row)) list.push(row);
    row += folded.has(row) ? data.size[row] : 1;
  }
  shown = Int32Array.from(list);
  place = new Int32Array(data.depth.length).fill(-1);
  shown.forEach((row, at) => { place[row] = at; });
  canvas.style.height = `${shown.length * HEIGHT}px`;
  grid.setAttribute("aria-rowcount", shown.length);
  hidden.write();
  clear();
  draw();
}

function clear() {
  canvas.replaceChildren();
  made = new Map();
}

function element(row) {
  const left = screen(data.start[row]);
  return build({
    data, row, place: place[row], isFolded: folded.has(row), isActive: row === active, isFound: isFound.has(row),
    left, right: screen(data.start[row] + took(row)),
  });
}

let pending = false;
function draw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    const first = Math.max(0, Math.floor(grid.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(shown.length, Math.ceil((grid.scrollTop + grid.clientHeight) / HEIGHT) + SPARE);
    const wanted = new Set(shown.subarray(first, last));
    if (place[active] >= 0) wanted.add(active);
    for (const [row, element] of made) {
      if (!wanted.has(row)) {
        element.remove();
        made.delete(row);
      }
    }
    for (const row of wanted) {
      if (made.has(row)) continue;
      const own = element(row);
      made.set(row, own);
      canvas.append(own);
    }
    if (made.has(active)) grid.setAttribute("aria-activedescendant", `row-${active}`);
  });
}

function redraw() {
  clear();
  draw();
  axis();
}

function axis() {
  const marks = [];
  let before = "";
  for (let tick = 0; tick < 5; tick += 1) {
    const at = view[0] + ((view[1] - view[0]) * tick) / 5;
    const label = length(Math.round(scale.timeAt(at)));
    // A time that is too short for five labels has fewer.
    if (label === before) continue;
    before = label;
    const mark = make("span", {}, label);
    mark.style.left = `${tick * 20}%`;
    marks.push(mark);
  }
  $("#axis").replaceChildren(...marks);
  // The strip shows true time, whatever is folded.
  const box = $("#view");
  const [from, to] = view.map((at) => scale.timeAt(at) / data.span);
  box.hidden = view[0] <= 0 && view[1] >= 1;
  box.style.left = `${from * 100}%`;
  box.style.width = `${(to - from) * 100}%`;
}

function zoom(from, to) {
  const width = Math.max(to - from, 1e-6);
  const left = Math.min(Math.max(from, 0), 1 - Math.min(width, 1));
  view = [left, Math.min(left + width, 1)];
  redraw();
}

let wanted = 0;
// Chooses a row, opens what hides it, scrolls to it and asks for its details.
function choose(row, quietly = false) {
  if (!(row >= 0 && row < data.depth.length)) return;
  let opened = hidden.reveal(row);
  for (let above = parents[row]; above >= 0; above = parents[above]) opened = folded.delete(above) || opened;
  const before = active;
  active = row;
  if (opened) arrange();
  const top = place[row] * HEIGHT;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + HEIGHT > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + HEIGHT - grid.clientHeight;
  for (const changed of [before, row]) {
    const own = made.get(changed);
    if (own) {
      own.classList.toggle("active", changed === active);
      own.setAttribute("aria-selected", String(changed === active));
    }
  }
  draw();
  clearTimeout(wanted);
  wanted = setTimeout(() => detail(row, quietly), 60);
}

// Writes the chosen row and what is hidden into the address.
function remember() {
  const parameters = new URLSearchParams([["span", data.ids[active]], ...hidden.parameters()]);
  history.replaceState(null, "", `?${parameters}`);
}

async function detail(row, quietly) {
  const span = data.ids[row];
  const answer = await fetch(`/console/trace/${id}/span/${encodeURIComponent(span)}`);
  if (row !== active || !answer.ok) return;
  // The server escapes everything that comes from a trace; the content policy lets no script run in any case.
  const part = make("template");
  part.innerHTML = await answer.text();
  localise(part.content);
  $("#details").replaceChildren(part.content);
  $("#details").scrollTop = 0;
  if (!quietly) remember();
}

function fold(row, close) {
  if (data.size[row] < 2) return;
  if (close) folded.add(row);
  else folded.delete(row);
  arrange();
}

// The next row of a sorted list after the chosen one, or before it; goes around.
function next(list, back) {
  if (list.length === 0) return -1;
  if (back) return list.findLast((row) => row < active) ?? list.at(-1);
  return list.find((row) => row > active) ?? list[0];
}

const errors = () => [...data.flags.keys()].filter((row) => data.flags[row] & TROUBLE && !hidden.has(row));

// Where the chosen row is among the shown ones, or where it would be.
function here() {
  if (place[active] >= 0) return place[active];
  return Math.max(shown.findLastIndex((row) => row < active), 0);
}
const move = (by) => choose(shown[Math.min(Math.max(here() + by, 0), shown.length - 1)]);

// The row below the chosen one in the tree, or above it, that is not hidden.
function inner() {
  const row = shown[here() + 1];
  return row < active + data.size[active] ? row : -1;
}
function outer() {
  let row = parents[active];
  while (row >= 0 && hidden.has(row)) row = parents[row];
  return row;
}

function step(list, back, words) {
  const row = next(list, back);
  if (row < 0) return say(`No ${words} in this trace`);
  choose(row);
  if (list === found) $("#found").textContent = `${list.indexOf(row) + 1} of ${list.length}`;
  else say(`${words} ${list.indexOf(row) + 1} of ${list.length}: ${name(row)}`);
}

const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(20),
  PageUp: () => move(-20),
  Home: () => choose(shown[0]),
  End: () => choose(shown[shown.length - 1]),
  ArrowLeft: () => (data.size[active] > 1 && !folded.has(active) ? fold(active, true) : choose(outer())),
  ArrowRight: () => (folded.has(active) ? fold(active, false) : choose(inner())),
  Enter: () => $("#details").focus(),
  n: () => step(found, false, "found row"),
  N: () => step(found, true, "found row"),
  e: () => step(errors(), false, "error"),
  E: () => step(errors(), true, "error"),
  z: () => {
    const [from, to] = [scale.drawnAt(data.start[active]), scale.drawnAt(data.start[active] + took(active))];
    const margin = Math.max((to - from) * 0.05, 1e-5);
    zoom(from - margin, to + margin);
  },
  0: () => zoom(0, 1),
  "+": () => zoom(view[0] + (view[1] - view[0]) / 4, view[1] - (view[1] - view[0]) / 4),
  "-": () => zoom(view[0] - (view[1] - view[0]) / 2, view[1] + (view[1] - view[0]) / 2),
  g: () => {
    gapsFolded = !gapsFolded;
    $("[data-do=g]").setAttribute("aria-pressed", String(gapsFolded));
    measure();
    zoom(0, 1);
    if (gapsFolded) say(data.gaps.length ? `${counted(data.gaps.length, "gap")} folded` : "This trace has no long gaps");
  },
  c: () => {
    critical = !critical;
    $("[data-do=c]").setAttribute("aria-pressed", String(critical));
    grid.classList.toggle("critical", critical);
  },
  y: () => navigator.clipboard?.writeText(data.ids[active]).then(() => say("Copied the row's id"), () => say(data.ids[active])),
  h: () => hidden.hideName(active),
  H: () => hidden.clear(),
  fold: () => {
    folded = new Set([...data.depth.keys()].filter((row) => data.depth[row] >= 1 && data.size[row] > 1));
    arrange();
    if (place[active] < 0) choose(shown[here()]);
  },
  unfold: () => {
    folded.clear();
    arrange();
  },
};

document.addEventListener("keydown", (event) => {
  if (!data || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
  const inGrid = document.activeElement === grid || document.activeElement === document.body || document.activeElement === $("#main");
  const isMove = event.key.length > 1;
  if (!Object.hasOwn(keys, event.key) || event.key.startsWith("fold") || (isMove && !inGrid)) return;
  event.preventDefault();
  keys[event.key]();
});

for (const button of all("[data-do]")) button.addEventListener("click", () => data && keys[button.dataset.do]());

canvas.addEventListener("click", (event) => {
  const element = event.target.closest(".row");
  if (!element) return;
  const row = Number(element.id.slice(4));
  if (event.target.closest(".fold") && data.size[row] > 1) {
    active = row;
    fold(row, !folded.has(row));
  } else choose(row);
});
grid.addEventListener("scroll", draw, { passive: true });
new ResizeObserver(() => data && draw()).observe(grid);

const strip = $("#strip");
let from = null;
const across = (event) => {
  const box = strip.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
};
strip.addEventListener("pointerdown", (event) => {
  from = across(event);
  strip.setPointerCapture(event.pointerId);
});
strip.addEventListener("pointermove", (event) => {
  if (from === null || !data) return;
  const to = across(event);
  if (Math.abs(to - from) > 0.003) zoom(...[from, to].sort((a, b) => a - b).map((at) => scale.drawnAt(at * data.span)));
});
strip.addEventListener("pointerup", (event) => {
  if (from !== null && Math.abs(across(event) - from) <= 0.003) zoom(0, 1);
  from = null;
});

let typed = 0;
async function search() {
  const words = $("#search").value.trim();
  const asked = (typed += 1);
  if (!words) {
    [found, isFound] = [[], new Set()];
    $("#found").textContent = "";
    return redraw();
  }
  const answer = await fetch(`/console/trace/${id}/search?q=${encodeURIComponent(words)}`);
  if (asked !== typed || !answer.ok) return;
  found = (await answer.json()).rows;
  isFound = new Set(found);
  $("#found").textContent = found.length ? `${found.length} found` : "nothing found";
  redraw();
  if (found.length) {
    choose(found.find((row) => row >= active) ?? found[0]);
    $("#found").textContent = `${found.indexOf(active) + 1} of ${found.length}`;
  }
}
let waits = 0;
$("#search").addEventListener("input", () => {
  clearTimeout(waits);
  waits = setTimeout(search, 150);
});
$("#search").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && found.length) step(found, event.shiftKey, "found row");
  if (event.key === "Escape" || event.key === "ArrowDown") grid.focus();
});

$("#details").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-span]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  choose(data.ids.indexOf(link.dataset.span));
});

async function load() {
  const answer = await fetch(`/console/trace/${id}/rows`);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  data = await answer.json();
  parents = new Int32Array(data.depth.length);
  const path = [];
  data.depth.forEach((depth, row) => {
    path.length = depth;
    parents[row] = depth > 0 ? path[depth - 1] : -1;
    path.push(row);
  });
}

// Loads the rows again; what was chosen, folded and zoomed to stays.
async function reload() {
  const [ids, wasFolded, time] = [data.ids, folded, view.map((at) => scale.timeAt(at))];
  const isWhole = view[0] <= 0 && view[1] >= 1;
  const chosen = ids[active];
  await load();
  const numbers = new Map(data.ids.map((span, row) => [span, row]));
  folded = new Set([...wasFolded].map((row) => numbers.get(ids[row])).filter((row) => row !== undefined));
  active = numbers.get(chosen) ?? 0;
  measure();
  view = isWhole ? [0, 1] : time.map((at) => scale.drawnAt(at));
  arrange();
  axis();
  if ($("#search").value) await search();
  else detail(active, true);
  if (!isOpen()) say("The trace is complete");
}

const isOpen = () => data.flags.some((flags) => flags & (OPEN | ORPHAN | WAITING));

async function begin() {
  await load();
  measure();
  arrange();
  axis();
  const wished = new URLSearchParams(location.search).get("span");
  const at = wished ? data.ids.indexOf(wished) : -1;
  if (data.ids.length) choose(place[at] >= 0 ? at : (shown[0] ?? 0), at < 0);
  document.documentElement.dataset.ready = "trace";
  follow(id, Number(grid.dataset.revision), isOpen, reload);
}

begin().catch((error) => say(`The rows can't be loaded: ${error.message}`));
