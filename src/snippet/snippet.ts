/** The window of `recent` for firewalls that never were iptables': N packets of a source in so many seconds, as nft to paste. */

import { effectOf, type Diagnostic } from "../diagnostic.js";
import type { Family } from "../iptables/ast.js";
import { goto, match, meta, symbol, type NftChain, type NftRule, type NftScript, type NftTable } from "../nft/ast.js";
import { emitTableBlock } from "../nft/emit.js";
import { requirements } from "../nft/requirements.js";
import { tableNameFault } from "../nft/table-name.js";
import { elementBytes } from "../rewrite/recent/form.js";
import { wholeNumberFault } from "../option-checks.js";
import { translate } from "../translate.js";
import { matchFault } from "./match.js";

export interface SnippetRequest {
  /** Of the chain to jump to; the names of sets and other chains begin with it. */
  readonly name: string;
  /** Length of the window. */
  readonly seconds: number;
  /** Packets of a source in the window from which on it is stopped, that packet included. */
  readonly hits: number;
  /** Which packets are counted, in nft's own words: `tcp dport 22 ct state new`. All of them if empty. */
  readonly match: string;
  readonly table: Pick<NftTable, "family" | "name">;
  /** The chain of that table which asks. */
  readonly chain: string;
  readonly form: SnippetForm;
  readonly verdict: "drop" | "reject";
  /** Hosts that a set may hold; 65,535 unless told. */
  readonly setSize?: number;
  /** The version of nft it is for; the present one unless told. */
  readonly targetNft?: string;
}

/** As the forms of `recent`: exact, shorter and stricter, or shorter and looser. */
export const snippetForms = ["exact", "ban", "limit"] as const;
export type SnippetForm = (typeof snippetForms)[number];

/** What xt_recent takes; forms hold less, and say so. */
export const mostSeconds = 0x7fff_ffff;
export const mostHits = 65_535;

/**
 * The text of the snippet: a block of the table with the sets, the chains and the rule that asks, which nft takes as it is.
 * Throws a `RangeError` that names the part of the request which is not what it must be, or which the form cannot hold.
 */
export function snippet(request: SnippetRequest): string {
  checkRequest(request);
  const { table, chain, name, targetNft } = request;
  const { script, diagnostics } = translated(request);
  const { sets, chains } = ownPart(script, request);
  const block = emitTableBlock({ ...table, helpers: [], sets, chains }, targetNft);
  const asked = request.match.trim();
  const counted = [...block.slice(0, -1), "", `\tchain ${chain} {`, `\t\t${asked === "" ? "" : `${asked} `}jump ${name}`, "\t}", "}"];
  return `${[...heading(request, script, sets.length, diagnostics).map((line) => `# ${line}`), ...counted].join("\n")}\n`;
}

function checkRequest({ name, seconds, hits, table, chain, match: asked, form, verdict }: SnippetRequest): void {
  const faults: readonly (readonly [what: string, value: unknown, fault: string | undefined])[] = [
    ["name", name, nameFault(name)],
    ["table", table.name, nameFault(table.name)],
    ["table", table.family, choiceFault(table.family, Object.keys(families))],
    ["chain", chain, nameFault(chain) ?? (chain === name ? "it asks the chain of that name, and cannot be it" : undefined)],
    ["seconds", seconds, wholeNumberFault(seconds, 1, mostSeconds)],
    ["hits", hits, wholeNumberFault(hits, 2, mostHits)],
    ["form", form, choiceFault(form, snippetForms)],
    ["verdict", verdict, choiceFault(verdict, ["drop", "reject"])],
    ["match", asked, matchFault(asked)],
  ];
  for (const [what, value, fault] of faults) {
    if (fault !== undefined) throw new RangeError(`${what} ${JSON.stringify(value)}: ${fault}`);
  }
}

/** Names that nft takes wherever one may stand. */
function nameFault(name: string): string | undefined {
  return tableNameFault(name)?.replace("a table name", "a name");
}

function choiceFault(value: string, choices: readonly string[]): string | undefined {
  return choices.includes(value) ? undefined : `it must be one of ${choices.join(", ")}`;
}

const families: Readonly<Record<NftTable["family"], readonly Family[]>> = { ip: ["ipv4"], ip6: ["ipv6"], inet: ["ipv4", "ipv6"] };

/** The user chain that holds the rules in the ruleset that is translated. */
const window = "window";

/** What an administrator of iptables would have written, translated. */
function translated(request: SnippetRequest): { readonly script: NftScript; readonly diagnostics: readonly Diagnostic[] } {
  const { table, form, setSize, targetNft } = request;
  const sources = families[table.family].map((family) => ({
    file: family,
    family,
    text: [
      "*filter",
      ":INPUT ACCEPT [0:0]",
      `:${window} - [0:0]`,
      `-A INPUT -j ${window}`,
      ...rulesOf(request).map((rule) => `-A ${window} ${rule}`),
      "COMMIT",
      "",
    ].join("\n"),
  }));
  const { nft, diagnostics, outcome } = translate(sources, {
    table: table.name,
    recent: form,
    counters: false,
    inet: table.family === "inet",
    ...(setSize !== undefined && { setSize }),
    ...(targetNft !== undefined && { targetNft }),
  });
  const refusal = diagnostics.find(({ code }) => ["invalid", "refused"].includes(effectOf(code)));
  if (!nft || outcome === "refused") throw new RangeError(refusal?.message ?? "the window cannot be written");
  return { script: nft, diagnostics };
}

/** The rules of iptables that the snippet stands for. */
function rulesOf({ name, seconds, hits, verdict }: SnippetRequest): string[] {
  return [
    `-m recent --name ${name} --set`,
    `-m recent --name ${name} --update --seconds ${seconds} --hitcount ${hits} -j ${verdict.toUpperCase()}`,
  ];
}

/** Without what belongs to the ruleset around the window: its base chains, and comments that show iptables rules. */
function ownPart({ tables: [made] }: NftScript, { table, name }: SnippetRequest): Pick<NftTable, "sets" | "chains"> {
  const both = table.family === "inet";
  const entrances = new Map<string, string>();
  for (const { name: old, holds } of made!.chains) {
    if (holds?.chain !== window) continue;
    entrances.set(old, both ? `${name}_${entrances.size === 0 ? "ipv4" : "ipv6"}` : name);
  }
  const chains = made!.chains
    .filter(({ base }) => base === undefined)
    .map((chain): NftChain => {
      const entries = chain.entries.filter((entry) => entry.kind === "rule");
      const entrance = entrances.get(chain.name);
      return entrance === undefined ? { ...chain, entries } : { name: entrance, entries };
    });
  if (!both) return { sets: made!.sets, chains };
  const rule = (family: Family): NftRule => ({
    kind: "rule",
    statements: [match(meta("nfproto"), symbol(family)), goto(`${name}_${family}`)],
  });
  return { sets: made!.sets, chains: [...chains, { name, entries: families.inet.map(rule) }] };
}

function heading(request: SnippetRequest, script: NftScript, sets: number, diagnostics: readonly Diagnostic[]): string[] {
  const { hits, seconds, form, table, chain, match: asked, setSize = 65_535, targetNft } = request;
  const { nft, kernel } = requirements({ tables: script.tables, targetNft });
  const setsOfFamily = sets / families[table.family].length;
  const [bytes, ofSix] = families[table.family].map((family) => setsOfFamily * elementBytes[family]);
  const isGuarded = diagnostics.some(({ code }) => code === "recent-flood-guard");
  const counted = asked.trim();
  return [
    `Stops a source from its packet no. ${hits} within ${seconds} s on${counted === "" ? "." : `; counted are packets with ${counted}.`}`,
    ...meaning[form](request),
    ...(isGuarded ? ["A source over the limit that goes on with more than 20 tries a second may stay out up to 0.35 s longer."] : []),
    `In iptables: ${rulesOf(request).join(", then ")}`,
    "",
    `Takes ${sets} sets, and at most about ${bytes} bytes of memory for a source${ofSix === undefined ? "" : ` (IPv6: ${ofSix})`}.`,
    `While ${setSize} sources are known, new ones are not counted, and pass. Needs nft ${nft} and Linux ${kernel}.`,
    "",
    `The sets and chains go into your table ${table.family} ${table.name},`,
    `the rule of chain ${chain} before the one that accepts these packets.`,
    "nft -f appends it to the chain: once, since two such rules count each packet twice. The chain must be one of yours with a hook.",
  ];
}

/** What each form does, in a line or two. */
const meaning: Readonly<Record<SnippetForm, (request: SnippetRequest) => readonly string[]>> = {
  exact: ({ hits, seconds }) => [
    `Exactly: ${hits === 2 ? "1 packet passes" : `${hits - 1} packets pass`} in any ${seconds} s.`,
    "A stopped packet counts too: a source that goes on stays out.",
  ],
  ban: ({ hits, seconds }) => [
    `The short form: ${hits - 1} may pass, and the first one too many bans the source until it has been silent for ${seconds} s.`,
    "Nothing passes that the exact form stops; a source that was over the limit and goes on, more slowly, stays out longer.",
  ],
  limit: ({ hits, seconds }) => [
    `The limit form, a token bucket with a ban until ${seconds} s of silence. It is looser than the exact form:`,
    `up to ${2 * hits - 1} packets of a source can pass in ${seconds} s before its first ban,`,
    `and one that stays under ${hits} packets in ${seconds} s on average is never stopped.`,
  ],
};
