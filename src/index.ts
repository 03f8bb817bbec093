/** The library: everything a program needs to translate a ruleset; runs wherever JavaScript does. */

export { translate, type Outcome, type Source, type TranslateOptions, type Translation } from "./translate.js";
export { catalogue, effectOf, type Diagnostic, type DiagnosticCode, type Effect, type Severity, type Span } from "./diagnostic.js";
export type * from "./iptables/ast.js";
export type * from "./nft/ast.js";
export { emit } from "./nft/emit.js";
export type { RecentForm } from "./rewrite/ruleset.js";
