import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { renderHtml } from "../../../src/review/formats/html.js";
import type { ReviewReport } from "../../../src/review/report.js";
import { finding, hostileReport, report, row, sampleReport, spanAt } from "./sample-report.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");
const page = (given: ReviewReport): string => renderHtml(given, { sha256 });

/** All that the expression's first group finds. */
function all(text: string, expression: RegExp): string[] {
  return [...text.matchAll(expression)].map((found) => found[1]!);
}

/** The text between two tags of this name. */
function inside(html: string, tag: string): string {
  return new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)![1]!;
}

describe("renderHtml", () => {
  it("lets its policy run its own script and style, and nothing else", () => {
    const html = page(sampleReport);
    const [policy] = all(html, /http-equiv="Content-Security-Policy" content="([^"]*)"/g);
    expect(policy!.replaceAll("&#39;", "'").split("; ")).toEqual([
      "default-src 'none'",
      `script-src 'sha256-${sha256(inside(html, "script"))}'`,
      `style-src 'sha256-${sha256(inside(html, "style"))}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(inside(html, "style")).toContain("prefers-color-scheme");
    // The policy counts only for what stands behind it.
    expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.indexOf("<style>"));
  });

  it("asks nothing of any network", () => {
    const html = page(sampleReport);
    expect(html).not.toMatch(/https?:|\bsrc=|url\(|@import|<link|<iframe|<form/);
  });

  it("has every target its links name, each once", () => {
    const html = page(sampleReport);
    const ids = all(html, /\sid="([^"]*)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [...all(html, /\shref="#([^"]*)"/g), ...all(html, /\s(?:for|aria-labelledby|aria-describedby|data-row)="([^"]*)"/g)];
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it("says things in the order in which they are judged, and leaves out what there is nothing to say about", () => {
    expect(all(page(sampleReport), /<section id="([^"]*)"/g)).toEqual([
      "opens",
      "closes",
      "changes",
      "lists",
      "findings",
      "untouched-lists",
      "rules",
      "script",
    ]);
    expect(all(page(report({ rows: [row(1)] })), /<section id="([^"]*)"/g)).toEqual(["rules"]);
    expect(inside(page(report()), "h1")).toBe("Safe to merge: nothing needs a look.");
  });

  it("links findings, lists and changes to their rules, and a place of the old dump to none", () => {
    const html = page(sampleReport);
    expect(html).toContain('<a class="place" href="#rule-6" data-row="rule-6">rules.v4:14</a>');
    expect(html).toContain('<span class="place">rules.v4 (origin/main):7</span>');
    expect(html).toContain('<a class="severity error" href="#finding-1">Error</a>');
  });

  it("marks the words a finding blames, up to the end of the line where a rule has several", () => {
    const words = (html: string): string => html.replace(/<span class="option">([^<]*)<\/span>/g, "$1");
    expect(words(page(sampleReport))).toContain('-A INPUT <span class="blamed">-m geoip --src-cc CN</span> -j DROP');
    const span = { ...spanAt(1, 4, 90), endLine: 3 };
    expect(words(page(report({ findings: [finding({ span, source: "-A INPUT \\" })] })))).toContain(
      '-A <span class="blamed">INPUT \\</span>',
    );
  });

  it("names every line of nft by its number, and folds long ones", () => {
    const html = page(sampleReport);
    for (let line = 50; line < 74; line++) expect(html).toContain(`data-line="${line}"`);
    expect(html).toContain("<summary>16 more lines</summary>");
    expect(html).toContain('<p class="absent">not in the script</p>');
  });

  it("draws both firewalls' decisions and says in words where they differ", () => {
    const html = page(sampleReport);
    expect(html).toContain('role="img" aria-label="three attempts every 11 s: 4 packets; they differ at 21.5 s"');
    expect(all(html, /(<circle)/g)).toHaveLength(5);
    expect(all(html, /(<g class="drop")/g)).toHaveLength(3);
    expect(all(html, /(<g class="packet differs")/g)).toHaveLength(1);
  });

  it("marks the words that a change takes out and puts in", () => {
    const [change] = sampleReport.changes;
    const span = spanAt(7, 1, 20);
    const html = page(
      report({
        changes: [
          { ...change!, before: { text: "-A INPUT -s 192.0.2.1 -p tcp -j DROP", span }, after: { text: "-A INPUT -p tcp -j LOG", span } },
        ],
      }),
    );
    expect(inside(html, "del").replace(/<[^>]*>/g, "")).toBe("-s 192.0.2.1 ");
    expect(all(html, /<(?:del|ins)>(.*?)<\/(?:del|ins)>/g).map((one) => one.replace(/<[^>]*>/g, ""))).toEqual([
      "-s 192.0.2.1 ",
      "DROP",
      "LOG",
    ]);
  });

  it("links nothing to a line of the old dump, which may have the name of the new one", () => {
    const { changes, lists } = sampleReport;
    const html = page({
      ...sampleReport,
      changes: [{ ...changes[0]!, before: { text: "-A INPUT -j DROP", span: spanAt(5, 1, 16) } }],
      lists: [{ ...lists[1]!, status: "removed" }],
    });
    expect(html).toContain('before, <span class="place">rules.v4:5</span>');
    expect(html).toContain('<span class="place">rules.v4:8</span>');
  });

  it("takes hostile text in every place for text", () => {
    const html = page(hostileReport);
    const tags = new Set(all(html, /<(?:\/?)([a-z0-9]+)/gi));
    expect([...tags].filter((tag) => !page(sampleReport).includes(`<${tag}`))).toEqual([]);
    expect(all(html, /(<script|<style|<title|<meta http-equiv)/g)).toEqual(["<meta http-equiv", "<title", "<style", "<script"]);
    expect(html).not.toMatch(/[\p{Cs}\u202e\0\x07\x1b]/u);
  });
});
