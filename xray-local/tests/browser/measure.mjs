// Times of the console in a browser, for the guide: first paint, large traces, frames, from send to screen, a flood.

import { loadavg } from "node:os";

import { Console, ready } from "./page.mjs";
import { large, segment, spanId, start, traceId } from "./server.mjs";

const server = await start("--limits", "off");
const browser = await Console.open(server);
const sorted = (list) => list.toSorted((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const milliseconds = (number) => `${Math.round(number)} ms`;
const load = () => `load ${loadavg()[0].toFixed(1)}`;

async function opened(path, name) {
  const page = await browser.open(path);
  await ready(page, name);
  const marked = await page.evaluate(() => performance.now());
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  return { page, marked, paint };
}

// Frames a second while `act` is called in each frame for three seconds.
const frames = (page, act) => page.evaluate(`new Promise((resolve) => {
  const begun = performance.now();
  let count = 0;
  const step = () => {
    count += 1;
    (${act})();
    if (performance.now() - begun < 3000) requestAnimationFrame(step);
    else resolve(Math.round(count / 3));
  };
  requestAnimationFrame(step);
})`);

console.log(`machine: ${load()}`);
for (const path of ["/", "/map", "/traces"]) {
  const paints = [];
  for (let round = 0; round < 9; round += 1) {
    const page = await browser.open(path);
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await page.close();
  }
  console.log(`first paint of ${path}: median of 9 ${milliseconds(median(paints))}, best ${milliseconds(Math.min(...paints))}; ${load()}`);
  if (path === "/") await server.demo();
}

for (const rows of [10_000, 100_000]) {
  const { id, documents } = large(rows);
  await server.put(documents, 400);
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    const { page, marked } = await opened(`/trace/${id}`, "trace");
    times.push(marked);
    if (round === 4) {
      const moved = await frames(page, () => { document.querySelector("#rows").scrollTop += 500; });
      const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
      console.log(`a trace of ${rows.toLocaleString("en")} rows: first ${milliseconds(times[0])}, median of 5 ${milliseconds(median(times))}, ` +
        `best ${milliseconds(Math.min(...times))}, ${moved} frames/s while scrolling, ${nodes} DOM nodes; ${load()}`);
    }
    await page.close();
  }
}

const { page } = await opened("/", "live");
const delays = [];
for (let round = 0; round < 40; round += 1) {
  const document = segment({ name: "delay" });
  const seen = page.waitForSelector(`tr[data-trace="${document.trace_id}"]`);
  const sent = performance.now();
  await server.send(document);
  await seen;
  delays.push(performance.now() - sent);
}
console.log(`from the datagram to the screen: median of 40 ${milliseconds(median(delays))}, 95 % ${milliseconds(sorted(delays)[37])}; ${load()}`);

// Traces by requests of 200 each, ten a second, since a flood of datagrams would measure this program's own speed.
const RATE = 2_000;
let flooding = true;
let sentTraces = 0;
const flood = (async () => {
  const begun = performance.now();
  while (flooding) {
    const wait = begun + (sentTraces / RATE) * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const batch = Array.from({ length: 200 }, () => segment({ name: "flood", id: spanId(), trace_id: traceId() }));
    await server.put(batch, 200);
    sentTraces += batch.length;
  }
  return sentTraces / ((performance.now() - begun) / 1000);
})();
await page.locator("#sample").getByText("a sample").waitFor();
await page.waitForTimeout(3000);
const moved = await frames(page, () => {});
const clicks = [];
for (let round = 0; round < 11; round += 1) {
  const begun = performance.now();
  await page.keyboard.press("Space");
  await page.waitForFunction((pressed) => document.querySelector("#pause").getAttribute("aria-pressed") === pressed, String(round % 2 === 0));
  clicks.push(performance.now() - begun);
}
const note = await page.locator("#sample").textContent();
flooding = false;
const reached = Math.round(await flood);
console.log(`${reached.toLocaleString("en")} traces/s for ten seconds: ${moved} frames/s, pause after ${milliseconds(median(clicks))}, ` +
  `"${note}"; ${load()}`);

await browser.stop();
await server.stop();
