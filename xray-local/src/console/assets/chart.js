// The brush over histograms: writes the chosen times into the form's inputs, and submits where the form wants that.

import { $, all } from "./base.js";

for (const chart of all("svg.histogram")) {
  const form = chart.closest("form");
  if (!form) continue;
  const box = $("rect.brush", chart);
  const [low, high] = [Number(chart.dataset.from), Number(chart.dataset.to)];
  const width = chart.viewBox.baseVal.width;
  let begun = null;

  const at = (event) => {
    const edges = chart.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - edges.left) / edges.width, 0), 1);
  };
  const show = (from, to) => {
    box.setAttribute("x", from * width);
    box.setAttribute("width", (to - from) * width);
    form.elements.from.value = Math.round(low + from * (high - low));
    form.elements.to.value = Math.max(Math.round(low + to * (high - low)), Math.round(low + from * (high - low)) + 1);
  };

  chart.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    begun = at(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    if (begun !== null) show(Math.min(begun, at(event)), Math.max(begun, at(event)));
  });
  chart.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const moved = Math.abs(at(event) - begun) > 0.005;
    begun = null;
    if (!moved) {
      form.elements.from.value = "";
      form.elements.to.value = "";
      box.setAttribute("width", 0);
    }
    if (form.hasAttribute("data-submit")) form.requestSubmit();
  });
}
