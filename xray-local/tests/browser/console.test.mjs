// The console in a real browser, used as a person uses it. `SCREENSHOTS=FOLDER` writes the guide's pictures as well.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { HEADER, browse, large, run, segment, spanId, start, traceId } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = ["/", "/map", "/traces", "/rules", "/groups", "/access", "/problems", "/status"];

let server;
let browser;
// What the browser complained about: errors of scripts, reports of the content policy, requests to other hosts.
const complaints = [];

async function open(path, options = {}) {
  const page = await browser.context.newPage();
  if (options.viewport) await page.setViewportSize(options.viewport);
  page.on("pageerror", (error) => complaints.push(`${path}: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(`${path}: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) complaints.push(`${path} asks ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    complaints.push(`${path}: a dialog says ${dialog.message()}`);
    dialog.dismiss();
  });
  const answer = await page.goto(server.url + path);
  if (!options.status) assert.equal(answer.status(), 200, path);
  return page;
}

const ready = (page, name) => page.waitForSelector(`html[data-ready=${name}]`, { state: "attached" });

before(async () => {
  server = await start();
  browser = await browse();
});

after(async () => {
  await browser?.stop();
  assert.equal(await server?.stop(), 0);
});

test("an empty console says what to do, and shows the first trace that is sent", async () => {
  const page = await open("/");
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
  const page = await open("/?filter=service(%22nothing%22)");
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
  const page = await open("/?filter=service(%22wanted%22)");
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
  await page.close();
});

test("more traces than a page can show are shown as a sample, and the page says so", async () => {
  const page = await open("/");
  await ready(page, "live");
  const documents = Array.from({ length: 1000 }, () => segment({ name: "flood" }));
  for (let round = 0; round < 3; round += 1) await server.put(documents.map((document) => ({ ...document, id: spanId(), trace_id: traceId() })));
  await page.locator("#sample").getByText(/Showing \d+ of \d+ traces a second: a sample/).waitFor();
  assert.ok((await page.locator("#tail tbody tr").count()) <= 200);
  await page.close();
});

test("a filter with an error is corrected, with suggestions and with values that occur", async () => {
  const page = await open("/traces");
  await page.fill("#filter", "respnsetime > 0.1");
  await page.keyboard.press("Enter");
  const error = page.locator("#filter-error");
  await error.waitFor();
  assert.match(await error.locator("pre").textContent(), /^respnsetime > 0\.1\n\^{11}$/);
  assert.match(await error.textContent(), /did you mean responsetime/);
  await page.fill("#filter", "");
  await page.locator("#filter").pressSequentially("serv");
  await page.locator("#suggestions li", { hasText: "service(" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
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
  const page = await open("/traces?filter=service(%22web%22)");
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
  const page = await open("/traces?filter=service(%22web%22)+AND+http.status+%3D+299");
  const row = page.locator(".empty tr", { hasText: "http.status = 299" });
  await row.waitFor();
  await row.getByRole("link", { name: "Leave it out" }).click();
  await page.locator("#list tbody tr").first().waitFor();
  assert.equal(await page.inputValue("#filter"), 'service("web")');
  await page.close();
});

test("an edge of the map leads to its traces", async () => {
  const page = await open("/map");
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

test("a trace of 100,000 rows takes few nodes, and a span in it is found", async () => {
  // X-Ray itself takes no trace of this size.
  const own = await start("--limits", "off");
  const { id, documents } = large(100_000);
  await own.put(documents);
  const page = await browser.context.newPage();
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

test("the waterfall answers to the keyboard alone", async () => {
  const trace = traceId();
  const now = Date.now() / 1000;
  const root = segment({ trace_id: trace, name: "keys", start_time: now - 10, end_time: now, subsegments: [
    { id: spanId(), name: "first", start_time: now - 9.9, end_time: now - 9.5, subsegments: [
      { id: spanId(), name: "inner", start_time: now - 9.8, end_time: now - 9.6, annotations: { color: "teal" } }] },
    { id: spanId(), name: "last", start_time: now - 0.4, end_time: now - 0.1, fault: true,
      cause: { exceptions: [{ id: spanId(), type: "Boom", message: "it broke", stack: [{ label: "f", path: "a.rs", line: 7 }] }] } }] });
  await server.put([root]);
  const page = await open(`/trace/${trace}`);
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
  assert.ok((await page.locator(".critical .on-path").count()) >= 3);
  await page.keyboard.press("?");
  await page.locator("#help").getByText("critical path").waitFor();
  await page.keyboard.press("Escape");
  await page.close();
});

test("a trace is found by any form of its id", async () => {
  const trace = traceId();
  await server.put([segment({ trace_id: trace, name: "found" })]);
  const [, seconds, rest] = trace.split("-");
  const page = await open("/status");
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
  const page = await open(`/trace/${two}`);
  await ready(page, "trace");
  await page.locator("#details").getByText("The parent 0123456789abcdef is not stored").waitFor();
  await page.locator(`#details a[href="/trace/${one}"]`).waitFor();
  // The link leads back as well.
  await page.goto(`${server.url}/trace/${one}`);
  await page.getByRole("link", { name: two }).waitFor();
  await page.close();
});

test("hostile strings in every field are shown as text", async () => {
  const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>'</style>{{7*7}}\u202e`;
  const trace = traceId();
  const now = Date.now() / 1000;
  await server.put([segment({
    trace_id: trace, name: "img src=x onerror alert", user: hostile, origin: hostile,
    http: { request: { method: hostile, url: `http://shop.example/${hostile}`, user_agent: hostile, client_ip: hostile }, response: { status: 500 } },
    fault: true, aws: { [hostile]: hostile, operation: hostile }, service: { version: hostile },
    annotations: { key: hostile }, metadata: { [hostile]: { [hostile]: hostile } }, sql: { sanitized_query: hostile },
    cause: { exceptions: [{ id: spanId(), type: hostile, message: hostile, stack: [{ label: hostile, path: hostile, line: 1 }] }] },
    subsegments: [{ id: spanId(), name: "call", namespace: hostile, start_time: now - 0.4, end_time: now - 0.1 }],
  })]);
  await server.send(HEADER + hostile, hostile, HEADER + JSON.stringify(segment({ name: hostile })));
  for (const path of [`/trace/${trace}`, "/", "/traces", `/traces?filter=${encodeURIComponent(hostile)}`, "/map", "/problems",
    `/rules?service=${encodeURIComponent(hostile)}`, `/map?node=${encodeURIComponent(hostile)}`, "/access", "/groups", "/status",
    `/map?filter=${encodeURIComponent(hostile)}`]) {
    const page = await open(path);
    if (path.startsWith("/trace/")) {
      await ready(page, "trace");
      await page.locator("#details").getByText("<script>alert(2)</script>").first().waitFor();
    }
    if (path === "/") await page.locator("#tail").getByText("<img src=x", { exact: false }).first().waitFor();
    assert.equal(await page.locator("img").count(), 0, path);
    assert.equal(await page.locator("script:not([src])").count(), 0, path);
    assert.equal(await page.locator("[style*=expression], [onerror]").count(), 0, path);
    await page.close();
  }
});

test("which rule would match a request, and who was denied what", async () => {
  const page = await open("/rules");
  await page.getByLabel("Path").fill("/cart");
  await page.getByRole("button", { name: "Try" }).click();
  await page.locator("#matched").getByText("Default").waitFor();
  await server.call("/GetSamplingRules", {});
  await page.goto(`${server.url}/access`);
  await page.locator("#decisions tr", { hasText: "xray:GetSamplingRules" }).first().waitFor();
  await page.close();
});

test("a file that is dropped on a page is imported", async () => {
  const trace = traceId();
  const answer = { Traces: [{ Id: trace, Segments: [{ Id: "a", Document: JSON.stringify(segment({ trace_id: trace, name: "dropped" })) }] }] };
  const page = await open("/status");
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
  const page = await open("/traces");
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

test("no page is wider than a phone", async () => {
  for (const path of [...PAGES, "/map?node=web&kind=AWS::ECS::Container"]) {
    const page = await open(path, { viewport: { width: 380, height: 760 } });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 380, `${path}: ${width}`);
    await page.close();
  }
});

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 150)} (${failureSummary})`).join(" | ")}`);
}

test("no page violates accessibility rules of serious kind, in either theme", async () => {
  const { TraceSummaries: [first] } = await server.call("/TraceSummaries", {
    StartTime: Date.now() / 1000 - 3600, EndTime: Date.now() / 1000 + 60, FilterExpression: 'service("payments") AND fault' });
  for (const theme of ["light", "dark"]) {
    for (const path of [...PAGES, `/trace/${first.Id}`, "/traces?filter=fault&from=1&to=200", "/traces?filter=bad", "/map?node=web&kind=AWS::ECS::Container"]) {
      const page = await open(path);
      await page.emulateMedia({ colorScheme: theme });
      if (path.startsWith("/trace/")) await ready(page, "trace");
      assert.deepEqual(await violations(page), [], `${path} in ${theme}`);
      await page.close();
    }
  }
});

test("foreign hosts and origins are kept out", async () => {
  const page = await open("/status");
  const foreign = await page.request.get(`${server.url}/status`, { headers: { host: "evil.example" } });
  assert.equal(foreign.status(), 403);
  const origin = await page.request.post(`${server.url}/console/demo`, { headers: { origin: "http://evil.example" }, data: {} });
  assert.equal(origin.status(), 403);
  const form = await page.request.post(`${server.url}/console/demo`, { form: { a: "b" } });
  assert.equal(form.status(), 415);
  const { headers } = await page.evaluate(async () => {
    const answer = await fetch("/status");
    return { headers: Object.fromEntries(answer.headers) };
  });
  assert.match(headers["content-security-policy"], /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(headers["content-security-policy"], /unsafe/);
  await page.close();
});

test("beyond loopback a token is asked for, once", async () => {
  const open = await start("--api", "0.0.0.0:0");
  try {
    const url = open.url.replace("0.0.0.0", "127.0.0.1");
    assert.equal((await fetch(`${url}/status`)).status, 401);
    assert.equal((await fetch(`${url}/status?token=wrong`)).status, 401);
    const page = await browser.context.newPage();
    const answer = await page.goto(`${url}/status?token=${open.token}`);
    assert.equal(answer.status(), 200);
    assert.equal(new URL(page.url()).search, "");
    await page.goto(`${url}/map`);
    await page.getByRole("heading", { name: "Map" }).waitFor();
    await page.close();
  } finally {
    assert.equal(await open.stop(), 0);
  }
});

test("pictures for the guide", { skip: !process.env.SCREENSHOTS }, async () => {
  const own = await start();
  try {
    await own.call("/CreateGroup", { GroupName: "slow", FilterExpression: "responsetime > 0.3" });
    await fetch(`${own.url}/console/demo`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    const { TraceSummaries: summaries } = await own.call("/TraceSummaries", {
      StartTime: Date.now() / 1000 - 3600, EndTime: Date.now() / 1000 + 60, FilterExpression: 'service("payments") { fault }' });
    const pages = { live: "/", map: "/map?node=payments&kind=AWS::ECS::Container", traces: "/traces?filter=service(%22web%22)&from=100&to=200",
      trace: `/trace/${summaries[0].Id}`, rules: "/rules?path=%2Fcart", groups: "/groups", access: "/access", problems: "/problems", status: "/status" };
    for (const theme of ["light", "dark"]) {
      for (const [name, path] of Object.entries(pages)) {
        const page = await browser.context.newPage();
        await page.setViewportSize({ width: 1100, height: 640 });
        await page.emulateMedia({ colorScheme: theme });
        await page.goto(own.url + path);
        if (name === "trace" || name === "live") await ready(page, name);
        if (name === "trace") {
          await page.keyboard.press("e");
          const chosen = await page.locator("#rows .row.active .label").textContent();
          await page.locator("#details h2", { hasText: chosen }).waitFor();
        }
        if (name === "live") await page.locator("#preview a").waitFor();
        await page.evaluate(() => {
          scrollTo(0, 0);
          document.querySelector("#toast").classList.remove("shown");
          document.querySelector("#toast").textContent = "";
        });
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${theme}.png` });
        await page.close();
      }
    }
  } finally {
    await own.stop();
  }
});

test("the browser had nothing to complain about", () => {
  assert.deepEqual(complaints, []);
});
