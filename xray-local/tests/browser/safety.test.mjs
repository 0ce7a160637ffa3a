// Hostile strings, other hosts, the token, and rules of accessibility.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { Console, PAGES, finish, ready } from "./page.mjs";
import { HEADER, segment, spanId, start, traceId } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let server;
let browser;

before(async () => {
  server = await start();
  browser = await Console.open(server);
  await server.demo();
});

after(() => finish(server, browser));

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
  const encoded = encodeURIComponent(hostile);
  for (const path of [`/trace/${trace}`, `/trace/${trace}?hide=${encoded}&span=${encoded}`, `/access?who=${encoded}&action=${encoded}:`, "/", "/traces", `/traces?filter=${encoded}`, "/map", "/problems",
    `/rules?service=${encoded}`, `/map?node=${encoded}`, "/access", "/groups", "/status",
    `/map?filter=${encoded}`]) {
    const page = await browser.open(path);
    if (path.startsWith("/trace/")) {
      await ready(page, "trace");
      await page.locator("#details").getByText("<script>alert(2)</script>").first().waitFor();
    }
    if (path === "/") await page.locator("#tail").getByText("<img src=x", { exact: false }).first().waitFor();
    assert.equal(await page.locator("img").count(), 0, path);
    assert.equal(await page.locator("script:not([src])").count(), 0, path);
    assert.equal(await page.locator("[style*=expression], [onerror]").count(), 0, path);
    const read = () => [document.documentElement.textContent, ...[...document.querySelectorAll("[title]")].map(({ title }) => title)].join("\n");
    assert.doesNotMatch(await page.evaluate(read), /\u202e/u, `${path}: the order of what follows is turned`);
    await page.close();
  }
});

test("foreign hosts and origins are kept out", async () => {
  const page = await browser.open("/status");
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
    const page = await browser.page();
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

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 150)} (${failureSummary})`).join(" | ")}`);
}

test("no page violates accessibility rules of serious kind, in either theme", async () => {
  const { TraceSummaries: [first] } = await server.call("/TraceSummaries", {
    StartTime: Date.now() / 1000 - 3600, EndTime: Date.now() / 1000 + 60, FilterExpression: 'service("payments") AND fault' });
  const page = await browser.open("/");
  for (const path of [...PAGES, `/trace/${first.Id}?hide=charge`, "/traces?filter=fault&since=at&from=1&to=200", "/traces?filter=bad",
    "/map?node=web&kind=AWS::ECS::Container", "/access?who=daemon&action=xray:GetGroup"]) {
    await page.goto(server.url + path);
    if (path.startsWith("/trace/")) {
      await ready(page, "trace");
      await page.getByText("Hide", { exact: true }).click();
    }
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      assert.deepEqual(await violations(page), [], `${path} in ${theme}`);
    }
  }
  await page.close();
});
