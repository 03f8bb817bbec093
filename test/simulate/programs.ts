/** Rulesets with `recent` in the shapes people write, for any window. */

import { translate } from "../../src/index.js";
import type { Packet } from "../../src/simulate/packet.js";
import { XtModel } from "../../src/simulate/xt-model.js";
import { NftMachine } from "../../src/simulate/nft-machine.js";
import { effectOf } from "../../src/diagnostic.js";
import type { NftTable } from "../../src/nft/ast.js";
import type { IptablesRuleset } from "../../src/iptables/ast.js";
import type { RecentForm } from "../../src/rewrite/ruleset.js";

/** A packet to the port of the rules, at the beginning of time. */
export const firstPacket: Packet = {
  time: 1000,
  path: "input",
  source: 0xc0000201n,
  destination: 0xc6336401n,
  ttl: 64,
  protocol: 6,
  sourcePort: 1500,
  destinationPort: 22,
  inInterface: "eth0",
  outInterface: "",
};

export interface Program {
  readonly name: string;
  readonly dump: string;
  /** Seconds of the windows in it, the narrowest first. */
  readonly seconds: readonly number[];
  /** The largest hit count. */
  readonly hits: number;
}

export interface Subject {
  readonly program: Program;
  readonly ruleset: IptablesRuleset;
  readonly table: NftTable;
  readonly script: string;
  readonly xtables: XtModel;
  readonly nft: NftMachine;
}

/** Translates a program and builds both models; lists never forget hosts, as sets do not. */
export function subject(
  program: Program,
  recent: RecentForm = "exact",
  rewrite: (table: NftTable) => NftTable = (table) => table,
): Subject {
  const { iptables, nft, script, diagnostics } = translate(program.dump, { recent });
  const refused = diagnostics.filter(({ code }) => effectOf(code) === "refused" || effectOf(code) === "invalid");
  if (!nft || script === undefined || refused.length > 0)
    throw new Error(`${program.name}: ${refused.map(({ message }) => message).join("; ")}\n${program.dump}`);
  const table = rewrite(nft.tables[0]!);
  return {
    program,
    ruleset: iptables[0]!,
    table,
    script,
    xtables: new XtModel(iptables[0]!, { listSize: Infinity }),
    nft: new NftMachine(table),
  };
}

/** Rules by table; each gets a number of its own as the bytes of its counter. */
export function dump(tables: Readonly<Record<string, readonly string[]>>, policies: Readonly<Record<string, string>> = {}): string {
  const builtIn: Readonly<Record<string, readonly string[]>> = {
    raw: ["PREROUTING", "OUTPUT"],
    mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    filter: ["INPUT", "FORWARD", "OUTPUT"],
  };
  let number = 0;
  return Object.entries(tables)
    .map(([table, rules]) => {
      const own = builtIn[table]!;
      const user = [...new Set(rules.map((rule) => rule.split(" ")[0]!))].filter((chain) => !own.includes(chain));
      return [
        `*${table}`,
        ...own.map((chain) => `:${chain} ${policies[chain] ?? "ACCEPT"} [0:0]`),
        ...user.map((chain) => `:${chain} - [0:0]`),
        ...rules.map((rule) => `[0:${++number}] -A ${rule}`),
        "COMMIT",
        "",
      ].join("\n");
    })
    .join("");
}

const ssh = "-p tcp -m tcp --dport 22 -m recent";

/** Programs with one window, by name. `window` is `--seconds N --hitcount H` or parts of it. */
const shapes: Readonly<Record<string, (window: string) => Readonly<Record<string, readonly string[]>>>> = {
  "set, update": (w) => ({ filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --update ${w} --name L -j DROP`] }),
  "update, set": (w) => ({ filter: [`INPUT ${ssh} --update ${w} --name L -j DROP`, `INPUT ${ssh} --set --name L`] }),
  "set, rcheck": (w) => ({ filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --rcheck ${w} --name L -j DROP`] }),
  "rcheck, set": (w) => ({ filter: [`INPUT ${ssh} --rcheck ${w} --name L -j DROP`, `INPUT ${ssh} --set --name L`] }),
  "update, set accept": (w) => ({
    filter: [`INPUT ${ssh} --update ${w} --name L -j DROP`, `INPUT ${ssh} --set --name L -j ACCEPT`, "INPUT -j DROP"],
  }),
  "rcheck, set accept": (w) => ({
    filter: [`INPUT ${ssh} --rcheck ${w} --name L -j REJECT`, `INPUT ${ssh} --set --name L -j ACCEPT`, "INPUT -j DROP"],
  }),
  "set accept, update": (w) => ({ filter: [`INPUT ${ssh} --set --name L -j ACCEPT`, `INPUT -m recent --update ${w} --name L -j DROP`] }),
  "set, log update, drop update": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j LOG --log-prefix "over "`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "set, log rcheck, drop update": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --rcheck ${w} --name L -j LOG --log-prefix "over "`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "log update, drop update, set": (w) => ({
    filter: [
      `INPUT ${ssh} --update ${w} --name L -j LOG --log-prefix "over "`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
      `INPUT ${ssh} --set --name L`,
    ],
  }),
  "log rcheck, drop rcheck, set": (w) => ({
    filter: [
      `INPUT ${ssh} --rcheck ${w} --name L -j LOG --log-prefix "over "`,
      `INPUT ${ssh} --rcheck ${w} --name L -j DROP`,
      `INPUT ${ssh} --set --name L`,
    ],
  }),
  "set, update without target": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --update ${w} --name L`, `INPUT ${ssh} --rcheck ${w} --name L -j DROP`],
  }),
  "update log, set": (w) => ({
    filter: [`INPUT ${ssh} --update ${w} --name L -j LOG --log-prefix "over "`, `INPUT ${ssh} --set --name L`],
  }),
  "set, update with limit behind, drop": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -m tcp --sport 1000:1999 -j LOG --log-prefix "low "`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "set, update with port behind": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --update ${w} --name L -m tcp --sport 1000:1999 -j DROP`],
  }),
  "set, update apart": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, "INPUT -p udp -j ACCEPT", `INPUT ${ssh} --update ${w} --name L -j DROP`],
  }),
  "set for all, update for one": (w) => ({ filter: ["INPUT -m recent --set --name L", `INPUT ${ssh} --update ${w} --name L -j DROP`] }),
  "two sets, rcheck": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, "INPUT -m recent --set --name L", `INPUT -m recent --rcheck ${w} --name L -j DROP`],
  }),
  "two sets, update": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, "INPUT -m recent --set --name L", `INPUT -m recent --update ${w} --name L -j DROP`],
  }),
  "set log, set drop, rcheck before": (w) => ({
    filter: [
      `INPUT -m recent --rcheck ${w} --name L -j DROP`,
      `INPUT -p tcp -m tcp --dport 139 -m recent --set --name L -j LOG --log-prefix "scan "`,
      "INPUT -p tcp -m tcp --dport 139 -m recent --set --name L -j DROP",
    ],
  }),
  "port-scan trap": (w) => ({
    filter: [
      `INPUT -m recent --rcheck ${w} --name L -j DROP`,
      "INPUT -m recent --remove --name L",
      `INPUT -p tcp -m tcp --dport 139 -m recent --set --name L -j LOG --log-prefix "scan "`,
      "INPUT -p tcp -m tcp --dport 139 -m recent --set --name L -j DROP",
    ],
  }),
  "negated rcheck accept": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} ! --rcheck ${w} --name L -j ACCEPT`, `INPUT ${ssh} --rcheck --name L -j DROP`],
  }),
  "negated rcheck accept, policy": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} ! --rcheck ${w} --name L -j ACCEPT`, "INPUT -j DROP"],
  }),
  "negated rcheck alone": (w) => ({
    filter: [`INPUT ${ssh} ! --rcheck ${w} --name L -j LOG --log-prefix "calm "`, `INPUT ${ssh} --set --name L`],
  }),
  "chain, negated update return": (w) => ({
    filter: [
      `INPUT -p tcp -m tcp --dport 22 -j LIMIT`,
      `LIMIT -m recent --set --name L`,
      `LIMIT -m recent ! --update ${w} --name L -j RETURN`,
      "LIMIT -j DROP",
    ],
  }),
  "chain, negated update accept": (w) => ({
    filter: [
      `INPUT -p tcp -m tcp --dport 22 -j LIMIT`,
      `LIMIT -m recent --set --name L`,
      `LIMIT -m recent ! --update ${w} --name L -j ACCEPT`,
      "LIMIT -j DROP",
    ],
  }),
  "negated update, set behind": (w) => ({
    filter: [
      `INPUT ${ssh} ! --update ${w} --name L -j LOG --log-prefix "calm "`,
      `INPUT ${ssh} --set --name L`,
      `INPUT -m recent --rcheck ${w} --name L -j DROP`,
    ],
  }),
  "negated set": (w) => ({ filter: [`INPUT ${ssh} ! --set --name L -j DROP`, `INPUT ${ssh} --update ${w} --name L -j DROP`] }),
  "remove on another port": (w) => ({
    filter: [
      "INPUT -p tcp -m tcp --dport 80 -m recent --remove --name L -j ACCEPT",
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "negated remove": (w) => ({
    filter: [
      "INPUT -p tcp -m tcp --dport 80 -m recent ! --remove --name L -j DROP",
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "remove without target": (w) => ({
    filter: [
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
      "INPUT -p tcp -m tcp --dport 80 -m recent --remove --name L",
      `INPUT ${ssh} --set --name L`,
    ],
  }),
  "remove and return": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      "C -p tcp -m tcp --dport 80 -m recent --remove --name L -j RETURN",
      "C -p tcp -m tcp --dport 443 -m recent ! --remove --name L -j RETURN",
      `C ${ssh} --set --name L`,
      `C ${ssh} --update ${w} --name L -j DROP`,
      "C -j LOG --log-prefix end",
    ],
  }),
  "return behind update": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C ${ssh} --set --name L`,
      `C ${ssh} --update ${w} --name L -j RETURN`,
      "C -j LOG --log-prefix end",
      "C -m tcp -p tcp --dport 80 -j DROP",
    ],
  }),
  "return behind rcheck and a port": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C ${ssh} --set --name L`,
      `C ${ssh} --rcheck ${w} --name L -m tcp --sport 1000:1999 -j RETURN`,
      "C -j LOG --log-prefix end",
    ],
  }),
  "goto behind update": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C ${ssh} --set --name L`,
      `C ${ssh} --update ${w} --name L -g D`,
      "C -j LOG --log-prefix end",
      "D -m tcp -p tcp --sport 1000:1999 -j DROP",
    ],
  }),
  "goto behind negated update": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C ${ssh} --set --name L`,
      `C ${ssh} ! --update ${w} --name L -g D`,
      "C -j DROP",
      "D -j LOG --log-prefix calm",
    ],
  }),
  "jump behind update": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j D`,
      "INPUT -j LOG --log-prefix end",
      "D -p tcp -m tcp --sport 1000:1999 -j DROP",
      "D -m recent --set --name other",
    ],
  }),
  "set with return": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C -m recent --update ${w} --name L -j DROP`,
      `C ${ssh} --set --name L -j RETURN`,
      "C -j LOG --log-prefix end",
    ],
  }),
  "set with goto": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C -m recent --update ${w} --name L -j DROP`,
      `C ${ssh} --set --name L -g D`,
      "C -j LOG --log-prefix end",
      "D -j LOG --log-prefix inside",
    ],
  }),
  "two chains": (w) => ({
    filter: [
      "INPUT -p tcp -m tcp --dport 22 -j A",
      "INPUT -p tcp -m tcp --dport 80 -j B",
      `A -m recent --set --name L`,
      `A -m recent --update ${w} --name L -j DROP`,
      `B -m recent --update ${w} --name L -j DROP`,
      "B -m recent --set --name L",
    ],
  }),
  "chain entered twice": (w) => ({
    filter: [
      "INPUT -p tcp -m tcp --dport 22 -j A",
      "INPUT -p tcp -j A",
      "A -m recent --set --name L",
      `A -m recent --rcheck ${w} --name L -j DROP`,
    ],
  }),
  "three tables": (w) => ({
    raw: ["PREROUTING -p tcp -m recent --set --name L"],
    mangle: [`PREROUTING ${ssh} --update ${w} --name L -j LOG --log-prefix "over "`],
    filter: [`INPUT ${ssh} --rcheck ${w} --name L -j DROP`],
  }),
  "set and rcheck in one rule": (w) => ({ filter: [`INPUT ${ssh} --set --name L -m recent --rcheck ${w} --name L -j DROP`] }),
  "set and update in one rule": (w) => ({ filter: [`INPUT ${ssh} --set --name L -m recent --update ${w} --name L -j DROP`] }),
  "rcheck and set in one rule": (w) => ({
    filter: [
      `INPUT ${ssh} --rcheck ${w} --name L -m recent --set --name L -j DROP`,
      "INPUT -p tcp -m tcp --dport 80 -m recent --set --name L",
    ],
  }),
  "two lists in one rule": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -m recent --set --name banned -j DROP`,
      "INPUT -m recent --rcheck --seconds 1 --name banned -j DROP",
    ],
  }),
  "two checks in one rule": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT -p tcp -m tcp --dport 80 -m recent --set --name M`,
      `INPUT -m recent --update ${w} --name L -m recent ! --update ${w} --name M -j DROP`,
    ],
  }),
  "negated and plain check in one rule": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT -m recent ! --rcheck ${w} --name L -m recent --update --seconds 2 --name L -j LOG --log-prefix "few "`,
      `INPUT -m recent --update ${w} --name L -j DROP`,
    ],
  }),
  "negated check with return": (w) => ({
    filter: [
      "INPUT -p tcp -j C",
      "INPUT -j LOG --log-prefix back",
      `C ${ssh} --set --name L`,
      `C -m recent ! --rcheck ${w} --name L -m recent --rcheck --name L -j RETURN`,
      "C -j LOG --log-prefix end",
    ],
  }),
  "two windows": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
      `INPUT ${ssh} --update --seconds 3 --hitcount 7 --name L -j DROP`,
    ],
  }),
  "window and membership": (w) => ({
    filter: [
      `INPUT ${ssh} --rcheck --seconds 2 --name L -j LOG --log-prefix "known "`,
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "window and presence": (w) => ({
    filter: [
      `INPUT ${ssh} --rcheck --name L -j LOG --log-prefix "known "`,
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "window and count": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --rcheck --hitcount 4 --name L -j LOG --log-prefix "four "`,
      `INPUT ${ssh} --update ${w} --name L -j DROP`,
    ],
  }),
  "source and destination": (w) => ({
    filter: [
      `INPUT ${ssh} --set --name L --rdest`,
      `INPUT -m recent --update ${w} --name L --rsource -j DROP`,
      `INPUT -p tcp -m tcp --dport 80 -m recent --set --name L --rsource`,
    ],
  }),
  "destination only": (w) => ({ filter: [`INPUT ${ssh} --set --name L --rdest`, `INPUT ${ssh} --update ${w} --name L --rdest -j DROP`] }),
  "mask 24": (w) => ({
    filter: [`INPUT ${ssh} --set --name L --mask 255.255.255.0`, `INPUT ${ssh} --update ${w} --name L --mask 255.255.255.0 -j DROP`],
  }),
  "mask of the first rule": (w) => ({
    filter: [`INPUT ${ssh} --update ${w} --name L --mask 255.255.255.0 -j DROP`, `INPUT -m recent --set --name L`],
  }),
  "rttl, one TTL": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --update ${w} ${w === "" ? "" : "--rttl"} --name L -j DROP`],
  }),
  "reap with one window": (w) => ({
    filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} --update ${w} ${w.includes("--seconds") ? "--reap" : ""} --name L -j DROP`],
  }),
  forwarded: (w) => ({
    filter: [
      `FORWARD ${ssh} --set --name L`,
      `FORWARD ${ssh} --update ${w} --name L -j DROP`,
      `INPUT ${ssh} --rcheck ${w} --name L -j DROP`,
    ],
  }),
  "policy drop": (w) => ({ filter: [`INPUT ${ssh} --set --name L`, `INPUT ${ssh} ! --rcheck ${w} --name L -j ACCEPT`] }),
  "penalty list": (w) => ({
    filter: [
      "INPUT -m recent --update --seconds 2 --name bad -j DROP",
      `INPUT ${ssh} --set --name L`,
      `INPUT ${ssh} --rcheck ${w} --name L -m recent --set --name bad -j DROP`,
    ],
  }),
};

export const shapeNames: readonly string[] = Object.keys(shapes);

function windowText(seconds: number | undefined, hits: number | undefined): string {
  return [seconds === undefined ? "" : `--seconds ${seconds}`, hits === undefined ? "" : `--hitcount ${hits}`]
    .filter((word) => word !== "")
    .join(" ");
}

/** One shape with one window; either part of the window may be left out. */
export function program(shape: string, seconds: number | undefined, hits: number | undefined): Program {
  const window = windowText(seconds, hits);
  const text = dump(shapes[shape]!(window), shape === "policy drop" ? { INPUT: "DROP" } : {});
  const all = [...text.matchAll(/--seconds (\d+)/g)].map(([, value]) => Number(value));
  return {
    name: `${shape}: ${window || "no window"}`,
    dump: text,
    seconds: [...new Set(all)].sort((a, b) => a - b),
    hits: Math.max(1, ...[...text.matchAll(/--hitcount (\d+)/g)].map(([, value]) => Number(value))),
  };
}
