// Rows that a person does not want to see: all of a service, or all of a name. The address remembers them.

import { $, make } from "./base.js";

const MOST = 100;

// `data` gives the current columns; `changed` is called after each change.
export function makeHidden(data, changed) {
  const parameters = new URLSearchParams(location.search);
  const names = new Set(parameters.getAll("hide"));
  const services = new Set(parameters.getAll("hide-service"));
  const name = (row) => data().names[data().name[row]];
  const service = (row) => data().names[data().service[row]];
  const any = () => names.size + services.size > 0;
  const has = (row) => any() && (names.has(name(row)) || services.has(service(row)));

  function toggle(set, value) {
    if (!set.delete(value)) set.add(value);
    changed();
  }

  function chip(set, value, words) {
    const button = make("button", { type: "button", class: "chip", title: "Show again" }, words, make("span", { "aria-hidden": "true" }, " ×"));
    button.addEventListener("click", () => toggle(set, value));
    return button;
  }

  return {
    has,
    hideName: (row) => toggle(names, name(row)),
    // Shows what hides a row, without a call of `changed`.
    reveal(row) {
      const was = has(row);
      names.delete(name(row));
      services.delete(service(row));
      return was;
    },
    clear() {
      names.clear();
      services.clear();
      changed();
    },
    parameters: () => [...[...names].map((value) => ["hide", value]), ...[...services].map((value) => ["hide-service", value])],
    // Writes the list of services, and what is hidden.
    write() {
      const counts = new Map();
      let hidden = 0;
      for (let row = 0; row < data().depth.length; row += 1) {
        counts.set(service(row), (counts.get(service(row)) ?? 0) + 1);
        if (has(row)) hidden += 1;
      }
      $("#services").replaceChildren(...[...counts].slice(0, MOST).map(([value, count]) => {
        const box = make("input", { type: "checkbox" });
        box.checked = !services.has(value);
        box.addEventListener("change", () => toggle(services, value));
        return make("label", {}, box, ` ${value} `, make("span", { class: "dim" }, count.toLocaleString("en")));
      }));
      const all = make("button", { type: "button", class: "chip" }, "Show all");
      all.addEventListener("click", this.clear);
      const note = $("#hidden");
      note.hidden = !any();
      note.replaceChildren(`${hidden.toLocaleString("en")} ${hidden === 1 ? "row is" : "rows are"} hidden: `,
        ...[...services].map((value) => chip(services, value, `service ${value}`)),
        ...[...names].map((value) => chip(names, value, `rows named ${value}`)), all);
    },
  };
}
