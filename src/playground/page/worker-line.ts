/** A worker that does one thing at a time: what is asked last. */

import type { Answer, Numbered, Request } from "../messages.js";

export class WorkerLine {
  private worker: Worker | undefined;
  private isBusy = false;
  private number = 0;
  private take: (answer: Answer) => void = () => undefined;

  /** @param address of the worker's script */
  constructor(private readonly address: string) {}

  /** Asks, and gives up what was asked before. */
  ask(message: Request, take: (answer: Answer) => void): void {
    this.giveUp();
    this.take = take;
    this.worker ??= this.start();
    this.isBusy = true;
    const numbered: Numbered<Request> = { number: ++this.number, message };
    this.worker.postMessage(numbered);
  }

  /** Gives up what was asked and has not been answered. */
  giveUp(): void {
    if (this.isBusy) this.stop();
  }

  private stop(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.isBusy = false;
  }

  private start(): Worker {
    const worker = new Worker(this.address);
    worker.addEventListener("message", ({ data }: MessageEvent<Numbered<Answer>>) => {
      if (data.number !== this.number) return;
      // The lines are linked behind the script.
      if (data.message.kind !== "translated") this.isBusy = false;
      this.take(data.message);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.stop();
      this.take({ kind: "failed", reason: `This is a fault of the page: please report it with the rules. ${event.message}` });
    });
    return worker;
  }
}
