// A row of the waterfall: what its flags mean, and its element.

import { length, make } from "./base.js";

export const HEIGHT = 22;

// Bits of a row's flags, as the server sets them.
const [ERROR, THROTTLE, FAULT] = [1, 2, 4];
export const [OPEN, INFERRED, SEGMENT, LINK, ORPHAN, CRITICAL, WAITING] = [8, 16, 32, 64, 128, 256, 512];
export const TROUBLE = ERROR | THROTTLE | FAULT;

const SIGNS = [[ORPHAN, "⚠", "its parent is missing"], [WAITING, "◔", "the callee's segment is missing"],
  [LINK, "⇄", "linked with another trace"], [INFERRED, "◇", "inferred"]];

function classOf(flags) {
  if (flags & FAULT) return "fault";
  if (flags & THROTTLE) return "throttle";
  if (flags & ERROR) return "error";
  return flags & OPEN ? "open" : "ok";
}

// The element of a row. `place` is its number among the rows that are shown, `left` and `right` its time on the screen from 0 to 1.
export function build({ data, row, place, isFolded, isActive, isFound, left, right }) {
  const flags = data.flags[row];
  const kind = classOf(flags);
  const holds = data.size[row] > 1;
  const name = data.names[data.name[row]];
  const element = make("div", {
    class: `row ${flags & SEGMENT ? "segment" : ""}`, role: "row", id: `row-${row}`,
    "aria-level": data.depth[row] + 1, "aria-rowindex": place + 1,
    "aria-expanded": holds ? String(!isFolded) : null, "aria-selected": String(isActive),
  });
  element.style.top = `${place * HEIGHT}px`;
  element.classList.toggle("active", isActive);
  element.classList.toggle("found", isFound);
  const cell = make("div", { class: "name", role: "gridcell" });
  cell.style.paddingLeft = `${Math.min(data.depth[row], 24) * 12 + 4}px`;
  cell.append(make("span", { class: "fold", "aria-hidden": "true" }, holds ? (isFolded ? "▸" : "▾") : ""));
  if (kind !== "ok") {
    const letter = { fault: "F", throttle: "T", error: "E", open: "…" }[kind];
    const words = { open: "in progress" }[kind] || kind;
    cell.append(make("span", { class: `letter ${kind}`, title: words, "aria-hidden": "true" }, letter),
      make("span", { class: "visually-hidden" }, `${words}, `));
  }
  for (const [flag, sign, words] of SIGNS) {
    if (flags & flag) cell.append(make("span", { class: "odd", title: words, role: "img", "aria-label": words }, sign));
  }
  cell.append(make("span", { class: "label", title: name }, name + (isFolded ? ` (+${data.size[row] - 1})` : "")));
  const time = make("div", { class: "time", role: "gridcell" });
  const took = data.took[row];
  if (right >= 0 && left <= 1) {
    const from = Math.max(left, -0.01);
    const to = Math.min(right, 1.01);
    const bar = make("div", { class: `bar ${kind} ${flags & INFERRED ? "inferred" : ""} ${flags & CRITICAL ? "on-path" : ""}` });
    bar.style.left = `${from * 100}%`;
    bar.style.width = `${(to - from) * 100}%`;
    if (took > 0 && data.own[row] > 0 && holds) {
      const own = make("i");
      own.style.width = `${(data.own[row] / took) * 100}%`;
      bar.append(own);
    }
    time.append(bar);
  }
  const label = make("span", { class: "took" }, flags & OPEN ? "in progress" : length(took));
  if (right < 0.75) label.style.left = `${Math.max(right, 0) * 100}%`;
  else if (left > 0.25) label.style.right = `${(1 - Math.min(left, 1)) * 100}%`;
  else {
    label.style.right = `${(1 - Math.min(right, 1)) * 100}%`;
    label.style.color = "var(--text)";
  }
  time.append(label);
  element.append(cell, time);
  return element;
}
