/**
 * Which files of a folder make which case.
 *
 * A folder with `rules.v4`, `rules.v6` or `rules.sh` is a case, with `sets.ipset`, `geoip.csv`, `options.json`, `expected.nft`
 * and `expected.diagnostics` beside them. Any other `x.v4`, `x.v6` or `x.rules` is a case by its stem, with `x.ipset`,
 * `x.geoip.csv`, `x.options.json`, `x.nft` and `x.diagnostics`.
 */

/** The files of one case; paths from the corpus folder on, with `/`. */
export interface CaseFiles {
  /** The folder, or the path up to the stem: `web/login-throttle`. */
  readonly name: string;
  /** Dumps or scripts, in the order they are translated in; at least one. */
  readonly sources: readonly string[];
  readonly ipsets?: string;
  readonly geoip?: string;
  readonly options?: string;
  /** Where the expected script stands, or would. */
  readonly script: string;
  /** Where the expected diagnostics stand, or would. */
  readonly diagnostics: string;
}

export interface Layout {
  /** By name. */
  readonly cases: readonly CaseFiles[];
  /** Files that look like a part of a case, and no case reads. */
  readonly strays: readonly string[];
  /** Names that a folder and a stem share. */
  readonly ambiguous: readonly string[];
}

const folderSources = ["rules.v4", "rules.v6", "rules.sh"];
const stemSources = [".v4", ".v6", ".rules"];
const stemmed = new RegExp(`^(.+)(?:${stemSources.join("|").replaceAll(".", "\\.")})$`);
const partOfCase =
  /^(?:rules\.(?:v4|v6|sh)|sets\.ipset|geoip\.csv|options\.json|expected\..*|.*\.(?:nft|diagnostics|ipset|geoip\.csv|options\.json))$/;

/** Finds the cases among the files; `rootName` is how the case is called whose files stand in the corpus folder itself. */
export function findCases(paths: readonly string[], rootName: string): Layout {
  const present = new Set(paths);
  const names = new Map<string, CaseNames>();
  for (const path of paths) {
    const found = namesOf(path, rootName);
    if (found) names.set(found.script, found);
  }
  const cases = [...names.values()].map((one) => presentOf(one, present)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const read = new Set(
    cases.flatMap(({ sources, ipsets, geoip, options, script, diagnostics }) => [...sources, ipsets, geoip, options, script, diagnostics]),
  );
  return {
    cases,
    strays: paths.filter((path) => !read.has(path) && partOfCase.test(path.slice(path.lastIndexOf("/") + 1))),
    ambiguous: cases.map(({ name }) => name).filter((name, index, all) => name === all[index - 1]),
  };
}

/** Every file that a case may have. */
type CaseNames = Required<CaseFiles>;

/** The case that a dump or a script belongs to. */
function namesOf(path: string, rootName: string): CaseNames | undefined {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, slash + 1);
  const file = path.slice(slash + 1);
  if (folderSources.includes(file)) return namesOfFolder(folder, folder === "" ? rootName : folder.slice(0, -1));
  const stem = stemmed.exec(file)?.[1];
  return stem === undefined ? undefined : namesOfStem(folder + stem);
}

/** The names in a folder that is a case; `folder` is empty or ends with `/`. */
export function namesOfFolder(folder: string, name: string): CaseNames {
  return {
    name,
    sources: folderSources.map((source) => folder + source),
    ipsets: `${folder}sets.ipset`,
    geoip: `${folder}geoip.csv`,
    options: `${folder}options.json`,
    script: `${folder}expected.nft`,
    diagnostics: `${folder}expected.diagnostics`,
  };
}

function namesOfStem(stem: string): CaseNames {
  return {
    name: stem,
    sources: stemSources.map((ending) => stem + ending),
    ipsets: `${stem}.ipset`,
    geoip: `${stem}.geoip.csv`,
    options: `${stem}.options.json`,
    script: `${stem}.nft`,
    diagnostics: `${stem}.diagnostics`,
  };
}

function presentOf({ name, sources, ipsets, geoip, options, script, diagnostics }: CaseNames, present: ReadonlySet<string>): CaseFiles {
  return {
    name,
    sources: sources.filter((path) => present.has(path)),
    ...(present.has(ipsets) && { ipsets }),
    ...(present.has(geoip) && { geoip }),
    ...(present.has(options) && { options }),
    script,
    diagnostics,
  };
}

/** Whether the name contains the pattern, in which `*` stands for any text. */
export function nameMatches(name: string, pattern: string): boolean {
  let from = 0;
  for (const piece of pattern.split("*")) {
    const at = name.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return true;
}
