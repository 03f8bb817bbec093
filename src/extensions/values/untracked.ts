/** Packets without a connection: every other `ct` expression stops the rule at them, so matches that hold for them say so. */

import { ct, match, oneOf, symbol, type Statement } from "../../nft/ast.js";

const withoutConnection = oneOf([symbol("invalid"), symbol("untracked")]);

export const untracked: Statement = match(ct("state"), withoutConnection);
export const tracked: Statement = match(ct("state"), withoutConnection, true);
