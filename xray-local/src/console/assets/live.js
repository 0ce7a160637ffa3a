// The live list: rows that the server sends as events, a pause, a rate, and the chosen trace beside the list.

import { $, isTyping, localise, make } from "./base.js";

const MOST = 200;
const body = $("#tail tbody");
const filter = $("#filter");
let source;
let paused = false;
let held = [];
let chosen = null;
const rates = [];

function parse(row) {
  // A row from the server, which escapes everything that comes from a trace.
  const part = make("template");
  part.innerHTML = row;
  localise(part.content);
  return part.content.firstElementChild;
}

function add(row) {
  const old = document.getElementById(row.id);
  if (old) {
    old.replaceWith(row);
    if (chosen === row.id) mark();
    return;
  }
  $("#empty").hidden = true;
  body.prepend(row);
  while (body.rows.length > MOST) body.lastElementChild.remove();
  if (!chosen || !document.getElementById(chosen)) choose(row);
}

function mark() {
  for (const row of body.rows) row.setAttribute("aria-selected", String(row.id === chosen));
}

let asked = 0;
async function choose(row) {
  chosen = row.id;
  mark();
  const own = (asked += 1);
  const answer = await fetch(`/console/preview/${row.dataset.trace}`);
  if (own !== asked || !answer.ok) return;
  const part = make("template");
  part.innerHTML = await answer.text();
  localise(part.content);
  $("#preview").replaceChildren(part.content);
}

function spark(arrived) {
  rates.push(arrived);
  if (rates.length > 60) rates.shift();
  const top = Math.max(...rates, 1);
  $("#spark path").setAttribute("d", rates.map((rate, at) => `${at ? "L" : "M"}${at * 2} ${23 - (rate / top) * 22}`).join(""));
  $("#rate").textContent = `${arrived} traces/s`;
}

function connect() {
  source?.close();
  source = new EventSource(`/console/tail?filter=${encodeURIComponent(filter.value)}`);
  source.addEventListener("hello", () => { document.documentElement.dataset.ready = "live"; });
  source.addEventListener("trace", (event) => {
    const row = parse(event.data);
    if (!row) return;
    if (paused) {
      held.push(row);
      if (held.length > MOST) held.shift();
      $("#pause").textContent = `Go on (${held.length})`;
    } else add(row);
  });
  source.addEventListener("rate", (event) => {
    const { arrived, shown } = JSON.parse(event.data);
    spark(arrived);
    const sample = $("#sample");
    sample.hidden = !(arrived > shown && shown >= 20);
    if (!sample.hidden) sample.textContent = `Showing ${shown} of ${arrived} traces a second: a sample, so that the page stays usable.`;
  });
}

function pause() {
  paused = !paused;
  const button = $("#pause");
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? "Go on" : "Pause";
  if (!paused) {
    held.forEach(add);
    held = [];
  }
}

$("#pause").addEventListener("click", pause);

$("#filter-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch(`/console/check?filter=${encodeURIComponent(filter.value)}`);
  const { error } = await answer.json();
  const note = $("#filter-error");
  note.hidden = !error;
  note.textContent = error || "";
  filter.setAttribute("aria-invalid", String(Boolean(error)));
  if (error) return;
  const query = filter.value ? `?filter=${encodeURIComponent(filter.value)}` : "";
  location.assign(`/${query}`);
});

body.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (!row || event.target.closest("a")) return;
  choose(row);
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
  const row = chosen && document.getElementById(chosen);
  if (event.key === " " && !event.target.closest("button, a, summary")) {
    event.preventDefault();
    pause();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && body.rows.length) {
    event.preventDefault();
      const next = row ? (event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling) : body.rows[0];
    if (next) {
      choose(next);
      next.scrollIntoView({ block: "nearest" });
    }
  } else if (event.key === "Enter" && row && !event.target.closest("button, a, summary, input")) {
    location.assign(`/trace/${row.dataset.trace}`);
  }
});

connect();
if (body.rows.length) choose(body.rows[0]);
else document.title = "Waiting · xray-local";
