// Times of the console in a browser, for the guide: first paint, large traces, frames while scrolling, from send to screen.

import { browse, large, segment, start } from "./server.mjs";

const server = await start("--limits", "off");
const browser = await browse();
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const milliseconds = (number) => `${Math.round(number)} ms`;

async function opened(path, name) {
  const page = await browser.context.newPage();
  await page.goto(server.url + path);
  await page.waitForSelector(`html[data-ready=${name}]`, { state: "attached" });
  const ready = await page.evaluate(() => performance.now());
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  return { page, ready, paint };
}

const paints = [];
for (let round = 0; round < 7; round += 1) {
  const { page, paint } = await opened("/", "live");
  paints.push(paint);
  await page.close();
}
console.log(`first paint of /: ${milliseconds(median(paints))}`);

for (const rows of [10_000, 100_000]) {
  const { id, documents } = large(rows);
  await server.put(documents);
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    const { page, ready } = await opened(`/trace/${id}`, "trace");
    times.push(ready);
    if (round === 4) {
      const frames = await page.evaluate(() => new Promise((resolve) => {
        const grid = document.querySelector("#rows");
        const begun = performance.now();
        let count = 0;
        const step = () => {
          count += 1;
          grid.scrollTop += 500;
          if (performance.now() - begun < 3000) requestAnimationFrame(step);
          else resolve(count / 3);
        };
        requestAnimationFrame(step);
      }));
      const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
      console.log(`a trace of ${rows} rows: first ${milliseconds(times[0])}, median of 5 ${milliseconds(median(times))}, ` +
        `${Math.round(frames)} frames/s while scrolling, ${nodes} DOM nodes`);
    }
    await page.close();
  }
}

const { page } = await opened("/", "live");
const delays = [];
for (let round = 0; round < 20; round += 1) {
  const document = segment({ name: "delay" });
  const seen = page.waitForSelector(`tr[data-trace="${document.trace_id}"]`);
  const sent = performance.now();
  await server.send(document);
  await seen;
  delays.push(performance.now() - sent);
}
delays.sort((a, b) => a - b);
console.log(`from the datagram to the screen: median ${milliseconds(median(delays))}, 95 % ${milliseconds(delays[18])}`);

await browser.stop();
await server.stop();
