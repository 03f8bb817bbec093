import { describe, expect, it } from "vitest";
import { longestComment, renderMarkdown } from "../../../src/review/formats/markdown.js";
import type { ReviewReport } from "../../../src/review/report.js";
import { dump, review } from "../dumps.js";

const hostile =
  "@everyone #1 GH-2 http://198.51.100.1/x www.example.com <img src=x onerror=alert(1)> [x](javascript:y) **b** `c` ``` | ~~d~~ deadbeefcafe";

function hostileReport(): ReviewReport {
  const rule = (action: string): string => `-A INPUT -m comment --comment "${hostile}" -m recent --rcheck --name "a\`b@c" -j ${action}`;
  return review(dump(rule("DROP"), `-A INPUT -m unheard --of "${hostile}" -j ACCEPT`), dump(rule("ACCEPT")));
}

/** What GitHub reads as prose: everything outside of code. */
function outsideOfCode(markdown: string): string {
  return markdown
    .replace(/^( *)(`{3,})[a-z]*\n[\s\S]*?^\1\2$/gm, "")
    .replaceAll("\\`", "")
    .replace(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
}

describe("renderMarkdown", () => {
  it("lets no text of the dump mention, link, refer or be markup", () => {
    const prose = outsideOfCode(renderMarkdown(hostileReport()));
    expect(prose).toContain("unheard");
    expect(prose).not.toMatch(/@(?!&#8203;)/);
    expect(prose).not.toMatch(/(?<!&)#(?=[0-9])(?!&#8203;)/);
    expect(prose).not.toMatch(/:\/\/(?!&#8203;)|www\.(?!&#8203;)/);
    expect(prose).not.toMatch(/<(?!\/?(?:details|summary)>)/);
  });

  it("closes every block of code, however many backticks are in it", () => {
    const fences = renderMarkdown(hostileReport())
      .split("\n")
      .map((line) => /^ *(`{3,})/.exec(line)?.[1])
      .filter((fence) => fence !== undefined);
    expect(fences.length % 2).toBe(0);
    for (let index = 0; index < fences.length; index += 2) expect(fences[index + 1]).toBe(fences[index]);
  });

  it.each([2_000, 10_000, longestComment])("stays within %d bytes, says what it left out, and keeps what opens", (limit) => {
    const rules = Array.from(
      { length: 800 },
      (_, index) => `-A INPUT -s 192.0.2.${index % 256} -p udp --dport ${index + 1} -m comment --comment "é ${index}" -j DROP`,
    );
    const markdown = renderMarkdown(
      review(dump("-A INPUT -p tcp --dport 23 -j ACCEPT", ...rules, "-A INPUT -j DROP"), dump("-A INPUT -j DROP")),
      { limit },
    );
    expect(new TextEncoder().encode(markdown).length).toBeLessThanOrEqual(limit);
    expect(markdown).toMatch(/and \d+ more|left out for want of room/);
    expect(markdown.slice(0, 200)).toContain("Look");
    expect(markdown).toContain("port 23 ");
  });
});
