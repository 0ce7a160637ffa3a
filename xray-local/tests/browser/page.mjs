// A browser at the console, which takes down what it complains about.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const PAGES = ["/", "/map", "/traces", "/rules", "/groups", "/access", "/problems", "/status"];

// Waits until the script of a page has done its first work.
export const ready = (page, name) => page.waitForSelector(`html[data-ready=${name}]`, { state: "attached" });

// Ends a file's browser and its server. Neither may have had anything to complain about.
export async function finish(server, browser) {
  const complaints = await browser?.stop();
  assert.equal(await server?.stop(), 0);
  // Errors of scripts, reports of the content policy, requests to other hosts.
  assert.deepEqual(complaints, []);
}

export class Console {
  // Starts a browser without a profile and without anything that asks other hosts.
  static async open(server, options = {}) {
    const self = new Console();
    self.server = server;
    // Errors of scripts, reports of the content policy, requests to other hosts.
    self.complaints = [];
    self.profile = mkdtempSync(join(tmpdir(), "xray-local-browser-"));
    const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"];
    self.context = await chromium.launchPersistentContext(self.profile, {
      executablePath: CHROMIUM, headless: true, args: flags, viewport: { width: 1280, height: 800 }, timezoneId: "Europe/Berlin",
      locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce", ...options,
    });
    // Other work on the machine may take most of it.
    self.context.setDefaultTimeout(60_000);
    return self;
  }

  // A page that may do what it wants.
  page() {
    return this.context.newPage();
  }

  // A page of the console, of which complaints are taken down.
  async open(path, options = {}) {
    const page = await this.page();
    if (options.viewport) await page.setViewportSize(options.viewport);
    page.on("pageerror", (error) => this.complaints.push(`${path}: ${error.message}`));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/i.test(message.text())) this.complaints.push(`${path}: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${this.server.url}/`) && !url.startsWith("data:")) this.complaints.push(`${path} asks ${url}`);
    });
    page.on("dialog", (dialog) => {
      this.complaints.push(`${path}: a dialog says ${dialog.message()}`);
      dialog.dismiss();
    });
    const answer = await page.goto(this.server.url + path);
    assert.equal(answer.status(), options.status ?? 200, path);
    return page;
  }

  // Ends the browser, and returns the complaints.
  async stop() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
    return this.complaints;
  }
}
