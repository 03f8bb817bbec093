/** How long the kernel takes to load long lists, by turns with iptables-restore: whatever else the machine does, ratios hold. */

import { translate } from "../../src/index.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { longLists } from "./long-lists.js";
import { median, optionsOf } from "./packet-cost.js";

const rounds = 7;
const forms = ["plain", "optimised", "optimised, no counters"] as const;

/** A row for each way: milliseconds of wall time and of processor time, and the ratio of the latter to iptables'. */
export async function measureLoading(name: string): Promise<string> {
  const shape = longLists.find((one) => one.name === name);
  if (!shape) throw new Error(`no list is called ${name}`);
  const dump = shape.dump(0);
  const scripts = forms.map((form) => translate(dump, { ...optionsOf(form), family: "ipv4" }).script!);
  const ways = ["iptables-restore", "iptables-restore -c", ...forms];
  const loads = [
    "iptables-legacy-restore < dump",
    "iptables-legacy-restore -c < counted",
    ...forms.map((_, index) => `nft -f ${index}.nft`),
  ];
  const files = {
    dump,
    counted: dump.replaceAll(/^-A /gm, "[0:0] -A "),
    ...Object.fromEntries(scripts.map((script, index) => [`${index}.nft`, script])),
    "load.sh": `set -e
cd "$(dirname "$0")"
TIMEFORMAT='%3R %3U %3S'
for round in {1..${rounds}}; do
${loads
  .map((load, index) => `  iptables-legacy -F; nft flush ruleset\n  took=$( { time ${load}; } 2>&1 ); echo "took ${index} $took"`)
  .join("\n")}
done
`,
  };
  const output = await withFiles(files, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(`${directory}/load.sh`, 900);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  });
  const times = ways.map((): { wall: number[]; processor: number[] } => ({ wall: [], processor: [] }));
  for (const [, way, wall, user, system] of output.matchAll(/^took (\d+) ([\d.]+) ([\d.]+) ([\d.]+)$/gm)) {
    times[Number(way)]!.wall.push(Number(wall) * 1000);
    times[Number(way)]!.processor.push((Number(user) + Number(system)) * 1000);
  }
  const costs = times.map(({ wall, processor }) => ({ wall: median(wall), processor: median(processor) }));
  return [
    `| loading ${name} | ms | of the processor | ratio |`,
    "|---|---|---|---|",
    ...ways.map((way, index) => {
      const { wall, processor } = costs[index]!;
      return `| ${way} | ${wall.toFixed(0)} | ${processor.toFixed(0)} | ${(processor / costs[0]!.processor).toFixed(2)} |`;
    }),
    "",
  ].join("\n");
}
