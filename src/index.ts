/** The library: everything a program needs to translate a ruleset; runs wherever JavaScript does. */

export { translate, type Outcome, type Source, type TranslateOptions, type Translation } from "./translate.js";
export { catalogue, effectOf, type Diagnostic, type DiagnosticCode, type Effect, type Severity, type Span } from "./diagnostic.js";
export type { AddressRange, Geoip } from "./geoip/ranges.js";
export type * from "./iptables/ast.js";
export type * from "./nft/ast.js";
export { emit } from "./nft/emit.js";
export { dispensableParts, type KernelPartName } from "./nft/kernel-parts.js";
export type { RecentForm } from "./rewrite/ruleset.js";
export { reviewRulesets, type ReviewRequest } from "./review/review.js";
export type * from "./review/report.js";
export { snippet, type SnippetForm, type SnippetRequest } from "./snippet/snippet.js";
export { searchLists, type Effort, type ListSearch, type SearchOptions } from "./simulate/search.js";
export { compareLimits, type LimitComparison } from "./simulate/scenarios.js";
export type { Timeline, TimelineEvent } from "./simulate/timeline.js";
