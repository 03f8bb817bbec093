/** What a run of a corpus finds, as data; one renderer per format shows it. */

export type ProblemKind =
  /** Other than expected. */
  | "script"
  | "diagnostics"
  /** Nothing is expected yet. */
  | "missing"
  /** The options file, or the table of countries, is not right. */
  | "options"
  /** A file of the case cannot be read or written. */
  | "file"
  /** A fault of the translator. */
  | "crash"
  /** The kernel does not load the script, or not twice. */
  | "load"
  /** On the kernel the script decides otherwise than the dump. */
  | "verify";

export interface Problem {
  readonly kind: ProblemKind;
  /** One line. */
  readonly message: string;
  /** What it comes to, a line each; absent where there is no more to say. */
  readonly words?: readonly string[];
  /** Several lines, such as a unified diff; may be empty. */
  readonly detail: string;
}

export interface CaseResult {
  readonly name: string;
  /** The first dump, from the corpus folder on. */
  readonly file: string;
  /** Seconds. */
  readonly seconds: number;
  /** Empty if all is as expected. */
  readonly problems: readonly Problem[];
  /** Files that `--update` has written or removed. */
  readonly written: readonly string[];
  /** Absent without `--kernel`, and where there is no script. */
  readonly kernel?: KernelResult;
}

/** How a script was compared with its dump on this kernel. */
export interface KernelResult {
  readonly verified?: {
    readonly packets: number;
    /** Rules of the dump that were compared, and those of them that a packet hit. */
    readonly rules: number;
    readonly hit: number;
    /** Rules that were not compared: they are announced as different, decide by chance, or do not load here. */
    readonly leftOut: number;
  };
  /** What changes nothing but must be known, such as why nothing was compared. */
  readonly notes: readonly string[];
}

export interface CorpusReport {
  /** By name. */
  readonly results: readonly CaseResult[];
  /** What is no case's fault and yet worth knowing. */
  readonly notes: readonly string[];
  /** Seconds from start to end. */
  readonly seconds: number;
  /** Threads beside the first one; 0 for a corpus that is done before they would pay. */
  readonly threads: number;
  /** False where somebody has stopped it before all was done. */
  readonly complete: boolean;
}

/** Whether the case's fault is ours and not the ruleset's. */
export function isError({ kind }: Problem): boolean {
  return kind === "crash" || kind === "file";
}

/** Cases with a problem. */
export function failedCases({ results }: CorpusReport): CaseResult[] {
  return results.filter(({ problems }) => problems.length > 0);
}
