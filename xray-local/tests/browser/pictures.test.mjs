// The pictures of the guide, written into the folder SCREENSHOTS.

import { test } from "node:test";

import { Console, ready } from "./page.mjs";
import { start } from "./server.mjs";

const FOLDER = process.env.SCREENSHOTS;

test("pictures for the guide", { skip: !FOLDER }, async () => {
  const server = await start();
  const browser = await Console.open(server);
  try {
    await server.call("/CreateGroup", { GroupName: "slow", FilterExpression: "responsetime > 0.3" });
    await server.demo();
    const { TraceSummaries: [first] } = await server.call("/TraceSummaries", {
      StartTime: Date.now() / 1000 - 3600, EndTime: Date.now() / 1000 + 60, FilterExpression: 'service("payments") { fault }' });
    const pages = {
      live: "/", map: "/map?node=payments&kind=AWS::ECS::Container", traces: "/traces?filter=service(%22web%22)&from=100&to=200",
      trace: `/trace/${first.Id}`, rules: "/rules?path=%2Fcart", groups: "/groups",
      access: "/access?who=daemon&action=xray:PutTraceSegments", problems: "/problems", status: "/status",
    };
    for (const theme of ["light", "dark"]) {
      for (const [name, path] of Object.entries(pages)) {
        const page = await browser.open(path, { viewport: name === "map" ? { width: 1400, height: 720 } : { width: 1100, height: 640 } });
        await page.emulateMedia({ colorScheme: theme });
        if (name === "trace") {
          await ready(page, name);
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
        await page.screenshot({ path: `${FOLDER}/${name}-${theme}.png` });
        await page.close();
      }
    }
  } finally {
    await browser.stop();
    await server.stop();
  }
});
