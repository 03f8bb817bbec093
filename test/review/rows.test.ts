import { describe, expect, it } from "vitest";
import { effectOf } from "../../src/diagnostic.js";
import { makeRows } from "../../src/review/rows.js";
import { translate } from "../../src/translate.js";
import { readCases } from "../corpus/cases.js";
import { dump } from "./dumps.js";

describe("makeRows", () => {
  it("says of every rule of the corpus what became of it, and names lines that hold just that", () => {
    let count = 0;
    for (const { name, sources, options } of readCases()) {
      const { iptables, nft, script, diagnostics } = translate(sources, options);
      if (script === undefined) continue;
      const lines = script.split("\n");
      const rows = makeRows(iptables, nft);
      const places = new Set(
        iptables
          .flatMap(({ tables }) => tables)
          .flatMap(({ chains }) => chains)
          .flatMap(({ rules }) => rules)
          .map(({ span: { file, line, column } }) => `${file} ${line} ${column}`),
      );
      expect([name, rows.length]).toEqual([name, places.size]);
      for (const { nft: texts, scriptLines, span, notes } of rows) {
        expect([name, span.line, texts]).toEqual([name, span.line, scriptLines.map((line) => lines[line - 1]!.trim())]);
        const isRefused = diagnostics.some(
          (one) =>
            effectOf(one.code) === "refused" &&
            one.span.file === span.file &&
            one.span.line >= span.line &&
            one.span.line <= (span.endLine ?? span.line),
        );
        if (texts.length === 0 && !isRefused) expect([name, span.line, notes.length]).not.toEqual([name, span.line, 0]);
        count++;
      }
    }
    expect(count).toBeGreaterThan(2_000);
  }, 120_000);

  it("leaves no rule of the user's chains without the line it comes of", () => {
    for (const { name, sources, options } of readCases()) {
      const { nft } = translate(sources, options);
      for (const chain of nft?.tables.flatMap(({ chains }) => chains).filter(({ base }) => base) ?? []) {
        for (const [index, entry] of chain.entries.entries()) {
          const before = chain.entries[index - 1];
          // The call of a chain that holds the rules of the lines which the comment names.
          const calls = before?.kind === "comment" && (before.above?.length ?? 0) > 0;
          // In a table of both families a chain of one begins by passing the other's packets.
          const [first] = entry.kind === "rule" ? entry.statements : [];
          const passes = first?.kind === "match" && first.left.kind === "meta" && first.left.key === "nfproto";
          const helps = chain.name.startsWith("helper_") || !/^(raw|mangle|nat|filter|security)_/.test(chain.name);
          if (entry.kind === "rule" && !passes && !helps && !calls)
            expect([name, chain.name, entry.origins?.length ?? 0]).not.toEqual([name, chain.name, 0]);
        }
      }
    }
  });

  it("has both rules of a throttle at the line they share", () => {
    const { iptables, nft } = translate(
      dump("-A INPUT -m recent --set --name x", "-A INPUT -m recent --update --seconds 60 --hitcount 4 --name x -j DROP"),
    );
    const [set, check] = makeRows(iptables, nft);
    expect(set!.scriptLines[0]).toBe(check!.scriptLines[0]);
    expect(set!.nft).toEqual(["counter jump x_hits"]);
    expect(check!.nft).toEqual(["counter jump x_hits", "counter drop"]);
    expect(check!.notes).toEqual(["one nft rule with that of line 5: the hit is recorded and checked in one step"]);
  });

  it("has one row for an address list", () => {
    const { iptables, nft } = translate(dump("-A INPUT -s 192.0.2.1,192.0.2.2 -j DROP"));
    expect(makeRows(iptables, nft).map(({ nft: lines }) => lines)).toEqual([
      ["ip saddr 192.0.2.1 counter drop", "ip saddr 192.0.2.2 counter drop"],
    ]);
  });

  it("says why a rule has no nft", () => {
    const { iptables, nft } = translate(dump("-A INPUT ! -s 0.0.0.0/0 -j DROP"));
    expect(makeRows(iptables, nft)[0]).toMatchObject({ nft: [], notes: [expect.stringContaining("can never match")] });
  });
});
