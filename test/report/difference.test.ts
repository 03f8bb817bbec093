import { describe, expect, it } from "vitest";
import { difference, renderDifference, wordDifference } from "../../src/report/difference.js";

const lines = (count: number, prefix: string): string => Array.from({ length: count }, (_, index) => `${prefix}${index}\n`).join("");

describe("difference", () => {
  it("is empty for equal texts", () => {
    expect(difference("a", "same\n", "b", "same\n")).toBe("");
  });

  it("is a unified diff", () => {
    expect(difference("before", `${lines(9, "l")}old\n`, "after", `${lines(9, "l")}new`)).toBe(
      "--- before\n+++ after\n@@ -7,4 +7,4 @@\n l6\n l7\n l8\n-old\n+new\n\\ No newline at end of file\n",
    );
  });

  it("gives up the shortest one where that would take long, and still shows all that differs", () => {
    const begin = process.cpuUsage();
    const text = difference("before", `first\n${lines(6_000, "a")}last\n`, "after", `first\n${lines(6_000, "b")}last\n`);
    // Of the processor, in microseconds: others may be at work on this machine, too.
    expect(process.cpuUsage(begin).user).toBeLessThan(5_000_000);
    expect(text).toContain("@@ -2,6000 +2,6000 @@\n-a0\n-a1\n");
    expect(text.split("\n").filter((line) => /^[-+][ab]/.test(line))).toHaveLength(12_000);
  });
});

describe("wordDifference", () => {
  it("keeps the blanks, so that each side can be put together again", () => {
    const parts = wordDifference("-A INPUT  -p tcp -j DROP", "-A INPUT  -p udp -j DROP");
    expect(parts).toEqual([
      { text: "-A INPUT  -p ", in: "both" },
      { text: "tcp ", in: "before" },
      { text: "udp ", in: "after" },
      { text: "-j DROP", in: "both" },
    ]);
    expect(wordDifference("", "")).toEqual([]);
  });
});

describe("renderDifference", () => {
  const text = "--- before\n+++ after\n@@ -1,2 +1,2 @@\n \tsame\n--- a list\n+\x1b[2Jnew\n";

  it("colours lines by their sign", () => {
    expect(renderDifference(text, { color: true, lines: 9 })).toBe(
      "\x1b[1m--- before\x1b[0m\n\x1b[1m+++ after\x1b[0m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n \tsame\n\x1b[31m--- a list\x1b[0m\n\x1b[32m+\\x1b[2Jnew\x1b[0m\n",
    );
  });

  it("says how many lines it leaves out", () => {
    expect(renderDifference(text, { color: false, lines: 2 })).toBe("--- before\n+++ after\n… and 4 more lines\n");
  });
});
