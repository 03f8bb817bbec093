/** Both models of one family, side by side. */

import type { IptablesRuleset } from "../iptables/ast.js";
import type { NftTable } from "../nft/ast.js";
import { NftMachine } from "./nft-machine.js";
import { XtModel, type XtOptions } from "./xt-model.js";

/** The table with the rules of a family. */
export function tableOf({ family }: IptablesRuleset, tables: readonly NftTable[]): NftTable | undefined {
  return tables.find((table) => table.family === "inet" || (table.family === "ip") === (family === "ipv4"));
}

/** Both models of one family. */
export interface Models {
  readonly xtables: XtModel;
  readonly nft: NftMachine;
}

/** Lists never forget hosts, as sets do not, unless `listSize` says how many they remember. Throws `NotModelled`. */
export function modelsOf(ruleset: IptablesRuleset, table: NftTable, options: XtOptions = {}): Models {
  const xtables = new XtModel(ruleset, { listSize: Infinity, ...options });
  return { xtables, nft: new NftMachine(table, { family: ruleset.family, opaqueSets: xtables.opaqueSets }) };
}
