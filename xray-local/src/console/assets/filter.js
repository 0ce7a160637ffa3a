// The filter box: suggestions at the cursor, from the server, as a listbox that keys and pointer reach.

import { $, isTyping, make } from "./base.js";

const box = $("#filter");
const list = $("#suggestions");
let offered = [];
let chosen = -1;
// Where a suggestion goes, in characters, and what was in the box when that was found out.
let place = { start: 0, end: 0, of: "" };
let asked = 0;

const characters = (string) => [...string];

function close() {
  list.hidden = true;
  chosen = -1;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function mark(at) {
  chosen = at;
  [...list.children].forEach((item, own) => item.setAttribute("aria-selected", String(own === at)));
  if (at >= 0) {
    box.setAttribute("aria-activedescendant", `suggestion-${at}`);
    list.children[at].scrollIntoView({ block: "nearest" });
  } else box.removeAttribute("aria-activedescendant");
}

function take(at) {
  const written = characters(box.value);
  const { insert } = offered[at];
  // Who types on while the suggestions are on their way has written more of the same word.
  const cursor = characters(box.value.slice(0, box.selectionStart)).length;
  const end = box.value === place.of ? place.end : Math.max(cursor, place.start);
  const before = written.slice(0, place.start).join("") + insert;
  box.value = before + written.slice(end).join("");
  box.setSelectionRange(before.length, before.length);
  box.focus();
  // A condition is not complete without what follows it.
  suggest();
}

async function suggest() {
  const cursor = characters(box.value.slice(0, box.selectionStart)).length;
  const own = (asked += 1);
  const of = box.value;
  const answer = await fetch(`/console/complete?filter=${encodeURIComponent(of)}&cursor=${cursor}`);
  if (own !== asked || !answer.ok || document.activeElement !== box) return;
  const { start, end, suggestions } = await answer.json();
  place = { start, end, of };
  const typed = characters(of).slice(start, end).join("");
  offered = suggestions.filter(({ insert }) => insert !== typed);
  list.replaceChildren(...offered.map(({ insert, hint }, at) => make("li", { role: "option", id: `suggestion-${at}`, "aria-selected": "false" },
    make("code", {}, insert), make("span", { class: "dim" }, ` ${hint}`))));
  list.hidden = offered.length === 0;
  box.setAttribute("aria-expanded", String(!list.hidden));
  mark(-1);
}

let waits = 0;
box.addEventListener("input", () => {
  clearTimeout(waits);
  waits = setTimeout(suggest, 80);
});
box.addEventListener("blur", () => setTimeout(close, 150));
box.addEventListener("keydown", (event) => {
  if (event.key === " " && event.ctrlKey) {
    event.preventDefault();
    suggest();
  } else if (list.hidden) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      suggest();
    }
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const count = offered.length;
    mark(event.key === "ArrowDown" ? (chosen + 1) % count : (chosen + count * 2 - 1) % count);
  } else if ((event.key === "Enter" && chosen >= 0) || event.key === "Tab" && chosen >= 0) {
    event.preventDefault();
    take(chosen);
  } else if (event.key === "Escape") {
    event.preventDefault();
    close();
  }
});
list.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("li");
  if (!item) return;
  event.preventDefault();
  take(Number(item.id.slice("suggestion-".length)));
});

// Up and down go through the list of traces, Enter opens one.
document.addEventListener("keydown", (event) => {
  const links = [...document.querySelectorAll("#list tbody tr td:first-child a")];
  if (isTyping(event) || !links.length || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(event.key === "ArrowDown" ? at + 1 : at - 1, 0), links.length - 1)].focus();
});
document.documentElement.dataset.ready = "traces";
