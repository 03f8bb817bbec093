/** A thread that runs cases, one message each. */

import { parentPort, workerData } from "node:worker_threads";
import type { CaseFiles } from "../../../corpus/layout.js";
import { translate } from "../../../translate.js";
import { runTask, type Task } from "./task.js";

parentPort!.on("message", (files: CaseFiles) => {
  void runTask(workerData as Task, files, translate).then((result) => parentPort!.postMessage(result));
});
