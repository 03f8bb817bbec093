/** `ipt2nft-recent capture`: runs a script where it changes nothing, and prints the firewall that it makes. */

import { writeCaptured } from "../../../captured-file.js";
import { Failure } from "../../../failure.js";
import type { JsonMessage } from "../../../report/json.js";
import { visibleScript } from "../../../report/visible.js";
import type { CommandDefinition } from "../../command.js";
import { withInterruption } from "../../interruption.js";
import { writeFileAtomically } from "../../output.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText, tell } from "../../telling.js";
import { version } from "../../version.js";
import { readMachine, withInterfaces } from "./machine.js";
import { parseCaptureWords, type CaptureSettings } from "./options.js";
import { readRecentHosts } from "./recent-hosts.js";
import { runCaptured, TookTooLong, type Left } from "./run-captured.js";
import { isLost, readLog, tellOf } from "./told.js";

export const captureCommand: CommandDefinition<CaptureSettings> = { parse: parseCaptureWords, run: runCapture };

/** Bytes of what the script prints that are shown. */
const mostShown = 1024 * 1024;

async function runCapture(settings: CaptureSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { command, interfaces, ownInterfaces, timeout, megabytes, ignoreStatus, output } = settings;
  const { environment } = surroundings;
  const printed = new Printed((text) => tell(text, surroundings));
  const say = async (messages: readonly JsonMessage[]): Promise<void> => tell(messages.map(messageText).join(""), surroundings);
  let left: Left;
  try {
    left = await withInterruption(async (signal) => {
      const machine = ownInterfaces ? await readMachine(environment["PATH"], signal) : { interfaces: [], routes: [] };
      const readsInput = !(await surroundings.inputIsTerminal());
      return runCaptured({
        command,
        machine: withInterfaces(machine, interfaces),
        timeout,
        megabytes,
        environment,
        readsInput,
        heard: (piece) => printed.take(piece),
        signal,
      });
    });
  } catch (error) {
    await printed.end();
    if (!(error instanceof TookTooLong)) throw error;
    await say([{ severity: "error", message: `${error.message}; nothing is printed (--timeout gives it more)` }]);
    return 1;
  }
  await printed.end();
  const logged = readLog(left.log);
  const messages = tellOf({ logged, printed: printed.text, written: left.written.split("\n").filter((path) => path !== "") });
  if (left.interfaces.trim() !== "") {
    messages.push({ severity: "note", message: `some interfaces could not be made: ${firstLine(left.interfaces)}` });
  }
  const failed = left.status !== 0 && !ignoreStatus;
  const lists = readRecentHosts(left.lists);
  // The kernel gives these files to root of the machine (`ip_list_uid` of xt_recent).
  const hostsRefused = process.getuid?.() !== 0 && /\/proc\/net\/(?:xt|ipt)_recent\//.test(printed.text);
  if (hostsRefused) {
    messages.push({
      severity: "warning",
      message: "the script writes hosts to lists of recent, which only root can capture: run this as root",
    });
  }
  if (left.status !== 0) {
    const help = ignoreStatus ? "" : "; nothing is printed (--ignore-status prints the firewall all the same)";
    messages.unshift({ severity: ignoreStatus ? "warning" : "error", message: `the script ended with status ${left.status}${help}` });
  }
  const empty = !/^\*/m.test(left.ipv4) && !/^\*/m.test(left.ipv6);
  if (empty && !failed) messages.unshift({ severity: "error", message: "the script has made no rule and no policy; nothing is printed" });
  await say(messages);
  if (failed || empty) return 1;
  const text = writeCaptured({ madeWith: madeWith(left.versions), ipv4: left.ipv4, ipv6: left.ipv6, sets: left.sets, lists });
  if (output === undefined) await surroundings.writeOutput(text);
  else await writeFileAtomically(output, text);
  return hostsRefused || logged.some(isLost) ? 1 : 0;
}

/** The lines that the programs and the kernel say of themselves. */
function madeWith(versions: string): string {
  const lines = versions.split("\n").filter((line) => line !== "" && !line.startsWith("Kernel"));
  const kernel = lines.at(-1);
  if (kernel === undefined) throw new Failure("iptables does not tell its version");
  return `${version} with ${[...lines.slice(0, -1).map((line) => line.replace(/, protocol.*/, "")), `Linux ${kernel}`].join(", ")}`;
}

const firstLine = (text: string): string => text.trim().split("\n")[0]!;

/** What the script prints: shown line by line as it comes, up to a bound. */
class Printed {
  private readonly pieces: Buffer[] = [];
  private length = 0;
  private shown = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly write: (text: string) => Promise<void>) {}

  take(piece: Buffer): void {
    if (this.length < mostShown) this.pieces.push(piece);
    this.length += piece.length;
    if (this.length <= mostShown && piece.includes(10)) this.show(this.text.lastIndexOf("\n") + 1);
  }

  get text(): string {
    return Buffer.concat(this.pieces).subarray(0, mostShown).toString("utf8");
  }

  private show(end: number): void {
    const text = visibleScript(this.text.slice(this.shown, end));
    this.shown = end;
    if (text !== "") this.writing = this.writing.then(() => this.write(text));
  }

  /** Shows the rest. */
  async end(): Promise<void> {
    const { text } = this;
    if (this.shown < text.length) {
      this.show(text.length);
      if (!text.endsWith("\n")) this.writing = this.writing.then(() => this.write("\n"));
    }
    if (this.length > mostShown) {
      const more = this.length - mostShown;
      this.writing = this.writing.then(() =>
        this.write(messageText({ severity: "note", message: `the script printed ${more} bytes more` })),
      );
    }
    await this.writing;
  }
}
