/** One table for both families: loaded by the kernel, and packets of both through it and through iptables and ip6tables. */

import { expect, it } from "vitest";

import { translate, type NftScript, type Statement, type TranslateOptions } from "../../src/index.js";
import { readCases } from "../corpus/cases.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { loadAllTwice, loadTwice } from "../../src/verify/load.js";
import { renderText } from "../../src/verify/report/text.js";
import { verify } from "../../src/verify/verify.js";
import { describeOnKernel } from "./requirements.js";

const cases = readCases();
const textsOf = (name: string): string[] => cases.flatMap((one) => one.sources.filter(({ file }) => file === name).map(({ text }) => text));

function inetScript(ipv4: string, ipv6: string, options: TranslateOptions = {}): string | undefined {
  return translate(
    [
      { file: "rules.v4", text: ipv4, family: "ipv4" },
      { file: "rules.v6", text: ipv6, family: "ipv6" },
    ],
    { inet: true, ...options },
  ).script;
}

/** Without its tests for the family, a rule of one family decides about packets of the other. */
function forgetFamilies(script: NftScript): NftScript {
  const asksFamily = (statement: Statement): boolean =>
    statement.kind === "match" && statement.left.kind === "meta" && statement.left.key === "nfproto";
  return {
    ...script,
    tables: script.tables.map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({
        ...chain,
        entries: chain.entries.map((entry) =>
          entry.kind === "comment" ? entry : { ...entry, statements: entry.statements.filter((statement) => !asksFamily(statement)) },
        ),
      })),
    })),
  };
}

describeOnKernel("one inet table on the kernel", () => {
  it("loads for every dump of the corpus, beside one of the other family", { timeout: 600_000 }, async () => {
    const without = [...(await lackingParts())];
    const [ipv4, ipv6] = [textsOf("rules.v4"), textsOf("rules.v6")];
    const pairs = Array.from(
      { length: Math.max(ipv4.length, ipv6.length) },
      (_, index) => [ipv4[index % ipv4.length]!, ipv6[index % ipv6.length]!] as [string, string],
    );
    // And what both families can say, on both sides: there rules are common.
    for (const text of [...ipv4, ...ipv6]) pairs.push([text, text]);
    const loaded = pairs.filter((_, index) => process.env["CORPUS_LOADS"] === "all" || index % 6 === 0);
    const scripts = loaded.flatMap(([first, second]) => inetScript(first, second, { without }) ?? []);
    const merged = scripts.filter((script) => script.includes("\ntable inet "));
    console.log(`${scripts.length} pairs of dumps, ${merged.length} in one table`);
    expect(merged.length).toBeGreaterThan(scripts.length / 4);
    const results = await loadAllTwice(merged);
    expect(
      results.flatMap(({ messages, loaded: isLoaded }, index) => (messages === "" && isLoaded ? [] : [`${messages}\n${merged[index]}`])),
    ).toEqual([]);
    for (const { first, second } of results) expect(second).toBe(first);
  });

  const extent = { packets: 300, budget: 1, leaveOut: "approximated" } as const;
  it.each(["machine/ufw-inet", "machine/router-of-both-families-inet", "syntax/inet-different-policies"])(
    "decides the packets of both families as iptables and ip6tables do: %s",
    { timeout: 120_000 },
    async (name) => {
      const { sources } = cases.find((one) => one.name === name)!;
      const report = await verify({ sources, options: { inet: true }, ...extent });
      expect(report.loaded.script).toContain("table inet ");
      expect([report.equal, renderText(report)]).toEqual([true, expect.anything()]);
    },
  );

  it("would be seen to mix the families up", { timeout: 120_000 }, async () => {
    const { sources } = cases.find((one) => one.name === "machine/router-of-both-families-inet")!;
    expect((await verify({ sources, options: { inet: true }, ...extent, spoil: forgetFamilies })).equal).toBe(false);
  });

  const ruleset = (policy: string, rules: string): string =>
    `*filter\n:INPUT ${policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
  const lists = "-A INPUT -m recent --set --name seen\n-A INPUT -m recent --rcheck --seconds 9 --name seen -j DROP\n";

  it("takes the place of the tables ip and ip6, and leaves other tables alone", async () => {
    const dumps = [ruleset("DROP", lists), ruleset("ACCEPT", lists)] as const;
    const plain = translate([
      { file: "rules.v4", text: dumps[0], family: "ipv4" },
      { file: "rules.v6", text: dumps[1], family: "ipv6" },
    ]).script!;
    const { loaded, messages, second } = await loadTwice(inetScript(...dumps)!, { before: `${plain}\ntable ip other {\n}\n` });
    expect([messages, loaded]).toEqual(["", true]);
    expect(second.match(/^table .*/gmu)).toEqual(["table ip other {", "table inet ipt2nft {"]);
  });

  it("leaves no chain of an earlier script behind where sets are kept", async () => {
    const apart = inetScript(ruleset("DROP", lists), ruleset("ACCEPT", lists), { keepSets: true })!;
    const common = inetScript(ruleset("DROP", lists), ruleset("DROP", "-A INPUT -i lo -j ACCEPT\n"), { keepSets: true })!;
    const { loaded, messages, second } = await loadTwice(common, { before: apart });
    expect([messages, loaded]).toEqual(["", true]);
    const { second: alone } = await loadTwice(common);
    expect(second.match(/hook .*/gu)).toEqual(alone.match(/hook .*/gu));
  });
});
