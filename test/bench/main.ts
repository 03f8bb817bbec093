/**
 * The benchmarks: `npm run bench` for all, `npm run bench -- packets slow "set, update"` for the packets of one kind of traffic
 * and the shapes that begin so, `npm run bench -- optimize [NAME]` for long lists of rules, and `optimize corpus` for
 * rulesets of the corpus, `npm run bench -- loading [NAME]` for the time to load such a list, `npm run bench -- translator [FILE…]` for the
 * translator's time and memory, of further dumps too, `npm run bench -- memory` for the kernel memory of scripts, `npm run bench -- corpus`
 * for a corpus of a thousand dumps, `npm run bench -- simulate` for the speed of the models, `npm run bench -- growth [NAME…]` for time and
 * memory of inputs that double, all or those whose names begin so.
 */

import { measureCorpus } from "./corpus-time.js";
import { measureGrowth } from "./growth.js";
import { measureMemory } from "./memory-cost.js";
import { measurePackets, packetTable, traffics, type Cost } from "./packet-cost.js";
import { measureLoading } from "./load-time.js";
import { corpusLists, longLists } from "./long-lists.js";
import { shapes } from "./shapes.js";
import { measureSimulation } from "./simulation-speed.js";
import { measureTranslator } from "./translator-time.js";

const [subject = "all", kind, prefix = ""] = process.argv.slice(2);
const files = subject === "translator" ? process.argv.slice(3) : [];

if (subject === "all" || subject === "translator") process.stdout.write(`${measureTranslator(files)}\n`);

if (subject === "all" || subject === "corpus") process.stdout.write(`${measureCorpus()}\n`);

if (subject === "all" || subject === "simulate") process.stdout.write(`${measureSimulation()}\n`);

if (subject === "all" || subject === "growth") process.stdout.write(`${measureGrowth(process.argv.slice(3))}\n`);

if (subject === "all" || subject === "memory") process.stdout.write(`${await measureMemory()}\n`);

if (subject === "all" || subject === "optimize") {
  const chosen = kind === "corpus" ? corpusLists() : longLists.filter(({ name }) => name.startsWith(kind ?? ""));
  const traffic = { ...traffics.find(({ name }) => name === "64 hosts")!, loops: 400, turns: 5, together: 2 };
  process.stdout.write(
    `Microseconds of processor time per packet above an empty namespace (ratio to iptables):\n\n${packetTable(await measurePackets(traffic, chosen))}\n`,
  );
}

if (subject === "all" || subject === "loading") process.stdout.write(`${await measureLoading(kind ?? "50000 addresses")}\n`);

if (subject === "all" || subject === "packets") {
  const costs: Cost[] = [];
  for (const traffic of traffics.filter(({ name }) => kind === undefined || kind === "all" || name === kind)) {
    process.stderr.write(`measuring ${traffic.name}\n`);
    costs.push(
      ...(await measurePackets(
        traffic,
        shapes.filter(({ name }) => name.startsWith(prefix)),
      )),
    );
  }
  process.stdout.write(
    `Microseconds of processor time per packet above an empty namespace (ratio to iptables):\n\n${packetTable(costs)}\n`,
  );
}
