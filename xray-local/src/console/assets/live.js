// The live list: rows that the server sends as events, a pause, a rate, and the chosen trace beside the list.

import { $, inOrder, isTyping, localise, make, say } from "./base.js";

const MOST = 200;
const body = $("#tail tbody");
const filter = $("#filter");
const connection = $("#connection");
let source;
let last = "";
let retry = 0;
let paused = false;
let held = [];
let chosen = null;
let byHand = false;
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
    if (chosen === row.id) choose(row, byHand);
    return;
  }
  $("#empty").hidden = true;
  document.title = "Live · xray-local";
  body.prepend(row);
  while (body.rows.length > MOST) body.lastElementChild.remove();
  if (!chosen || (!byHand && !document.getElementById(chosen))) choose(row, false);
}

let asked = 0;
async function choose(row, hand) {
  chosen = row.id;
  byHand = hand;
  for (const other of body.rows) other.setAttribute("aria-selected", String(other === row));
  const own = (asked += 1);
  const answer = await fetch(`/console/preview/${row.dataset.trace}`).catch(() => ({ ok: false }));
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
  $("#rate").textContent = `${arrived.toLocaleString("en")} traces/s`;
}

let sampled = 0;
function rate(event) {
  const { arrived, of, shown, sampled: isSample } = JSON.parse(event.data);
  spark(arrived);
  const note = $("#sample");
  if (isSample) {
    const kind = filter.defaultValue ? "matching traces" : "traces";
    note.textContent = `Showing ${shown} of ${Math.max(of, shown)} ${kind} a second: a sample, so that the page stays usable.`;
    sampled = performance.now();
  }
  // The note stays for a moment, so that bursts can be read.
  note.hidden = !isSample && performance.now() - sampled > 3000;
}

function connect() {
  source?.close();
  clearTimeout(retry);
  const query = new URLSearchParams({ filter: filter.defaultValue });
  if (last) query.set("last", last);
  source = new EventSource(`/console/tail?${query}`);
  source.addEventListener("hello", () => {
    if (!connection.hidden) say("Connected again");
    connection.hidden = true;
    document.documentElement.dataset.ready = "live";
  });
  source.addEventListener("trace", (event) => {
    last = event.lastEventId || last;
    const row = parse(event.data);
    if (!row) return;
    if (paused) {
      held.push(row);
      if (held.length > MOST) held.shift();
      $("#pause").textContent = `Go on (${held.length})`;
    } else add(row);
  });
  source.addEventListener("rate", rate);
  source.addEventListener("error", lost);
}

// The browser tries again by itself, unless the server refused.
async function lost() {
  connection.hidden = false;
  connection.textContent = "The connection to xray-local is lost. This page tries again until it is back.";
  document.documentElement.dataset.ready = "lost";
  if (source.readyState !== EventSource.CLOSED) return;
  const answer = await fetch("/console/check").catch(() => ({ status: 0 }));
  if (answer.status === 401) {
    connection.textContent = "xray-local was started anew, and its token is another: open the address that it printed.";
  } else {
    clearTimeout(retry);
    retry = setTimeout(connect, 2000);
  }
}

// Browsers hold few connections to a server, so a page that is not seen leaves its own.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source?.close();
    clearTimeout(retry);
  } else if (source) connect();
});

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
  note.textContent = inOrder(error || "");
  filter.setAttribute("aria-invalid", String(Boolean(error)));
  if (error) return;
  const query = filter.value ? `?filter=${encodeURIComponent(filter.value)}` : "";
  location.assign(`/${query}`);
});

body.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (!row || event.target.closest("a")) return;
  choose(row, true);
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
      choose(next, true);
      next.scrollIntoView({ block: "nearest" });
    }
  } else if (event.key === "Enter" && row && !event.target.closest("button, a, summary, input")) {
    location.assign(`/trace/${row.dataset.trace}`);
  }
});

if (body.rows.length) {
  last = body.rows[0].id.slice(1);
  choose(body.rows[0], false);
} else document.title = "Waiting · xray-local";
// Nothing arrives for a filter that is not understood.
if (filter.getAttribute("aria-invalid") === "true") document.documentElement.dataset.ready = "live";
else connect();
