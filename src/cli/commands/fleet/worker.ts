/** A thread that translates dumps of a fleet, one message each. */

import { parentPort, workerData } from "node:worker_threads";
import { FleetWorker, type FleetTask, type Group } from "./task.js";

const worker = new FleetWorker(workerData as FleetTask);
parentPort!.on("message", (group: Group) => {
  void worker.run(group).then((result) => parentPort!.postMessage(result));
});
