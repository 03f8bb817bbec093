import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oldLink } from "../playground/old-link.js";
import { accessibilityFaults, isSkipped, launch, openFile, type Opened } from "./chromium.js";

const root = new URL("../../", import.meta.url).pathname;

let browser: Browser;
let folder: string;

const open = (fragment = "", options: BrowserContextOptions = {}): Promise<Opened> =>
  openFile(browser, join(folder, "index.html"), fragment, options);

const dump = (...rules: readonly string[]): string => `*filter\n:INPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`;

/** Puts a text in place of what is there, as pasting does, and waits until it is translated. */
async function paste(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Rules: what" }).evaluate((area: HTMLTextAreaElement, pasted) => {
    area.focus();
    area.select();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    // A paste that no user asked for is not carried out by the browser.
    if (!area.dispatchEvent(event)) return;
    area.setRangeText(pasted, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, text);
  await settled(page);
}

async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.locator("#results").getAttribute("aria-busy")).toBe("false");
}

const status = (page: Page): Promise<string> => page.locator("#status").innerText();
const linkedLines = (page: Page): Promise<string[]> => page.locator(".script-line.linked").allInnerTexts();

describe.skipIf(isSkipped)("the playground in Chromium, from a file and offline", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ipt2nft-playground-"));
    execFileSync(process.execPath, [join(root, "build-playground.js"), "--output", join(folder, "index.html")]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is one file, whose policy lets nothing leave it", () => {
    const text = readFileSync(join(folder, "index.html"), "utf8");
    const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text) ?? [];
    expect(policy.replaceAll(/'sha256-[^']+'/g, "HASH")).toBe(
      "default-src 'none'; script-src HASH HASH; worker-src blob:; style-src HASH HASH; base-uri 'none'; form-action 'none'",
    );
    expect(text.slice(0, text.indexOf("<!--\n"))).not.toMatch(/(?:src|href)="(?!#)/);
    expect(text).toContain("fflate");
  });

  it.each([
    { scheme: "light", width: 1280 },
    { scheme: "dark", width: 390 },
  ] as const)("is quiet, fits and is accessible in all its parts: $scheme, $width pixels", async ({ scheme, width }) => {
    const { page, events } = await open("", { colorScheme: scheme, viewport: { width, height: 844 } });
    await settled(page);
    await page.getByRole("combobox", { name: "Example" }).selectOption({ label: "SSH throttle as a limit, which differs" });
    await settled(page);
    for (const tab of ["Script", /^Messages/, /^Lists in words/, "Search for differences"]) {
      await page.getByRole("tab", { name: tab, exact: true }).click();
      if (tab === "Search for differences") {
        await page.getByRole("button", { name: "Search" }).click();
        await page.locator("#searched .card").first().waitFor();
      }
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    expect(events).toEqual([]);
    await page.context().close();
  });

  it("translates what is pasted, and shows which lines belong together", async () => {
    const { page, events } = await open();
    await paste(page, dump("-A INPUT -s 192.0.2.1/32 -j DROP", "-A INPUT -s 192.0.2.2/32 -j DROP"));
    expect(await status(page)).toMatch(/^2 rules: 2 exact, 0 approximated, 0 refused \(/);
    const area = page.getByRole("textbox", { name: "Rules: what" });
    await area.press("Control+Home");
    for (let line = 1; line < 4; line += 1) await area.press("ArrowDown");
    expect(await linkedLines(page)).toEqual(["        ip saddr 192.0.2.2 counter drop"]);
    await area.hover({ position: { x: 100, y: 8 + 2 * 20 + 10 } });
    expect(await linkedLines(page)).toEqual(["        ip saddr 192.0.2.1 counter drop"]);
    // From a line of the script to its rule, by keyboard.
    const script = page.getByRole("listbox", { name: "The nft script" });
    await script.focus();
    for (let line = 0; line < 40 && !(await linkedLines(page)).join().includes("192.0.2.2"); line += 1) await script.press("ArrowDown");
    expect(await page.locator(".band").count()).toBe(1);
    await script.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("text-rules");
    expect(events).toEqual([]);
  });

  it("shows what a message blames, and goes there", async () => {
    const { page } = await open();
    await paste(page, dump("-A INPUT -s 192.0.2.1/32 -j DROP", "-A INPUT -m geoip --src-cc CN -j DROP"));
    await page.getByRole("tab", { name: /^Messages/ }).click();
    const item = page.locator(".finding.warning");
    expect(await item.locator(".blamed").innerText()).toBe("-m geoip --src-cc CN");
    await item.getByRole("button", { name: "line 4" }).click();
    expect(
      await page.getByRole("textbox", { name: "Rules: what" }).evaluate((area: HTMLTextAreaElement) => {
        return area.value.slice(area.selectionStart, area.selectionEnd);
      }),
    ).toBe("-m geoip --src-cc CN");
    await paste(page, "no rules at all\n");
    expect(await status(page)).toMatch(/nothing was translated/);
  });

  it("is used by keyboard: tabs by arrows", async () => {
    const { page } = await open();
    await settled(page);
    await page.getByRole("tab", { name: "Script" }).focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#panel-messages").isVisible()).toBe(true);
    await page.keyboard.press("End");
    expect(await page.locator("#panel-review").isVisible()).toBe(true);
    await page.keyboard.press("Home");
    expect(await page.locator("#panel-script").isVisible()).toBe(true);
  });

  it("searches, tells how long, and stops when told", async () => {
    const { page } = await open();
    await page.getByRole("combobox", { name: "Example" }).selectOption({ label: "SSH throttle, exact" });
    await settled(page);
    await page.getByRole("tab", { name: "Search for differences" }).click();
    await page.getByLabel("At most").selectOption("120");
    await page.getByRole("button", { name: "Search" }).click();
    await expect.poll(() => page.locator("#search-progress").innerText()).toMatch(/^Searching: \d+ of at most 120 s$/);
    await page.getByRole("button", { name: "Stop" }).click();
    expect(await page.locator("#search-progress").innerText()).toBe("Stopped.");
    expect(await page.getByRole("button", { name: "Search" }).isVisible()).toBe(true);
  });

  it("brings long lists together where that is chosen, and carries the choice in a link", async () => {
    const { page, events } = await open();
    const addresses = Array.from({ length: 200 }, (_, index) => `-A INPUT -s 192.0.2.${index}/32 -j DROP`);
    await paste(page, dump(...addresses));
    await page.locator("#options > summary").click();
    await page.getByLabel("long lists of rules as sets and maps").check();
    await expect.poll(() => status(page)).toContain("200 of them in one look-up");
    await page.getByRole("button", { name: "Copy a link" }).click();
    await expect.poll(() => new URL(page.url()).hash).not.toBe("");
    const { page: other } = await open(new URL(page.url()).hash);
    await settled(other);
    expect(await other.getByLabel("long lists of rules as sets and maps").isChecked()).toBe(true);
    expect(await status(other)).toContain("200 of them in one look-up");
    expect(events).toEqual([]);
  });

  it("reviews a change in a frame that can do nothing but show itself", async () => {
    const { page, events } = await open();
    await page.getByRole("combobox", { name: "Example" }).selectOption({ label: "A change to review" });
    const frame = page.frameLocator("#review");
    await expect.poll(() => frame.locator("h1").innerText()).toBe("Look: 5 open, 1 closes, 2 accepted.");
    await frame.getByRole("searchbox").fill("5666");
    await expect.poll(() => frame.locator("#shown").innerText()).toMatch(/^1 of \d+ rules$/);
    expect(events).toEqual([]);
  });

  it("opens a link that was made long ago, with all its texts and options, and makes the same again", async () => {
    const { page, events } = await open(oldLink);
    await settled(page);
    expect(await page.getByRole("textbox", { name: "Rules: what" }).inputValue()).toContain("-m geoip --src-cc CN");
    expect(await page.locator("#panel-messages").isVisible()).toBe(true);
    expect(await page.getByLabel("Hit counts of recent").inputValue()).toBe("ban");
    expect(await page.getByLabel("Forget hosts after days").inputValue()).toBe("1");
    expect(await page.getByLabel("one inet table").isChecked()).toBe(true);
    await page.getByRole("button", { name: "Copy a link" }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe(oldLink);
    await page.evaluate(() => (location.hash = "#2=x"));
    await expect.poll(() => status(page)).toBe("the link is of form 2, made by a newer page than this one");
    expect(events).toEqual([]);
  });

  it("runs nothing that a dump holds, and lets nothing be asked of a network", async () => {
    const script = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    const { page, events } = await open();
    await paste(
      page,
      dump(`-A INPUT -m comment --comment "${script}" -m recent --set --name "<b>${script}" -j LOG --log-prefix "${script}"`),
    );
    for (const tab of [/^Messages/, /^Lists/, "Review"]) await page.getByRole("tab", { name: tab }).click();
    await page.frameLocator("#review").locator("h1").waitFor();
    expect(await page.evaluate(() => [document.scripts.length, document.images.length, document.querySelectorAll("b").length])).toEqual([
      2, 0, 0,
    ]);
    expect(events).toEqual([]);
    await page.evaluate(() => void fetch("http://192.0.2.1/").catch(() => undefined));
    await expect.poll(() => events.join()).toMatch(/Content Security Policy/);
    expect(events.filter((event) => event.startsWith("request:"))).toEqual([]);
  });

  // A busy machine delays everything: what is measured is in the test below by PLAYGROUND_SPEED.
  const isMeasured = process.env["PLAYGROUND_SPEED"] !== undefined;
  it.each([5_000, 10_000])("stays at hand with %i rules", { retry: 2 }, async (count) => {
    const { page } = await open();
    await settled(page);
    const rules = Array.from({ length: count }, (_, index) =>
      index % 100 === 0
        ? `-A INPUT -p tcp -m tcp --dport ${1 + index} -m recent --update --seconds 60 --hitcount 4 --name l${index} -j DROP\n` +
          `-A INPUT -p tcp -m tcp --dport ${1 + index} -m recent --set --name l${index}`
        : `-A INPUT -s 198.51.${(index >> 8) & 255}.${index & 255}/32 -p tcp -m tcp --dport ${1 + index} -m comment --comment "rule ${index}" -j DROP`,
    );
    await page.evaluate(() => {
      const tasks: number[] = [];
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
      Object.assign(globalThis, { tasks });
    });
    await paste(page, dump(...rules));
    const [, seconds] = /\(([\d.]+) s\)$/.exec(await status(page)) ?? [];
    await page.evaluate(() => ((globalThis as unknown as { tasks: number[] }).tasks.length = 0));
    const area = page.getByRole("textbox", { name: "Rules: what" });
    await area.evaluate((one: HTMLTextAreaElement) => one.setSelectionRange(200, 200));
    await area.pressSequentially("# typed\n", { delay: 60 });
    await settled(page);
    await page.locator("#script").evaluate((view) => (view.scrollTop = view.scrollHeight / 2));
    expect(await page.locator(".script-line").count()).toBeLessThan(150);
    const longest = await page.evaluate(() => Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks));
    if (isMeasured) console.log(`${count} rules: ${seconds} s, longest task while typing ${longest} ms`);
    expect(Number(seconds)).toBeLessThan(20);
    expect(longest).toBeLessThan(500);
  });
});
