// The list of traces and the map: filters, histograms, ranges of time, groups, edges.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Console, finish, ready } from "./page.mjs";
import { segment, start, traceId } from "./server.mjs";

let server;
let browser;

before(async () => {
  server = await start();
  browser = await Console.open(server);
  await server.demo();
});

after(() => finish(server, browser));

test("a filter with an error is corrected, with suggestions and with values that occur", async () => {
  const page = await browser.open("/traces");
  await page.fill("#filter", "respnsetime > 0.1");
  await page.keyboard.press("Enter");
  const error = page.locator("#filter-error");
  await error.waitFor();
  assert.match(await error.locator("pre").textContent(), /^respnsetime > 0\.1\n\^{11}$/);
  assert.match(await error.textContent(), /did you mean responsetime/);
  await page.fill("#filter", "");
  await page.locator("#filter").pressSequentially("ser");
  await page.locator("#suggestions li", { hasText: "service(" }).waitFor();
  // Who types on before new suggestions come loses no character.
  let letCome;
  const comes = new Promise((resolve) => { letCome = resolve; });
  await page.route("**/console/complete*", async (route) => {
    await comes;
    await route.continue();
  });
  await page.keyboard.type("v");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#filter"), "service(");
  letCome();
  await page.locator("#suggestions li", { hasText: '"orders"' }).click();
  assert.equal(await page.inputValue("#filter"), 'service("orders"');
  await page.keyboard.press("Escape");
  await page.locator("#filter").pressSequentially(") AND fault");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.locator("#list tbody tr").first().waitFor();
  assert.ok((await page.locator("#list tbody .badge.fault").count()) > 0);
  await page.close();
});

test("a brush over the histogram says what differs from the rest", async () => {
  const page = await browser.open("/traces?filter=service(%22web%22)");
  const box = await page.locator("svg.histogram").boundingBox();
  await page.mouse.move(box.x + box.width * 0.02, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 50, { steps: 5 });
  await page.mouse.up();
  await page.locator("#compare").waitFor();
  assert.match(await page.locator("#compare p").first().textContent(), /\d+ traces are selected, \d+ are not/);
  await page.getByRole("link", { name: "Add to the filter" }).click();
  await page.waitForURL(/responsetime/);
  assert.match(await page.inputValue("#filter"), /responsetime >= .* AND responsetime < /);
  await page.close();
});

test("an empty result names the condition that removed everything", async () => {
  const page = await browser.open("/traces?filter=service(%22web%22)+AND+http.status+%3D+299");
  const row = page.locator(".empty tr", { hasText: "http.status = 299" });
  await row.waitFor();
  await row.getByRole("link", { name: "Leave it out" }).click();
  await page.locator("#list tbody tr").first().waitFor();
  assert.equal(await page.inputValue("#filter"), 'service("web")');
  await page.close();
});

test("a long URL leaves room for the other traces, on every page", async () => {
  const url = `https://bucket.example/${"token".repeat(1_000)}`;
  const [document] = [segment({ name: "signed", http: { request: { method: "GET", url } } })];
  await server.put([document]);
  const page = await browser.open('/traces?filter=service(%22signed%22)');
  const row = page.locator("#list tbody tr").first();
  assert((await row.boundingBox()).height < 120);
  assert.equal(await row.locator(`[title="${url}"]`).count(), 1);
  await page.goto(server.url);
  assert((await page.locator(`tr[data-trace="${document.trace_id}"]`).boundingBox()).height < 120);
  await page.goto(`${server.url}/trace/${document.trace_id}`);
  await ready(page, "trace");
  assert((await page.locator("#rows").boundingBox()).y < 500);
  await page.close();
});

test("an address that is no page is answered with one that has the way back", async () => {
  const page = await browser.open("/trces", { status: 404 });
  await page.getByText("There is no page /trces.").waitFor();
  await page.getByRole("link", { name: "Traces" }).click();
  await page.waitForURL(/\/traces$/);
  await page.close();
});

test("an edge of the map leads to its traces", async () => {
  const page = await browser.open("/map");
  await page.locator('a.edge[aria-label^="orders to payments"]').focus();
  await page.keyboard.press("Enter");
  await page.locator("#panel").getByText("orders → payments").waitFor();
  const box = await page.locator("#panel svg.histogram").boundingBox();
  await page.mouse.move(box.x + 2, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 50, { steps: 5 });
  await page.mouse.up();
  assert.notEqual(await page.inputValue("#panel input[name=from]"), "");
  await page.locator("#panel input[name=fault]").check();
  await page.getByRole("button", { name: "Show traces" }).click();
  await page.waitForURL(/\/traces\?filter=edge/);
  await page.locator("#list tbody .badge.fault").first().waitFor();
  await page.close();
});

test("a map of many nodes is as wide as a narrow screen, and drawn in its own size on demand", async () => {
  const own = await start();
  let visitor;
  try {
    visitor = await Console.open(own);
    const root = segment({ name: "root" });
    await own.put([root, ...Array.from({ length: 39 }, (_, at) =>
      segment({ name: `called${at}`, trace_id: root.trace_id, parent_id: root.id }))]);
    const page = await visitor.open("/map", { viewport: { width: 360, height: 640 } });
    // How many nodes are within the width of the map's frame, how many within the frame, and how many there are.
    const seen = () => page.evaluate(() => {
      const frame = document.querySelector(".map").getBoundingClientRect();
      const plates = [...document.querySelectorAll(".map .plate")].map((plate) => plate.getBoundingClientRect());
      const across = plates.filter(({ left, right }) => left >= frame.left && right <= frame.right);
      const inside = across.filter(({ top, bottom }) => top >= frame.top && bottom <= frame.bottom);
      return { across: across.length, inside: inside.length, all: plates.length };
    });
    const fitted = await seen();
    assert.ok(fitted.all === 41 && fitted.across === 41 && fitted.inside >= 2, JSON.stringify(fitted));
    await page.getByRole("link", { name: "Actual size" }).click();
    await page.waitForURL(/size=actual/);
    assert.equal((await seen()).inside, 0, "the corner of this map is empty");
    assert.ok(await page.locator(".map .plate").first().evaluate((plate) => plate.getBoundingClientRect().width > 50));
    // The size is kept with a choice.
    await page.locator('a.node[aria-label^="root (service)"]').focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/size=actual&node=root/);
    await page.getByRole("link", { name: "Fit to the width" }).click();
    await page.waitForURL((url) => !url.search.includes("size=") && url.search.includes("node=root"));
    assert.equal((await seen()).across, 41);
    await page.close();
  } finally {
    await finish(own, visitor);
  }
});

test("a range between two times holds for the list, the map, and the way between them", async () => {
  // The middle of a day in July, when Berlin is two hours before UTC.
  const earlier = Date.UTC(2026, 6, 1, 12) / 1000;
  await server.put([["before", earlier - 600], ["earlier", earlier], ["afterwards", earlier + 600]].map(([name, at]) =>
    segment({ name, trace_id: traceId(at), start_time: at, end_time: at + 0.2 })));
  const page = await browser.open("/traces");
  assert.equal(await page.locator(".between input[name=start]").isVisible(), false);
  await page.getByLabel("Range of time").selectOption("Between…");
  await page.locator(".between input[name=start]").fill("2026-07-01T13:59:00");
  await page.locator(".between input[name=end]").fill("2026-07-01T14:01:00");
  await page.getByRole("button", { name: "Search" }).click();
  await page.waitForURL(/start=2026-07-01T11%3A59%3A00.000Z/);
  assert.equal(await page.locator("#list tbody tr").count(), 1);
  assert.match(await page.locator("#list tbody tr").textContent(), /earlier/);
  assert.equal(await page.locator(".between input[name=start]").inputValue(), "2026-07-01T13:59");
  assert.match(await page.locator("details code").first().textContent(), new RegExp(`--start-time ${earlier - 60} --end-time ${earlier + 60}`));
  await page.goto(page.url().replace("/traces", "/map"));
  assert.equal(await page.locator("a.node").count(), 2);
  await page.locator('a.node[aria-label^="earlier (service)"]').click();
  await page.getByRole("button", { name: "Show traces" }).click();
  await page.waitForURL(/\/traces\?filter=service.*start=2026-07-01T11/);
  assert.equal(await page.locator("#list tbody tr").count(), 1);
  await page.close();
});

test("a group is chosen from the list of groups", async () => {
  await server.call("/CreateGroup", { GroupName: "wanted", FilterExpression: 'service("grouped")' });
  await server.put([segment({ name: "grouped" }), segment({ name: "other" })]);
  const page = await browser.open("/traces");
  await page.getByLabel("Group").selectOption("wanted");
  await page.getByRole("button", { name: "Search" }).click();
  await page.waitForURL(/group=wanted/);
  assert.equal(await page.locator("#list tbody tr").count(), 1);
  assert.match(await page.locator("details code").first().textContent(), /group\.name = "wanted"/);
  await page.close();
});

test("keys alone lead from the map to the slow traces, and into one of them", async () => {
  const page = await browser.open("/map");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? "");
  for (let steps = 0; !(await focused()).startsWith("web ("); steps += 1) {
    assert.ok(steps < 100);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(/node=web/);
  // The address leads into the panel.
  for (let steps = 0; !(await page.evaluate(() => document.activeElement.name === "from")); steps += 1) {
    assert.ok(steps < 100);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.type("50");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/traces\?filter=service.*responsetime/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/trace\/1-/);
  await page.keyboard.press("/");
  await page.keyboard.type("orders");
  await page.locator("#found").getByText(/1 of \d/).waitFor();
  await page.close();
});
