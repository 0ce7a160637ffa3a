// One trace: a large one, the keyboard, forms of its id, what is missing, what arrives later.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Console, finish, ready } from "./page.mjs";
import { large, segment, spanId, start, traceId } from "./server.mjs";

let server;
let browser;

before(async () => {
  server = await start();
  browser = await Console.open(server);
});

after(() => finish(server, browser));

test("a trace of 100,000 rows takes few nodes, and a span in it is found", async () => {
  // X-Ray itself takes no trace of this size.
  const own = await start("--limits", "off");
  const { id, documents } = large(100_000);
  // As few requests as may be: each of them compiles the trace as it is then.
  await own.put(documents, 400);
  const page = await browser.page();
  await page.goto(`${own.url}/trace/${id}`);
  await ready(page, "trace");
  assert.equal(await page.locator("#count").textContent(), "100,000");
  const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok((await nodes()) < 2_000, String(await nodes()));
  await page.evaluate(() => { document.querySelector("#rows").scrollTop = 1_100_000; });
  await page.waitForFunction(() => document.querySelectorAll("#rows .row").length > 10 &&
    [...document.querySelectorAll("#rows .row")].some((row) => Number(row.getAttribute("aria-rowindex")) > 49_000));
  assert.ok((await nodes()) < 2_000, String(await nodes()));
  await page.fill("#search", "step 77777");
  await page.locator("#found").getByText("1 of 1").waitFor();
  await page.locator("#rows .row.active", { hasText: "step 77777" }).waitFor();
  await page.locator("#details h2", { hasText: "step 77777" }).waitFor();
  await page.keyboard.press("Escape");
  const active = () => page.locator("#rows .row.active").getAttribute("aria-rowindex");
  const found = await active();
  await page.keyboard.press("e");
  await page.locator("#rows .row.active .letter.fault").waitFor();
  assert.notEqual(await active(), found);
  await page.locator("[data-do=fold]").click();
  assert.ok(Number(await page.locator("#rows").getAttribute("aria-rowcount")) < 2_000);
  await page.close();
  await own.stop();
});

test("the axis of a trace without a length has no label twice", async () => {
  const at = Date.now() / 1000;
  for (const length of [0, 0.000002]) {
    const root = segment({ name: "instant", start_time: at, end_time: at + length });
    await server.put([root]);
    const page = await browser.open(`/trace/${root.trace_id}`);
    await ready(page, "trace");
    await page.locator("#rows .row .label").first().waitFor();
    const labels = await page.locator("#axis span").allTextContents();
    assert.ok(labels.length >= 1 && new Set(labels).size === labels.length, labels.join(", "));
    await page.close();
  }
});

test("the waterfall answers to the keyboard alone", async () => {
  const trace = traceId();
  const now = Date.now() / 1000;
  const root = segment({ trace_id: trace, name: "keys", start_time: now - 10, end_time: now, subsegments: [
    { id: spanId(), name: "first", start_time: now - 9.9, end_time: now - 9.5, subsegments: [
      { id: spanId(), name: "inner", start_time: now - 9.8, end_time: now - 9.6, annotations: { color: "teal" } }] },
    { id: spanId(), name: "last", start_time: now - 0.4, end_time: now - 0.1, fault: true,
      cause: { exceptions: [{ id: spanId(), type: "Boom", message: "it broke", stack: [{ label: "f", path: "a.rs", line: 7 }] }] } }] });
  await server.put([root]);
  const page = await browser.open(`/trace/${trace}`);
  await ready(page, "trace");
  const active = page.locator("#rows .row.active .label");
  await page.locator("#rows").focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await active.textContent(), "first");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await active.textContent(), "first (+1)");
  assert.equal(await page.locator("#rows").getAttribute("aria-rowcount"), "3");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("e");
  assert.equal(await active.textContent(), "last");
  await page.locator("#details .exception").getByText("it broke").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("teal");
  await page.locator("#found").getByText("1 of 1").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await active.textContent(), "inner");
  await page.keyboard.press("z");
  assert.equal(await page.locator("#view").isVisible(), true);
  await page.keyboard.press("0");
  assert.equal(await page.locator("#view").isVisible(), false);
  await page.keyboard.press("g");
  assert.equal(await page.locator("[data-do=g]").getAttribute("aria-pressed"), "true");
  await page.keyboard.press("c");
  await page.locator(".critical .on-path").nth(2).waitFor({ state: "attached" });
  await page.keyboard.press("?");
  await page.locator("#help").getByText("critical path").waitFor();
  await page.keyboard.press("Escape");
  await page.close();
});

test("a trace is found by any form of its id", async () => {
  // The traces of other tests, whose ids begin alike, are not a minute old.
  const trace = traceId(Date.now() / 1000 - 60);
  await server.put([segment({ trace_id: trace, name: "found" })]);
  const [, seconds, rest] = trace.split("-");
  const page = await browser.open("/status");
  for (const form of [trace, seconds + rest, `00-${seconds}${rest}-0123456789abcdef-01`, `Root=${trace};Parent=0123456789abcdef;Sampled=1`,
    trace.slice(0, 34), `https://console.example/xray#xray:traces/${trace}?x=1`]) {
    await page.fill(".find input", form);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/trace/${trace}`);
    await ready(page, "trace");
    await page.goto(`${server.url}/status`);
  }
  const raw = await page.request.get(`${server.url}/trace/${trace}/raw?download=1`);
  assert.match(raw.headers()["content-disposition"], /attachment/);
  assert.equal((await raw.json()).Traces[0].Id, trace);
  const missing = await page.request.get(`${server.url}/trace/nonsense`);
  assert.equal(missing.status(), 404);
  await page.close();
});

test("orphans, open segments and links say why", async () => {
  const [one, two] = [traceId(), traceId()];
  await server.put([
    segment({ trace_id: one, name: "sender" }),
    segment({ trace_id: two, name: "orphan", parent_id: "0123456789abcdef",
      links: [{ id: spanId(), trace_id: one, attributes: { ReferenceType: "parent" } }] }),
  ]);
  const page = await browser.open(`/trace/${two}`);
  await ready(page, "trace");
  await page.locator("#details").getByText("The parent 0123456789abcdef is not stored").waitFor();
  await page.locator(`#details a[href="/trace/${one}"]`).waitFor();
  // The link leads back as well.
  await page.goto(`${server.url}/trace/${one}`);
  await page.getByRole("link", { name: two }).waitFor();
  await page.close();
});

test("a trace in progress is followed until it is complete", async () => {
  const trace = traceId();
  const now = Date.now() / 1000;
  const root = { trace_id: trace, id: spanId(), name: "slowly", start_time: now - 1 };
  await server.put([{ ...root, in_progress: true }]);
  const page = await browser.open(`/trace/${trace}`);
  await ready(page, "trace");
  await page.locator("#details").getByText("The end has not been sent yet").waitFor();
  assert.equal(await page.locator("#count").textContent(), "1");
  await server.put([{ ...root, end_time: now, subsegments: [{ id: spanId(), name: "work", start_time: now - 0.9, end_time: now - 0.1 }] }]);
  await page.locator("#rows .row", { hasText: "work" }).waitFor();
  await page.locator("#toast").getByText("The trace is complete").waitFor();
  assert.equal(await page.locator("#count").textContent(), "2");
  assert.equal(await page.locator("#head .note").count(), 0);
  await page.locator("#details").getByText("The end has not been sent yet").waitFor({ state: "detached" });
  await page.close();
});

test("rows of a service or of a name are hidden, and the address remembers that", async () => {
  const trace = traceId();
  const now = Date.now() / 1000;
  const call = spanId();
  const sub = (name, members = {}) => ({ id: spanId(), name, start_time: now - 0.5, end_time: now - 0.4, ...members });
  await server.put([
    segment({ trace_id: trace, name: "front", subsegments: [sub("api", { id: call, namespace: "remote" }), sub("noise"), sub("noise")] }),
    segment({ trace_id: trace, name: "api", parent_id: call, subsegments: [sub("query")] }),
  ]);
  const page = await browser.open(`/trace/${trace}`);
  await ready(page, "trace");
  const rows = async () => Number(await page.locator("#rows").getAttribute("aria-rowcount"));
  assert.equal(await rows(), 6);
  await page.locator("#rows .row", { hasText: "noise" }).first().click();
  await page.keyboard.press("h");
  assert.equal(await rows(), 4);
  await page.locator("#hidden").getByText("2 rows are hidden").waitFor();
  await page.getByText("Hide", { exact: true }).click();
  await page.locator("#services").getByLabel("api").uncheck();
  assert.equal(await rows(), 2);
  await page.waitForURL(/hide=noise&hide-service=api/);
  await page.reload();
  await ready(page, "trace");
  assert.equal(await rows(), 2);
  // What is searched is shown again.
  await page.fill("#search", "query");
  await page.locator("#rows .row.active", { hasText: "query" }).waitFor();
  assert.equal(await rows(), 4);
  await page.keyboard.press("Escape");
  await page.keyboard.press("H");
  assert.equal(await rows(), 6);
  await page.close();
});

test("a cause leads to the span in which the exception was first seen", async () => {
  const trace = traceId();
  const now = Date.now() / 1000;
  const exception = spanId();
  await server.put([segment({ trace_id: trace, name: "outer", fault: true, cause: exception, subsegments: [
    { id: spanId(), name: "inner", start_time: now - 0.4, end_time: now - 0.1, fault: true,
      cause: { exceptions: [{ id: exception, type: "Boom", message: "it broke", stack: [{ label: "f", path: "a.rs", line: 7 }] }] } }] })]);
  const page = await browser.open(`/trace/${trace}`);
  await ready(page, "trace");
  await page.locator("#details").getByText("The cause is Boom").waitFor();
  await page.locator("#details a", { hasText: "inner" }).click();
  await page.locator("#details .exception").getByText("it broke").waitFor();
  await page.locator("#details .stack").getByText("a.rs:7").waitFor();
  await page.close();
});
