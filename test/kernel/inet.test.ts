/** One table for both families: loaded by the kernel, and packets of both through it and through iptables and ip6tables. */

import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { readCases } from "../corpus/cases.js";
import { derive, surroundingsOf } from "./derive.js";
import { scaled } from "./derive-trial.js";
import { describeDifferences, describeFate, replayAll, ReplayError, type Fate, type Frame, type ReplayInput } from "./lab.js";
import { loadAllTwice, loadTwice } from "./load.js";
import { describeOnKernel } from "./requirements.js";
import { seededRandom } from "./schedule.js";

const cases = readCases();
const textsOf = (name: string): string[] => cases.flatMap((one) => one.sources.filter(({ file }) => file === name).map(({ text }) => text));

function inetScript(ipv4: string, ipv6: string, keepSets = false): string | undefined {
  return translate([{ file: "rules.v4", text: ipv4, family: "ipv4" }, { file: "rules.v6", text: ipv6, family: "ipv6" }], { inet: true, keepSets }).script;
}

/** Three short bursts, none of which ends a multiple of a second after another begins. */
function inBursts(frames: readonly Frame[]): Frame[] {
  const size = Math.ceil(frames.length / 3);
  return frames.map((frame, index) => ({ ...frame, at: Math.floor(index / size) * 1.46 + ((index % size) * 0.07) / size }));
}

/** Limits and windows that fit a short run; without TCPMSS, which in nft gives no SYN an option that it lacks. */
const playable = (dump: string): string => scaled(dump).replaceAll(/^.*-j TCPMSS.*\n/gmu, "");

/** Packets derived from the rules of both families, in turns. */
function inputsOf(ipv4: string, ipv6: string): [inet: ReplayInput, plain: ReplayInput] {
  const dumps = { ipv4: playable(ipv4), ipv6: playable(ipv6) };
  const { iptables, script } = translate([{ file: "rules.v4", text: dumps.ipv4, family: "ipv4" }, { file: "rules.v6", text: dumps.ipv6, family: "ipv6" }]);
  const { interfaces, prepare } = surroundingsOf(iptables);
  const groups = iptables.flatMap((ruleset) => derive({ ruleset, interfaces, random: seededRandom(3), count: 300, fewHosts: true }).map((group, index) => ({ group, index })));
  const frames = inBursts(groups.sort((a, b) => a.index - b.index).flatMap(({ group }) => group));
  const common = { dumps, interfaces, prepare, frames };
  return [{ ...common, script: inetScript(dumps.ipv4, dumps.ipv6)! }, { ...common, script: script! }];
}

/** A fate without what two runs of one firewall do not agree on: a port that masquerade had to choose, also within what an ICMP error quotes. */
function fateOf(fate: Fate, { packet }: Frame): string {
  return describeFate(fate).replaceAll(packet.transport.kind === "icmp" ? /(source|destination)Port=\d+/gu : /sourcePort=\d+/gu, "");
}

describeOnKernel("one inet table on the kernel", () => {
  it("loads for every dump of the corpus, beside one of the other family", { timeout: 600_000 }, async () => {
    const [ipv4, ipv6] = [textsOf("rules.v4"), textsOf("rules.v6")];
    const pairs = Array.from({ length: Math.max(ipv4.length, ipv6.length) }, (_, index) => [ipv4[index % ipv4.length]!, ipv6[index % ipv6.length]!] as [string, string]);
    // And what both families can say, on both sides: there rules are common.
    for (const text of [...ipv4, ...ipv6]) pairs.push([text, text]);
    const scripts = pairs.flatMap(([first, second]) => inetScript(first, second) ?? []);
    const merged = scripts.filter((script) => script.includes("\ntable inet "));
    console.log(`${scripts.length} pairs of dumps, ${merged.length} in one table`);
    expect(merged.length).toBeGreaterThan(scripts.length / 4);
    const results = await loadAllTwice(merged);
    expect(results.flatMap(({ messages, loaded }, index) => (messages === "" && loaded ? [] : [`${messages}\n${merged[index]}`]))).toEqual([]);
    for (const { first, second } of results) expect(second).toBe(first);
  });

  const machines = ["machine/ufw-inet", "machine/router-of-both-families-inet", "syntax/inet-different-policies"];
  it("decides the packets of both families as iptables and ip6tables do, and as two tables do", { timeout: 300_000 }, async () => {
    const inputs = machines.flatMap((name) => {
      const texts = cases.find((one) => one.name === name)!.sources.map(({ text }) => text);
      return inputsOf(texts[0]!, texts[1]!);
    });
    // A slip of the merging would show: without its tests for the family, the script decides otherwise.
    const slip = { ...inputs[2]!, script: inputs[2]!.script!.replaceAll(/meta nfproto ipv[46] (?!accept)/gu, "") };
    const reports = await replayAll([...inputs, slip]);
    for (const [index, report] of reports.entries()) {
      if (report instanceof ReplayError) throw report;
      if (index === inputs.length) {
        expect(report.differing.length).toBeGreaterThan(0);
        continue;
      }
      const verdicts = new Map<string, number>();
      for (const { iptables } of report.outcomes) verdicts.set(iptables.verdict, (verdicts.get(iptables.verdict) ?? 0) + 1);
      // Also passes over packets lost on both sides: no namespace takes them from a multicast address.
      const differing = report.differing.filter(({ frame, iptables, nft }) => fateOf(iptables, frame) !== fateOf(nft, frame));
      console.log(machines[index >> 1], index % 2 === 0 ? "in one table:" : "in two tables:", report.outcomes.length, "packets", Object.fromEntries(verdicts), differing.length, "differing");
      expect(describeDifferences({ ...report, differing })).toBe(describeDifferences({ ...report, differing: [] }));
    }
  });

  const ruleset = (policy: string, rules: string): string => `*filter\n:INPUT ${policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
  const lists = "-A INPUT -m recent --set --name seen\n-A INPUT -m recent --rcheck --seconds 9 --name seen -j DROP\n";

  it("takes the place of the tables ip and ip6, and leaves other tables alone", async () => {
    const dumps = [ruleset("DROP", lists), ruleset("ACCEPT", lists)] as const;
    const plain = translate([{ file: "rules.v4", text: dumps[0], family: "ipv4" }, { file: "rules.v6", text: dumps[1], family: "ipv6" }]).script!;
    const { loaded, messages, second } = await loadTwice(inetScript(...dumps)!, { before: `${plain}\ntable ip other {\n}\n` });
    expect([messages, loaded]).toEqual(["", true]);
    expect(second.match(/^table .*/gmu)).toEqual(["table ip other {", "table inet ipt2nft {"]);
  });

  it("leaves no chain of an earlier script behind where sets are kept", async () => {
    const apart = inetScript(ruleset("DROP", lists), ruleset("ACCEPT", lists), true)!;
    const common = inetScript(ruleset("DROP", lists), ruleset("DROP", "-A INPUT -i lo -j ACCEPT\n"), true)!;
    const { loaded, messages, second } = await loadTwice(common, { before: apart });
    expect([messages, loaded]).toEqual(["", true]);
    const { second: alone } = await loadTwice(common);
    expect(second.match(/hook .*/gu)).toEqual(alone.match(/hook .*/gu));
  });
});
