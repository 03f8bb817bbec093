/** The Chromium of this machine, and pages in it that report whatever they should not do. */

import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const programs = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The program named by CHROMIUM, or one where distributions put it. */
export const program = process.env["CHROMIUM"] ?? programs.find((path) => existsSync(path));

/** Without a browser the tests are skipped where somebody sees it, and fail where nobody does. */
export const isSkipped = program === undefined && process.env["CI"] === undefined;

export async function launch(): Promise<Browser> {
  if (program === undefined)
    throw new Error(`no Chromium here (${programs.join(", ")}, or CHROMIUM=…): apt-get install chromium-headless-shell`);
  // Its sandbox does not start as root; the pages are our own.
  return chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
}

export interface Opened {
  readonly page: Page;
  /** Errors, warnings, dialogs and requests so far. */
  readonly events: readonly string[];
}

/** Shows the page from memory, without a network, on a tab of its own. */
export async function open(browser: Browser, html: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const events: string[] = [];
  const address = "http://192.0.2.1/review.html";
  await context.route("**", (route) => {
    if (route.request().url() === address) return route.fulfill({ contentType: "text/html; charset=utf-8", body: html });
    events.push(`request: ${route.request().url()}`);
    return route.abort();
  });
  page.on("console", (message) => events.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => events.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    events.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(address);
  return { page, events };
}
