/** Long lists of rules, as a list and as `--optimize` writes them; the packets that are sent match none of them. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { translate } from "../../src/translate.js";
import type { Form, Shape } from "./shapes.js";

function list(
  name: string,
  rules: readonly string[],
  chains: readonly string[] = [],
  {
    table = "filter",
    forms = ["plain", "optimised", "optimised, no counters"],
  }: { readonly table?: string; readonly forms?: readonly Form[] } = {},
): Shape {
  return {
    name,
    hits: 0,
    family: "ipv4",
    forms,
    dump: () => [`*${table}`, ":INPUT ACCEPT [0:0]", ...chains.map((chain) => `:${chain} - [0:0]`), ...rules, "COMMIT", ""].join("\n"),
  };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
/** Hosts that send have small numbers in this network. */
const address = (index: number): string => `10.200.${index >> 8}.${index & 255}`;
const bridges = ["docker0", "br-5d1c0a9be3f2", "br-9f0e7c4418aa", "br-c2b6d80317ee"];
const services = (count: number): string[] => numbers(count).map((index) => `SVC-${index}`);

export const longLists: readonly Shape[] = [
  ...[100, 1000, 10_000].map((count) =>
    list(
      `${count} addresses`,
      numbers(count).map((index) => `-A INPUT -s ${address(index)}/32 -j DROP`),
    ),
  ),
  list("1000 networks with 100 exceptions", [
    ...numbers(100).map((index) => `-A INPUT -s 10.${100 + (index >> 8)}.${index & 255}.16/28 -j ACCEPT`),
    ...numbers(1000).map((index) => `-A INPUT -s 10.${100 + (index >> 8)}.${index & 255}.0/24 -j DROP`),
  ]),
  ...[200, 2000].map((count) =>
    list(
      `${count} services`,
      [
        "-A INPUT -j SERVICES",
        ...services(count).map((chain, index) => `-A SERVICES -d ${address(index)}/32 -p udp -m udp --dport ${8000 + index} -j ${chain}`),
        ...services(count).map((chain) => `-A ${chain} -j ACCEPT`),
      ],
      ["SERVICES", ...services(count)],
    ),
  ),
  // As the rules of Docker's nat table, which every new connection meets.
  list("100 published ports", [
    ...bridges.map((bridge) => `-A INPUT -i ${bridge} -j RETURN`),
    ...numbers(100).map(
      (index) =>
        `-A INPUT ! -i ${bridges[index % bridges.length]!} -p ${index % 5 === 0 ? "tcp" : "udp"} --dport ${20_000 + index} -j ACCEPT`,
    ),
  ]),
  ...[200, 1000].map((count) =>
    list(
      `${count} rules of networks and ports`,
      numbers(count).map(
        (index) =>
          `-A INPUT -s 10.${100 + (index >> 8)}.${index & 255}.0/24 -d 192.0.2.${(index % 30) * 8}/29 -p ${index % 3 === 0 ? "udp" : "tcp"} ` +
          `--dport ${1000 + (index % 7) * 10}:${1005 + (index % 7) * 10} -j ACCEPT`,
      ),
    ),
  ),
  list(
    "100 marks",
    numbers(100).map((index) => `-A INPUT -s ${address(index)}/32 -j MARK --set-mark ${index + 1}`),
    [],
    { table: "mangle" },
  ),
  // A list of so many takes nft a quarter of a millisecond for each packet.
  list(
    "50000 addresses",
    numbers(50_000).map((index) => `-A INPUT -s ${address(index)}/32 -j DROP`),
    [],
    { forms: ["optimised", "optimised, no counters"] },
  ),
  list(
    "20 addresses",
    numbers(20).map((index) => `-A INPUT -s ${address(index)}/32 -j DROP`),
  ),
];

/** Rulesets of the corpus, as machines have them, which `--optimize` writes otherwise. */
export function corpusLists(): Shape[] {
  return ["machine", "idiom", "generated"].flatMap((group) =>
    readdirSync(join("corpus", group)).flatMap((name): Shape[] => {
      const folder = join("corpus", group, name);
      const file = join(folder, "rules.v4");
      if (!existsSync(file) || existsSync(join(folder, "sets.ipset"))) return [];
      const text = readFileSync(file, "utf8");
      const [plain, optimised] = [false, true].map((optimize) => translate(text, { family: "ipv4", optimize }).script);
      if (plain === undefined || plain === optimised) return [];
      return [{ name: `${group}/${name}`, hits: 0, family: "ipv4", forms: ["plain", "optimised"], dump: () => text }];
    }),
  );
}
