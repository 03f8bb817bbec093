/** Brings the rulesets of several dumps together: at most one for each family. */

import type { Diagnostic } from "../diagnostic.js";
import { diagnostic } from "../diagnostic.js";
import type { IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import { families } from "../iptables/family.js";

interface Built {
  readonly rulesets: readonly IptablesRuleset[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A table that a later dump of the same family brings again replaces the earlier, as loading one dump after the other does. */
export function mergeByFamily(built: readonly Built[]): { rulesets: IptablesRuleset[]; diagnostics: Diagnostic[] } {
  const diagnostics = built.flatMap((one) => [...one.diagnostics]);
  const rulesets = families.flatMap((family) => {
    const tables: IptablesTable[] = [];
    for (const table of built
      .flatMap((one) => one.rulesets)
      .filter((one) => one.family === family)
      .flatMap((one) => one.tables)) {
      const earlier = tables.findIndex(({ name }) => name === table.name);
      if (earlier >= 0) {
        const { span, chains } = tables[earlier]!;
        const rules = chains.reduce((sum, chain) => sum + chain.rules.length, 0);
        diagnostics.push(
          diagnostic(
            "repeated-table",
            table.span,
            `table "${table.name}" replaces the one of ${span.file} line ${span.line} with its ${rules} rules, as loading the dumps ` +
              "one after the other does",
            "the dumps of several machines are translated one by one, or all of a folder by: " +
              "ipt2nft-recent fleet 'FOLDER/**/*.v?' --out SCRIPTS",
          ),
        );
        tables.splice(earlier, 1);
      }
      tables.push(table);
    }
    return tables.length > 0 ? [{ family, tables }] : [];
  });
  return { rulesets, diagnostics };
}
