/** What is said many times is said once, with all places; and what is refused stands at the end. */

import { describe, expect, it } from "vitest";
import { diagnostic, type Diagnostic } from "../../src/diagnostic.js";
import { renderRefused } from "../../src/report/refused.js";
import { renderText } from "../../src/report/text.js";
import { translate } from "../../src/translate.js";

const plain = { color: false };
const at = (line: number, message = "is left out"): Diagnostic =>
  diagnostic("approximate-match", { file: "rules.v4", line, column: 11, length: 5 }, message, "say it otherwise");

describe("the same warning for several rules", () => {
  const text = "-A INPUT -m geoip\n".repeat(40);

  it("is one warning with the line of the first place and the others behind it", () => {
    expect(renderText([at(1), at(7, "differs"), at(3), at(9)], [{ file: "rules.v4", text }], plain)).toBe(
      `rules.v4:1:11: warning: is left out [approximate-match]
  -A INPUT -m geoip
            ^^^^^
  the same at rules.v4:3:11, rules.v4:9:11
  help: say it otherwise
rules.v4:7:11: warning: differs [approximate-match]
  -A INPUT -m geoip
            ^^^^^
  help: say it otherwise
`,
    );
  });

  it("names 20 other places, in lines that fit, and counts the rest", () => {
    const lines = renderText(
      Array.from({ length: 31 }, (_, index) => at(index + 1)),
      [],
      { color: false, width: 60 },
    ).split("\n");
    expect(lines.every((line, index) => index === 0 || line.length <= 60)).toBe(true);
    const told = lines.join(" ").replace(/\s+/g, " ");
    expect(told).toContain("the same at rules.v4:2:11, rules.v4:3:11, ");
    expect(told).toContain("rules.v4:21:11, and 10 more help: say it otherwise");
    expect(told).not.toContain("rules.v4:22:11");
  });

  it("stays short, and takes no time, for 100,000 rules", () => {
    const equal = Array.from({ length: 100_000 }, (_, index) => at(index + 1));
    const different = equal.map((one, index) => ({ ...one, message: `differs in ${index}` }));
    const start = performance.now();
    expect(renderText(equal, [], plain).length).toBeLessThan(1000);
    const told = renderText(different, [], plain);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(told.split("\n").filter((line) => line.includes("differs in"))).toHaveLength(200);
    expect(told).toContain("warning: 99800 more of the same kind; --format json has them all [approximate-match]\n");
  });

  it("has a block for each place where that is asked for", () => {
    expect(renderText([at(1), at(3)], [], { ...plain, eachPlace: true }).match(/is left out/g)).toHaveLength(2);
  });
});

describe("refused rules at the end", () => {
  const told = (rules: string): string => {
    const text = `*filter\n:INPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
    const { diagnostics } = translate([{ file: "rules.v4", text }], { family: "ipv4" });
    return renderRefused(diagnostics, [{ file: "rules.v4", text }], 90);
  };

  it("stand with what the firewall is without each", () => {
    expect(
      told(
        "-A INPUT -m geoip --src-cc CN -j DROP\n-A INPUT -m geoip --src-cc DE -j ACCEPT\n" +
          "-A INPUT -j ACCEPT\n-A INPUT -m geoip --src-cc FR -j LOG\n-A INPUT -m geoip --src-cc FR -m recent --name x --set\n",
      ),
    ).toBe(
      `4 rules were not carried over; the firewall is more open without 1 of them, more closed without 1 of them:
  rules.v4:3: more open: -A INPUT -m geoip --src-cc CN -j DROP
  rules.v4:4: more closed: -A INPUT -m geoip --src-cc DE -j ACCEPT
  rules.v4:6: packets are no longer reported: -A INPUT -m geoip --src-cc FR -j LOG
  rules.v4:7: no hits for list "x": -A INPUT -m geoip --src-cc FR -m recent --name x --set
`,
    );
  });

  it("with sets that no file holds", () => {
    const rules = told("-A INPUT -m set --match-set bad src -j DROP\n-A INPUT -m set ! --match-set good src -j DROP\n");
    expect(rules).toContain("rules.v4:3: more open: ");
    expect(rules).toContain("rules.v4:4: more closed: ");
  });

  it("with each loss of a line of a script that makes several of them", () => {
    const text = `iptables -F
add() { iptables -A "$@"; }
add INPUT -s 192.0.2.1 -m unheard -j ACCEPT
add INPUT -m unheard --x -j DROP
add INPUT -p tcp -m unheard -j DROP
`;
    const { diagnostics } = translate([{ file: "rules.sh", text }], { family: "ipv4" });
    expect(renderRefused(diagnostics, [{ file: "rules.sh", text }], 90)).toBe(
      `2 rules were not carried over; the firewall is more open without 1 of them, more closed without 1 of them:
  rules.sh:2: more closed: add() { iptables -A "$@"; }
  rules.sh:2: more open: add() { iptables -A "$@"; }
`,
    );
  });

  it("with the target of a rule whose words are quoted", () => {
    expect(told('-A INPUT -m unheard "--text" "-j DROP" "-j" "ACCEPT"\n-A INPUT -m unheard "!" "-s" 192.0.2.1 "-jDROP"\n')).toContain(
      'rules.v4:3: more closed: -A INPUT -m unheard "--text" "-j DROP" "-j" "ACCEPT"\n  rules.v4:4: more open',
    );
  });

  it("are shortened in the middle, and have an end", () => {
    const lines = told(`-A INPUT -m geoip --src-cc CN -m comment --comment ${"x".repeat(90)} -j DROP\n`.repeat(25)).split("\n");
    expect(lines[0]).toContain("25 rules were not carried over");
    expect(lines[1]).toMatch(/^ {2}rules\.v4:3: more open: -A INPUT .*….* -j DROP$/);
    expect(lines[1]!.length).toBeLessThanOrEqual(90);
    expect(lines.slice(-2)).toEqual(["  and 5 more", ""]);
  });

  it("are not said again where nothing else was said", () => {
    expect(told("-A INPUT -m geoip --src-cc CN -j DROP\n")).toBe("");
    expect(told("-A INPUT -j DROP\n")).toBe("");
  });
});
