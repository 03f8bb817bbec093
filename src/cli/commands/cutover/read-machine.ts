/** Reads what this machine's kernel holds: both kinds of iptables, sets, hosts on lists, tables of nft. */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { SavedRules, SeenHosts, Machine, TableName, Variant } from "../../../cutover/machine.js";
import { Failure } from "../../../failure.js";
import type { Family } from "../../../iptables/ast.js";
import { families } from "../../../iptables/family.js";
import { owners } from "../../../owners/owners.js";
import { findProgram } from "../../../run-program.js";
import { decode } from "../../read-file.js";
import { ask, askForText } from "./programs.js";

const variants: readonly Variant[] = ["legacy", "nft"];

/** @param table the name of our own tables */
export async function readMachine(table: string): Promise<Machine> {
  const tables = await readTables();
  const own = tables.filter(({ family, name }) => name === table && (family === "ip" || family === "ip6" || family === "inet"));
  let ownTables = "";
  for (const { family, name } of own) ownTables += await ask("nft", ["list", "table", family, name]);
  const saved: SavedRules[] = [];
  for (const family of families) {
    for (const variant of variants) {
      const one = await readSavedRules(variant, family);
      if (one) saved.push(one);
    }
  }
  const ipsets = await readIpsets(saved);
  return {
    live: liveOwners(),
    saved,
    ipsets: ipsets.text,
    ipsetsEncoding: ipsets.encoding,
    lists: readLists(),
    tables,
    ownTables,
  };
}

/** The programs of `owners` that run, in this network namespace as far as can be seen. */
function liveOwners(): Set<string> {
  const here = readlinkSync("/proc/self/ns/net");
  const running = new Set<string>();
  for (const pid of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    try {
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      if (processNames.has(name) && !hasEnded(pid) && namespaceOf(pid, here) === here) running.add(name);
    } catch {
      // It has ended.
    }
  }
  return new Set(owners.flatMap(({ name, processes }) => (processes.some((one) => running.has(one.slice(0, 15))) ? [name] : [])));
}

const processNames = new Set(owners.flatMap(({ processes }) => processes.map((name) => name.slice(0, 15))));

/** A process that has ended keeps its name until its parent asks for its status. */
const hasEnded = (pid: string): boolean => /^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

/** One that may not be looked at counts as here: better a chain too many stays. */
function namespaceOf(pid: string, here: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return here;
  }
}

/** A kernel without sets answers ipset with an error, and has no rule that asks one. */
async function readIpsets(saved: readonly SavedRules[]): Promise<ReturnType<typeof decode>> {
  const none = { text: "", encoding: "utf8" } as const;
  if (findProgram("ipset") === undefined) return none;
  try {
    return await askForText("ipset", ["save"]);
  } catch (error) {
    if (saved.some(({ text }) => / (?:-m set|-j SET) /.test(text))) throw error;
    return none;
  }
}

async function readTables(): Promise<TableName[]> {
  const listed = await ask("nft", ["list", "tables"]);
  return [...listed.matchAll(/^table (\S+) (\S+)$/gm)].map(([, family, name]) => ({ family: family as TableName["family"], name: name! }));
}

/** Undefined where there are no programs of the kind. */
async function readSavedRules(variant: Variant, family: Family): Promise<SavedRules | undefined> {
  const base = family === "ipv4" ? "iptables" : "ip6tables";
  let prefix = `${base}-${variant}`;
  if (findProgram(`${prefix}-save`) === undefined) {
    // Where one kind alone is installed its programs may have the plain names.
    if (findProgram(`${base}-save`) === undefined) return undefined;
    const kind = (await ask(base, ["-V"])).includes("nf_tables") ? "nft" : "legacy";
    if (kind !== variant) return undefined;
    prefix = base;
  }
  const [save, restore, iptables] = [`${prefix}-save`, `${prefix}-restore`, prefix].map((name) => findProgram(name));
  if (save === undefined || restore === undefined || iptables === undefined) {
    throw new Failure(`${prefix}-save is installed, and ${prefix}-restore or ${prefix} is not`);
  }
  return { variant, family, ...(await askForText(save, ["-c"])), save, restore, iptables };
}

const folder = "/proc/net/xt_recent";

/** Lists that hold a host. Their order and that of their hosts are the kernel's. */
export function readLists(): SeenHosts[] {
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: "buffer" });
  } catch {
    return [];
  }
  const clock = readClock();
  return names.flatMap((name) => {
    let text: string;
    try {
      text = readFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), "latin1");
    } catch {
      // It went with its last rule.
      return [];
    }
    const hosts = readHosts(text, clock);
    const { text: list, encoding } = decode(name);
    // No restore program reads a rule with such a name.
    return hosts.length === 0 || list.includes("\n") ? [] : [{ list, encoding, hosts }];
  });
}

/** The kernel's clock: its ticks now, and how many of them a second has. */
interface Clock {
  readonly ticks: number;
  readonly rate: number;
}

/** The ticks begin five minutes before they leave 32 bits (INITIAL_JIFFIES in linux/jiffies.h). */
const beginning = 2 ** 32;
const secondsBefore = 300;

/** Undefined where the kernel does not show it; /proc/timer_list is root's. */
function readClock(): Clock | undefined {
  try {
    const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
    const ticks = Number(/^jiffies: ([0-9]+)$/m.exec(readFileSync("/proc/timer_list", "latin1"))?.[1]);
    return clockOf(uptime, ticks);
  } catch {
    return undefined;
  }
}

/** @param uptime in seconds */
export function clockOf(uptime: number, ticks: number): Clock | undefined {
  // `uptime * rate = ticks - (beginning - secondsBefore * rate)`; the kernel is built with one of these.
  const rate = [100, 250, 300, 1000].find((one) => Math.abs((ticks - beginning) / one + secondsBefore - uptime) < 5 + uptime / 1000);
  return rate === undefined ? undefined : { ticks, rate };
}

/** Of a file of /proc/net/xt_recent. */
export function readHosts(text: string, clock: Clock | undefined): SeenHosts["hosts"] {
  return text.split("\n").flatMap((line) => {
    const [, address, ttl, stamps] = /^src=([0-9a-fA-F.:]+) ttl: ([0-9]+) .*oldest_pkt: [0-9]+ ([0-9, ]+)$/.exec(line) ?? [];
    if (address === undefined) return [];
    const ages = stamps!.split(", ").map((stamp) => clock && Math.max(0, (clock.ticks - Number(stamp)) / clock.rate));
    return [{ address, ttl: Number(ttl), ages }];
  });
}
