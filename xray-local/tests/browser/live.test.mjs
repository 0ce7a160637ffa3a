// The live list: the first trace, demo traffic, a filter, a pause, more than a page can show, and a server that goes away.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Console, finish, ready } from "./page.mjs";
import { run, segment, spanId, start, traceId } from "./server.mjs";

let server;
let browser;

before(async () => {
  server = await start();
  browser = await Console.open(server);
});

after(() => finish(server, browser));

test("an empty console says what to do, and shows the first trace that is sent", async () => {
  const page = await browser.open("/");
  await ready(page, "live");
  await page.getByText("Nothing has been sent yet").waitFor();
  assert.match(await page.locator("#empty code").first().textContent(), /AWS_XRAY_DAEMON_ADDRESS=/);
  const trace = traceId();
  if (process.env.XRAY_LOCAL_LAYER) {
    await run(process.env.XRAY_LOCAL_LAYER, [`Root=${trace};Sampled=1`], { AWS_XRAY_DAEMON_ADDRESS: server.daemon });
  } else {
    await server.send(segment({ trace_id: trace, name: "rust" }));
  }
  const row = page.locator(`#tail tr[data-trace="${trace}"]`);
  await row.waitFor();
  assert.match(await row.textContent(), /rust/);
  await page.locator("#empty").waitFor({ state: "hidden" });
  // The first trace chooses itself.
  await page.locator("#preview").getByText("Open the trace").waitFor();
  await page.close();
});

test("demo traffic fills the list, the map and the problems", async () => {
  const page = await browser.open("/?filter=service(%22nothing%22)");
  await ready(page, "live");
  await page.evaluate(() => document.querySelector("[data-demo]").click());
  await page.getByText("1 refused on purpose").waitFor();
  await page.goto(`${server.url}/map`);
  for (const name of ["web", "orders", "payments", "games", "worker"]) {
    await page.locator(`a.node[aria-label^="${name} ("]`).first().waitFor();
  }
  // The queue and its consumer, whose traces are linked.
  await page.locator('a.edge.link[aria-label^="shipping to worker, a link"]').waitFor({ state: "attached" });
  await page.goto(`${server.url}/problems`);
  await page.locator("#problems tr", { hasText: "InvalidName" }).first().waitFor();
  await page.close();
});

test("the live list filters on arrival, and pauses", async () => {
  const page = await browser.open("/?filter=service(%22wanted%22)");
  await ready(page, "live");
  await server.send(segment({ name: "other" }), segment({ name: "wanted", user: "first" }));
  await page.locator("#tail tr", { hasText: "wanted" }).waitFor();
  assert.equal(await page.locator("#tail tr", { hasText: "other" }).count(), 0);
  await page.keyboard.press("Space");
  await server.send(segment({ name: "wanted" }));
  await page.getByRole("button", { name: "Go on (1)" }).waitFor();
  assert.equal(await page.locator("#tail tbody tr").count(), 1);
  await page.keyboard.press("Space");
  await page.locator("#tail tbody tr").nth(1).waitFor();
  // A filter that is not understood stays in the box, with the reason.
  await page.fill("#filter", "servce(");
  await page.keyboard.press("Enter");
  await page.locator("#filter-error").getByText("character 1").waitFor();
  await page.goto(`${server.url}/?filter=servce(`);
  await page.locator("#filter-error").getByText("character 1").waitFor();
  assert.equal(await page.locator("#tail tbody tr").count(), 0);
  await page.close();
});

test("more traces than a page can show are shown as a sample, and the page says so", async () => {
  const page = await browser.open("/");
  await ready(page, "live");
  const documents = Array.from({ length: 1000 }, () => segment({ name: "flood" }));
  for (let round = 0; round < 3; round += 1) await server.put(documents.map((document) => ({ ...document, id: spanId(), trace_id: traceId() })));
  await page.locator("#sample").getByText(/Showing \d+ of \d+ traces a second: a sample/).waitFor();
  assert.ok((await page.locator("#tail tbody tr").count()) <= 200);
  await page.close();
});

test("a filter finds its few traces among hundreds that arrive at once", async () => {
  const page = await browser.open("/?filter=service(%22needle%22)");
  await ready(page, "live");
  // The filter looks at up to 500 traces in a tenth of a second.
  const names = Array.from({ length: 400 }, (_, at) => (at % 40 === 20 ? "needle" : "hay"));
  await server.put(names.map((name) => segment({ name })));
  await page.locator("#tail tbody tr").nth(9).waitFor();
  assert.equal(await page.locator("#tail tbody tr").count(), 10);
  await page.close();
});

test("a page whose server goes away says so, and shows what it missed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "xray-local-data-"));
  const flags = ["--data", join(folder, "xray.db")];
  let own = await start(...flags);
  try {
    await own.put([segment({ name: "before" })]);
    const page = await browser.page();
    await page.goto(own.url);
    await ready(page, "live");
    assert.equal(await own.stop(), 0);
    await page.locator("#connection").getByText("tries again").waitFor();
    own = await start(...flags, "--api", new URL(own.url).host);
    await own.put([segment({ name: "missed" })]);
    await page.locator("#tail tr", { hasText: "missed" }).waitFor();
    await page.locator("#connection").waitFor({ state: "hidden" });
    assert.equal(await page.locator("#tail tbody tr").count(), 2);
    await own.put([segment({ name: "after" })]);
    await page.locator("#tail tr", { hasText: "after" }).waitFor();
    await page.close();
  } finally {
    await own.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
