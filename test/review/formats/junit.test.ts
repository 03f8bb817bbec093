import { parseFailOn } from "../../../src/review/fail-on.js";
import { SaxesParser, type SaxesTagPlain } from "saxes";
import { describe, expect, it } from "vitest";
import { renderJunit, type JunitOptions } from "../../../src/review/formats/junit.js";
import { finding, hostileReport, hostileText, report, sampleReport } from "./sample-report.js";

interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

/** Reads XML; throws for what is not well-formed, a character that XML does not have included. */
function parse(xml: string): Element {
  const top: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }: SaxesTagPlain) => {
    const element: Element = { name, attributes, children: [], text: "" };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    open.at(-1)!.text += text;
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(xml).close();
  return top.children[0]!;
}

function cases(root: Element): Element[] {
  return root.children.flatMap(({ children }) => children);
}

/** Each case with what became of it. */
function outcomes(given: Parameters<typeof renderJunit>[0], options?: JunitOptions): string[] {
  return cases(parse(renderJunit(given, options))).map(
    ({ attributes, children }) => `${attributes.classname}: ${children[0]?.name ?? "passed"}`,
  );
}

describe("renderJunit", () => {
  it("has a failing case for each finding, a passing one for each list without, and skips what is suppressed", () => {
    expect(outcomes(sampleReport)).toEqual([
      "verdict: system-out",
      "recent list: failure",
      "recent list: system-out",
      "recent-window-shortened: failure",
      "untranslatable-match: failure",
      "recent-rttl: skipped",
      "recent-list-size: system-out",
    ]);
  });

  it("fails from the severity asked for on", () => {
    expect(outcomes(sampleReport, { failOn: parseFailOn("error")! }).filter((one) => one.endsWith("failure"))).toEqual([
      "recent list: failure",
      "recent-window-shortened: failure",
    ]);
    expect(outcomes(sampleReport, { failOn: parseFailOn("note")! }).filter((one) => one.endsWith("failure"))).toHaveLength(4);
    expect(
      outcomes({ ...sampleReport, verdict: "not-equivalent" }, { failOn: parseFailOn("never")! }).filter((one) => one.endsWith("failure")),
    ).toEqual([]);
  });

  it("fails for a script that does not decide as the rules do, and always has a case", () => {
    expect(outcomes(report())).toEqual(["verdict: system-out"]);
    expect(outcomes(report({ verdict: "not-equivalent" }))).toEqual(["verdict: failure"]);
  });

  it("counts what it holds", () => {
    const root = parse(renderJunit(sampleReport));
    const tally = ({ attributes: { tests, failures, skipped } }: Element): string => `${tests} ${failures} ${skipped}`;
    expect([tally(root), ...root.children.map(tally)]).toEqual(["7 3 1", "1 0 0", "2 1 0", "4 2 1"]);
  });

  it("says place, rule, help and the packets", () => {
    const [failure] = cases(parse(renderJunit(sampleReport)))[3]!.children;
    expect(failure!.attributes).toEqual({
      message: 'list "SSH" lets 18 attempts a minute through, it was 3',
      type: "error: recent-window-shortened",
    });
    expect(failure!.text).toBe(
      [
        'rules.v4:7:52: error: list "SSH" lets 18 attempts a minute through, it was 3 [recent-window-shortened]',
        "  -A INPUT -p tcp --dport 22 -m recent --update --seconds 10 --hitcount 4 --name SSH --rttl -j DROP",
        "help: put the window back to 60 s",
        "three attempts every 11 s",
        "  0 s  tcp 192.0.2.1:40000 to 198.51.100.1:22, new  both: accept (no stamp yet)",
        "  0.25 s  192.0.2.1  both: accept",
        "  9.996 s  2001:db8:0:0:1:2:3:4  both: drop (4 stamps within 10 s)",
        "  21.5 s  192.0.2.1  iptables: drop, nft: accept (iptables has 4 stamps of another TTL, nft has 3)",
      ].join("\n"),
    );
  });

  it("gives equal findings names of their own, since readers keep one case of each name", () => {
    const names = cases(parse(renderJunit(report({ findings: [finding(), finding()] })))).map(({ attributes }) => attributes.name);
    expect(new Set(names).size).toBe(3);
  });

  it("is XML for any text", () => {
    const root = parse(renderJunit(hostileReport));
    expect(cases(root)).toHaveLength(7);
    expect(cases(root)[3]!.attributes.name).toContain("<script>alert(1)</script>");
    expect(renderJunit(hostileReport)).not.toContain("<script");
    expect(hostileText).toContain("\uffff");
  });
});
