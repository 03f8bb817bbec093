/** The programs of threads, which the build makes of the files called worker.ts. */

import { Worker } from "node:worker_threads";

/** Starts a thread with what it gets beside its messages. */
export type ThreadProgram = (workerData: unknown) => Worker;

/** Undefined where nothing is built. */
export async function threadProgram(name: "corpus-worker" | "fleet-worker"): Promise<ThreadProgram | undefined> {
  if (typeof IS_SINGLE_EXECUTABLE === "undefined") return undefined;
  if (IS_SINGLE_EXECUTABLE) {
    const { getAsset } = await import("node:sea");
    const text = getAsset(`${name}.cjs`, "utf8");
    return (workerData) => new Worker(text, { eval: true, workerData });
  }
  // Beside the part that this is in.
  const file = new URL(`./${name}.mjs`, import.meta.url);
  return (workerData) => new Worker(file, { workerData });
}
