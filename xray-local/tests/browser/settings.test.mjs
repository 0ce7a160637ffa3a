// Rules, access, import, and what all pages share: times, themes, narrow windows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Console, PAGES, finish, ready } from "./page.mjs";
import { segment, start, traceId } from "./server.mjs";

let server;
let browser;

before(async () => {
  server = await start();
  browser = await Console.open(server);
  await server.demo();
});

after(() => finish(server, browser));

test("which rule would match a request, who was denied what, and what would be decided", async () => {
  const page = await browser.open("/rules");
  await page.getByLabel("Path").fill("/cart");
  await page.getByRole("button", { name: "Try" }).click();
  await page.locator("#matched").getByText("Default").waitFor();
  await server.call("/GetSamplingRules", {});
  // Decisions are written a moment after they were made.
  const decision = page.locator("#decisions tr", { hasText: "xray:GetSamplingRules" });
  for (let tries = 0; tries === 0 || (await decision.count()) === 0; tries += 1) {
    assert.ok(tries < 300);
    await page.goto(`${server.url}/access`);
  }
  await page.locator("select[name=who]").selectOption("daemon");
  for (const [action, decision] of [["xray:PutTraceSegments", /allowed by AWSXRayDaemonWriteAccess, statement 1/],
    ["xray:GetGroup", /denied: no identity-based policy allows the action/], ["nonsense", /is not an action/]]) {
    await page.locator("input[name=action]").fill(action);
    await page.getByRole("button", { name: "Try" }).click();
    await page.locator("#decided").getByText(decision).waitFor();
  }
  await page.close();
});

test("a file that is dropped on a page is imported", async () => {
  const trace = traceId();
  const answer = { Traces: [{ Id: trace, Segments: [{ Id: "a", Document: JSON.stringify(segment({ trace_id: trace, name: "dropped" })) }] }] };
  const page = await browser.open("/status");
  const transfer = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], "traces.json"));
    return transfer;
  }, JSON.stringify(answer));
  await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
  await page.waitForURL(`${server.url}/trace/${trace}`);
  await page.getByRole("heading", { name: "dropped" }).first().waitFor();
  await page.close();
});

test("times are in the browser's zone, and the theme is the person's choice", async () => {
  const page = await browser.open("/traces");
  assert.equal(await page.locator("#zone").textContent(), "Times in Europe/Berlin");
  const time = page.locator("#list time").first();
  assert.match(await time.getAttribute("title"), /CET|CEST|GMT\+[12]/);
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await page.click("#theme");
  await page.click("#theme");
  assert.notEqual(await back(), light);
  await page.reload();
  assert.notEqual(await back(), light);
  await page.click("#theme");
  assert.equal(await back(), light);
  await page.close();
});

test("no page is wider than a phone, or than half a screen, which is 200 % zoom", async () => {
  const { TraceSummaries: [first] } = await server.call("/TraceSummaries", {
    StartTime: Date.now() / 1000 - 3600, EndTime: Date.now() / 1000 + 60, FilterExpression: 'service("payments") AND fault' });
  const page = await browser.open("/");
  for (const path of [...PAGES, "/map?node=web&kind=AWS::ECS::Container", `/trace/${first.Id}`, "/traces?since=at&from=1&to=200"]) {
    await page.goto(server.url + path);
    for (const viewport of [{ width: 380, height: 760 }, { width: 640, height: 400 }]) {
      await page.setViewportSize(viewport);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${path}: ${width} of ${viewport.width}`);
    }
  }
  await page.close();
});

test("nothing moves by itself for those who asked for that", async () => {
  const page = await browser.open("/");
  await ready(page, "live");
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
    const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
    return animationName !== "none" || Number.parseFloat(transitionDuration) > 0 || scrollBehavior === "smooth";
  }).length);
  assert.equal(moving, 0);
  await page.close();
});
