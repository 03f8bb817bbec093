import { describe, expect, it } from "vitest";
import { renderText } from "../../../src/review/formats/text.js";
import { dump, review } from "../dumps.js";

const old = dump("-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP");
const current = dump("-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp --dport 23 -j ACCEPT", "-A INPUT -j DROP");

describe("renderText", () => {
  it("says verdict, changes, effects and findings in this order", () => {
    const text = renderText(review(current, old), { color: false });
    const places = ["Look: 1 opens", "Opens\n", "Changes\n", "Findings\n", "Rules and their nft\n", "Script\n"].map((part) =>
      text.indexOf(part),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("puts carets under the rule that opens", () => {
    expect(renderText(review(current, old), { color: false })).toContain(
      "  -A INPUT -p tcp --dport 23 -j ACCEPT\n  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n",
    );
  });

  it("colours only when asked", () => {
    expect(renderText(review(current, old), { color: true })).toContain("\x1b[1;33mLook");
    expect(renderText(review(current, old), { color: false })).not.toContain("\x1b");
  });

  it("sends no character of a dump to a terminal that would be an order", () => {
    const hostile = dump('-A INPUT -m comment --comment "\u009b31m\u202e" -m recent --rcheck --name "\u009b2J" -j DROP');
    expect(renderText(review(hostile, old), { color: false })).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});
