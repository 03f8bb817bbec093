import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderHtml } from "../../src/review/formats/html.js";
import type { ReviewReport } from "../../src/review/report.js";
import { reviewRulesets } from "../../src/review/review.js";
import { finding, hostileReport, report, row, sampleReport, spanAt } from "../review/formats/sample-report.js";
import { accessibilityFaults, isSkipped, launch, open } from "./chromium.js";

let browser: Browser;

const html = (given: ReviewReport): string => renderHtml(given, { sha256: (text) => createHash("sha256").update(text).digest("base64") });

/** Places of the rules that are shown, by their line. */
function shownRules(page: Page): Promise<string[]> {
  return page.locator(".row:visible .row-head .place").allTextContents();
}

function linked(page: Page): Promise<string[]> {
  return page.locator(".row.linked").evaluateAll((rows) => rows.map(({ id }) => id));
}

describe.skipIf(isSkipped)("the review page in Chromium", () => {
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each([
    { scheme: "light", width: 1280 },
    { scheme: "dark", width: 1280 },
    { scheme: "light", width: 360 },
    { scheme: "dark", width: 360 },
    { scheme: "light", width: 320 },
  ] as const)("is quiet, complete and accessible: $scheme, $width pixels", async ({ scheme, width }) => {
    for (const given of [sampleReport, hostileReport]) {
      const { page, events } = await open(browser, html(given), { colorScheme: scheme, viewport: { width, height: 740 } });
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      expect(events).toEqual([]);
      await page.context().close();
    }
  });

  it.each(["harmless", "loosened", "broken"])("shows the review of examples/changes/%s as it is checked in", async (name) => {
    const text = readFileSync(new URL(`../../examples/reviews/${name}/review.html`, import.meta.url), "utf8");
    const { page, events } = await open(browser, text, { colorScheme: "dark", viewport: { width: 360, height: 740 } });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.getByRole("searchbox").fill("no such rule");
    await expect.poll(() => page.getByRole("status").textContent()).toMatch(/^0 of \d+ rules$/);
    expect(events).toEqual([]);
  });

  it("shows everything without its script, but no controls that would do nothing", async () => {
    const { page } = await open(browser, html(sampleReport), { javaScriptEnabled: false });
    expect(await shownRules(page)).toEqual(["5", "6", "7", "8", "9", "14", "20", "4"]);
    expect(await page.locator("#controls").isVisible()).toBe(false);
  });

  it("searches by all words, wherever they stand, and says how many rules are left", async () => {
    const { page } = await open(browser, html(sampleReport));
    await page.getByRole("searchbox", { name: "Search" }).fill("SSH  --set");
    await expect.poll(() => page.getByRole("status").textContent()).toBe("1 of 8 rules");
    expect(await shownRules(page)).toEqual(["6"]);
    expect(await page.locator(".chain:visible").count()).toBe(1);
    expect(await page.evaluate(() => [...(CSS.highlights.get("search") ?? [])].map(String))).toEqual(["--set", "SSH", "SSH"]);
    await page.getByRole("searchbox").fill("hit_23");
    await expect.poll(() => shownRules(page)).toEqual(["8"]);
    await page.getByRole("searchbox").fill("no such rule");
    await expect.poll(() => page.getByRole("status").textContent()).toBe("0 of 8 rules");
    await page.getByRole("button", { name: "Reset" }).click();
    expect(await page.getByRole("status").textContent()).toBe("8 rules");
  });

  it("searches text that is longer in lower case", async () => {
    const { page, events } = await open(browser, html(report({ rows: [row(1, { nft: ["log prefix İİİ drop"] }), row(2)] })));
    await page.getByRole("searchbox").fill("drop");
    await expect.poll(() => page.getByRole("status").textContent()).toBe("1 of 2 rules");
    expect(events).toEqual([]);
  });

  it.each([
    ["Show", "rules with findings", ["6", "7", "14"]],
    ["Show", "warnings and errors", ["7", "14"]],
    ["Show", "errors only", ["7"]],
    ["Chain", "table filter (IPv6)", ["4"]],
    ["Chain", "filter FORWARD (IPv4)", ["20"]],
  ])("filters: %s %s", async (control, choice, expected) => {
    const { page } = await open(browser, html(sampleReport));
    await page.getByLabel(control).selectOption({ label: choice });
    expect(await shownRules(page)).toEqual(expected);
  });

  it("filters changed rules, and offers that only where something changed", async () => {
    const { page } = await open(browser, html(sampleReport));
    await page.getByLabel("changed only").check();
    expect(await shownRules(page)).toEqual(["7", "9"]);
    const single = await open(browser, html(report({ rows: [row(1)] })));
    expect(await single.page.getByLabel("changed only").count()).toBe(0);
  });

  it("links what belongs together while it is hovered or focused", async () => {
    const { page } = await open(browser, html(sampleReport));
    await page.locator("#lists .card").first().hover();
    await expect.poll(() => linked(page)).toEqual(["rule-2", "rule-3"]);
    // The page scrolls under a pointer that may not move at all.
    await page.mouse.move(1, 1);
    await page.locator("#rule-4 .original").hover();
    await expect.poll(() => linked(page)).toEqual(["rule-4"]);
    // Rules 6 and 7 share a line of the script.
    await page.locator("#rule-2 .nft").hover();
    await expect.poll(() => linked(page)).toEqual(["rule-2", "rule-3"]);
    expect(await page.locator(".line.linked").evaluateAll((lines) => lines.map((line) => line.getAttribute("data-line")))).toEqual([
      "30",
      "30",
    ]);
    await page.locator("#finding-2 .place").focus();
    await expect.poll(() => linked(page)).toEqual(["rule-6"]);
    expect(await page.locator("#rule-2.linked").count()).toBe(0);
  });

  it("shows a rule that a link names though it is filtered away, and a finding that is folded", async () => {
    const { page } = await open(browser, html(sampleReport));
    for (const _time of ["once", "again"]) {
      await page.getByLabel("Chain").selectOption({ label: "filter FORWARD (IPv4)" });
      await page.locator("#finding-2 .place").click();
      await expect.poll(() => page.locator("#rule-6").isVisible()).toBe(true);
      expect(await page.getByLabel("Chain").inputValue()).toBe("");
    }
    await page.evaluate(() => {
      location.hash = "#finding-3";
    });
    await expect.poll(() => page.locator("#finding-3").isVisible()).toBe(true);
  });

  it("is used by keyboard: one stop for all rules, arrows among them, / to search", async () => {
    const { page } = await open(browser, html(sampleReport));
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.closest("[id]")?.id ?? "");
    await page.keyboard.press("/");
    expect(await focused()).toBe("search");
    await page.keyboard.type("/");
    expect(await page.getByRole("searchbox").inputValue()).toBe("/");
    await page.getByRole("button", { name: "Reset" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#reset").focus();
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("rule-1");
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe("rule-2");
    await page.keyboard.press("End");
    expect(await focused()).toBe("rule-8");
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe("rule-8");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toBe("rule-1");
    expect(await page.locator('.row-head .place[tabindex="0"]').count()).toBe(1);
  });

  it.each([
    ["with", false],
    ["even without", true],
  ])("runs nothing that a dump holds, %s its policy", async (_name, bypassCSP) => {
    const { page, events } = await open(browser, html(hostileReport), { bypassCSP });
    await page.getByRole("searchbox").fill("<script>");
    await expect.poll(() => page.getByRole("status").textContent()).toBe("8 rules");
    expect(
      await page.evaluate(() => ({
        scripts: document.scripts.length,
        images: document.images.length,
        handlers: [...document.querySelectorAll("*")]
          .flatMap((one) => one.getAttributeNames())
          .filter((name) => name.startsWith("on") || name === "style"),
        title: document.title.includes("<script>alert(1)</script>"),
      })),
    ).toEqual({ scripts: 1, images: 0, handlers: [], title: true });
    expect(events).toEqual([]);
  });

  it("runs nothing that a real dump holds in names, comments and prefixes", async () => {
    const script = "<script>alert(1)</script>";
    const text = [
      "*filter",
      ":INPUT ACCEPT [0:0]",
      ":<img/src=x/onerror=a> - [0:0]",
      `-A INPUT -m comment --comment "${script}" -m recent --set --name "<svg onload=alert(2)>"`,
      `-A INPUT -m recent --update --seconds 60 --hitcount 3 --name "<svg onload=alert(2)>" -j LOG --log-prefix "</style><script>"`,
      `-A INPUT -m string --algo bm --string "${script}" -j DROP`,
      "-A INPUT -j <img/src=x/onerror=a>",
      "COMMIT",
      "",
    ].join("\n");
    const given = reviewRulesets({ new: [{ file: "<b>.v4", text }], tool: { name: "ipt2nft-recent", version: "0.1.0" } });
    expect(given.rows).toHaveLength(4);
    const { page, events } = await open(browser, html(given), { bypassCSP: true });
    expect(await page.locator(".row").allTextContents()).toContainEqual(expect.stringContaining(script));
    expect(
      await page.evaluate(() => [document.scripts.length, document.images.length, document.querySelectorAll("b, svg[onload]").length]),
    ).toEqual([1, 0, 0]);
    expect(events).toEqual([]);
  });

  it("has a policy that stops what its own escaping would have to let in first", async () => {
    const { page, events } = await open(browser, html(sampleReport));
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "alert(1)";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", '<img src="http://192.0.2.2/x.png" onerror="alert(2)" style="color: red">');
      void fetch("http://192.0.2.2/").catch(() => undefined);
    });
    await expect.poll(() => events.length).toBeGreaterThanOrEqual(4);
    expect(events.filter((event) => !event.startsWith("error: ") || !/Content Security Policy/.test(event))).toEqual([]);
  });

  it("copes with 5,000 rules", async () => {
    const rows = Array.from({ length: 5000 }, (_, index) =>
      row(index + 1, { chain: `CHAIN_${Math.floor(index / 100)}`, findings: index % 10 === 0 ? [index / 10] : [] }),
    );
    const findings = Array.from({ length: 500 }, (_, index) =>
      finding({ span: spanAt(index * 10 + 1, 3, 5), source: rows[index * 10]!.original }),
    );
    const { page, events } = await open(browser, html(report({ rows, findings })));
    await page.getByRole("searchbox").fill("dport 4321");
    await expect.poll(() => page.getByRole("status").textContent()).toBe("1 of 5000 rules");
    expect(await shownRules(page)).toEqual(["4321"]);
    expect(events).toEqual([]);
  });
});
