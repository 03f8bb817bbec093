import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderSarif } from "../../../src/review/formats/sarif.js";
import type { ReviewReport } from "../../../src/review/report.js";
import { finding, hostileReport, invisible, report, sampleReport, spanAt } from "./sample-report.js";

interface Region {
  startLine: number;
  startColumn: number;
  endLine: number;
  endColumn?: number;
  snippet?: { text: string };
}
interface Location {
  physicalLocation: { artifactLocation: { uri: string; uriBaseId?: string; index: number }; region: Region };
  logicalLocations?: { fullyQualifiedName: string }[];
}
interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  message: { text: string };
  locations: Location[];
  partialFingerprints: Record<string, string>;
  suppressions?: unknown[];
  codeFlows?: { threadFlows: { locations: { importance: string; location: { message: { text: string } } }[] }[] }[];
}
interface Run {
  tool: {
    driver: {
      rules: {
        id: string;
        defaultConfiguration: { level: string };
        shortDescription: { text: string };
        help: { text: string; markdown: string };
      }[];
    };
  };
  artifacts: { location: { uri: string } }[];
  results: Result[];
}

function runOf(given: ReviewReport): Run {
  return (JSON.parse(renderSarif(given)) as { runs: Run[] }).runs[0]!;
}

/**
 * The schema of SARIF 2.1.0 as SchemaStore publishes it (2.1.0-rtm.5; this copy is from the package @microsoft/jest-sarif, MIT).
 * It is written in draft 4, of which it uses nothing that draft 7 reads otherwise, but for the name of its own address; one of its
 * patterns has a bracket too many, which only the older form of regular expressions takes.
 */
const {
  id: _,
  $schema: __,
  ...schema
} = JSON.parse(readFileSync(new URL("sarif-2.1.0-rtm.5.schema.json", import.meta.url), "utf8")) as Record<string, unknown>;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

function faults(given: ReviewReport): unknown {
  validate(JSON.parse(renderSarif(given)));
  return validate.errors;
}

describe("renderSarif", () => {
  it.each([
    ["everything", sampleReport],
    ["hostile text", hostileReport],
    ["nothing", report()],
  ])("is valid with %s", (_name, given) => {
    expect(faults(given)).toBeNull();
  });

  it("would be told of what the schema does not allow", () => {
    expect(
      validate({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [{ message: { text: "x" }, level: "fatal" }] }] }),
    ).toBe(false);
  });

  it("has a rule for every code, found by its index", () => {
    const {
      tool: {
        driver: { rules },
      },
      results,
    } = runOf(sampleReport);
    expect(results.map(({ ruleId, ruleIndex }) => rules[ruleIndex]!.id === ruleId)).toEqual([true, true, true, true]);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules.find(({ id }) => id === "untranslatable-match")!.shortDescription.text).toBe("a match without an nft equivalent");
  });

  it("explains a rule, with what to write instead", () => {
    const {
      tool: {
        driver: { rules },
      },
    } = runOf(report({ findings: [finding({ code: "list-never-checked" })] }));
    expect(rules[0]!.help.text).toMatch(/^a list that is set and that no rule checks\n\nHosts are recorded.*\n\nInstead of:\n-A INPUT/);
    expect(rules[0]!.help.markdown).toContain("```\n-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n```");
  });

  it("gives a rule the worst level any of its findings has", () => {
    const {
      tool: {
        driver: { rules },
      },
    } = runOf(report({ findings: [finding({ severity: "note" }), finding({ severity: "error" }), finding()] }));
    expect(rules.map(({ defaultConfiguration: { level } }) => level)).toEqual(["error"]);
  });

  it("points to the words it blames, in the artifact, and to the chain", () => {
    const { results, artifacts } = runOf(sampleReport);
    const {
      physicalLocation: { artifactLocation, region },
      logicalLocations,
    } = results[1]!.locations[0]!;
    expect(region).toEqual({ startLine: 14, startColumn: 10, endLine: 14, endColumn: 30, snippet: { text: "-m geoip --src-cc CN" } });
    expect(artifacts[artifactLocation.index]!.location.uri).toBe("rules.v4");
    expect(logicalLocations![0]!.fullyQualifiedName).toBe("ipv4/filter/INPUT");
  });

  it("knows a finding again by its content, as code scanning does it", () => {
    const moved = (line: number): unknown =>
      runOf(report({ findings: [finding({ span: spanAt(line, 1, 4) })] })).results[0]!.partialFingerprints;
    expect(moved(3)).toEqual(moved(99));
    expect(moved(3)).toMatchObject({ primaryLocationLineHash: "0123456789abcdef" });
  });

  it("keeps suppressed findings, with who suppressed them and why", () => {
    expect(runOf(sampleReport).results.map(({ suppressions }) => suppressions)).toEqual([
      undefined,
      undefined,
      [{ kind: "external", status: "accepted", justification: "agreed in the review of May" }],
      undefined,
    ]);
    expect(runOf(report({ findings: [finding({ suppressed: { by: "inline" } })] })).results[0]!.suppressions).toEqual([
      { kind: "inSource", status: "accepted" },
    ]);
  });

  it("tells a counterexample packet by packet", () => {
    const steps = runOf(sampleReport).results[0]!.codeFlows![0]!.threadFlows[0]!.locations;
    expect(steps.map(({ importance }) => importance)).toEqual(["important", "important", "important", "essential"]);
    expect(steps[3]!.location.message.text).toContain("iptables: drop, nft: accept");
  });

  it.each([
    ["./fw/my rules#1.v4", "fw/my%20rules%231.v4", "%SRCROOT%"],
    ["a:b.v4", "./a:b.v4", "%SRCROOT%"],
    ["/etc/iptables/rules.v4", "file:///etc/iptables/rules.v4", undefined],
    ["<stdin>", "%3Cstdin%3E", undefined],
  ])("writes %s as an address", (file, uri, uriBaseId) => {
    const { artifactLocation } = runOf(report({ findings: [finding({ span: spanAt(1, 1, 1, file) })] })).results[0]!.locations[0]!
      .physicalLocation;
    expect(artifactLocation).toMatchObject({ uri, ...(uriBaseId && { uriBaseId }) });
    expect("uriBaseId" in artifactLocation).toBe(uriBaseId !== undefined);
  });

  it("makes no links of text, and shows nothing without a visible form", () => {
    expect(JSON.stringify(runOf(hostileReport).results.map(({ message }) => message))).not.toContain("](");
    expect(renderSarif(hostileReport)).not.toMatch(invisible);
  });
});
