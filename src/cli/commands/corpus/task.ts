/** The work on one case, the same on the main thread and on others. */

import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseResult } from "../../../corpus/result.js";
import { runCase } from "../../../corpus/run-case.js";
import type { translate } from "../../../translate.js";
import { reasonOf } from "../../telling.js";
import { readCase, writeExpected } from "./files.js";

/** What all cases of a run share. */
export interface Task {
  readonly directory: string;
  /** Write what is made in place of what is expected. */
  readonly update: boolean;
  /** Bytes of a file that are read at most. */
  readonly maxInput: number;
}

/** Runs one case; whatever goes wrong is in the result. */
export async function runTask({ directory, update, maxInput }: Task, files: CaseFiles, translator: typeof translate): Promise<CaseResult> {
  const begin = performance.now();
  const result = async (): Promise<Pick<CaseResult, "problems" | "written">> => {
    try {
      const texts = readCase(directory, files, maxInput);
      const { problems, made } = runCase(files, texts, translator);
      if (!update || made === undefined || problems.length === 0) return { problems, written: [] };
      return { problems: [], written: await writeExpected(directory, files, texts, made) };
    } catch (error) {
      return { problems: [{ kind: "file", message: reasonOf(error), detail: "" }], written: [] };
    }
  };
  return { name: files.name, file: files.sources[0]!, ...(await result()), seconds: (performance.now() - begin) / 1000 };
}

/** The result of a case whose thread ended before it was done. */
export function crashed({ name, sources }: CaseFiles, seconds: number, reason: string): CaseResult {
  const message = "the translator takes its thread down; please report it with the input";
  return { name, file: sources[0]!, seconds, written: [], problems: [{ kind: "crash", message, detail: reason }] };
}
