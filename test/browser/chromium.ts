/** The Chromium of this machine, and pages in it that report whatever they should not do. */

import axe from "axe-core";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
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

/** Shows a page that is a file, offline, on a tab of its own. */
export async function openFile(browser: Browser, path: string, fragment = "", options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const address = pathToFileURL(path).href;
  const events = eventsOf(page);
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith("blob:") && url !== "about:srcdoc") events.push(`request: ${url}`);
  });
  await page.goto(address + fragment);
  return { page, events };
}

/** Everything that a page says or asks of its reader, as it comes. */
export function eventsOf(page: Page): string[] {
  const events: string[] = [];
  page.on("console", (message) => events.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => events.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    events.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return events;
}

/**
 * What axe finds, with the elements it blames.
 * @param bring brings axe into the page, where its policy lets no script in
 */
export async function accessibilityFaults(
  page: Page,
  bring: (script: string) => Promise<unknown> = (script) => page.evaluate(script),
): Promise<string[]> {
  await bring(axe.source);
  return page.evaluate(async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
  });
}

/** Shows the page from memory, without a network, on a tab of its own. */
export async function open(browser: Browser, html: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const events = eventsOf(page);
  const address = "http://192.0.2.1/review.html";
  await context.route("**", (route) => {
    if (route.request().url() === address) return route.fulfill({ contentType: "text/html; charset=utf-8", body: html });
    events.push(`request: ${route.request().url()}`);
    return route.abort();
  });
  await page.goto(address);
  return { page, events };
}
