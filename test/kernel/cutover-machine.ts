/** A machine to change firewalls on: a network namespace with a folder of its own, and the built command. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { rulesOf } from "../../src/cutover/saved-rules.js";

export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/** The command, built once; the folder is gone at the end. */
export class BuiltCommand {
  readonly folder = mkdtempSync(join(tmpdir(), "ipt2nft-recent-test-"));
  readonly path = join(this.folder, "dist", "ipt2nft-recent.js");

  constructor() {
    execFileSync("node", ["build.js", "--directory", join(this.folder, "dist"), "--no-types"], { stdio: "pipe" });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

let machines = 0;

export class TestMachine {
  readonly folder: string;
  readonly state: string;
  private readonly holder: ChildProcess;
  private readonly namespace: string;

  constructor(
    private readonly command: BuiltCommand,
    { variant = "legacy" }: { readonly variant?: "legacy" | "nft" } = {},
  ) {
    this.variant = variant;
    machines += 1;
    this.folder = join(command.folder, `machine${machines}`);
    this.state = join(this.folder, "state");
    mkdirSync(join(this.folder, "bin"), { recursive: true });
    this.holder = spawn("unshare", ["--net", "sleep", "1800"], { stdio: "ignore" });
    const own = readlinkSync("/proc/self/ns/net");
    for (;;) {
      const namespace = namespaceOf(this.holder.pid!);
      if (namespace !== undefined && namespace !== own && readFileSync(`/proc/${this.holder.pid}/comm`, "utf8") === "sleep\n") {
        this.namespace = namespace;
        break;
      }
    }
    this.run("ip link set lo up");
  }

  readonly variant: "legacy" | "nft";

  get pid(): number {
    return this.holder.pid!;
  }

  /** Runs lines of bash in the namespace. */
  run(lines: string, input = ""): Ended {
    const { status, stdout, stderr } = spawnSync("nsenter", this.words("bash", "--norc", "-c", lines), {
      input,
      encoding: "utf8",
      timeout: 60_000,
      env: this.environment(),
    });
    return { status, output: stdout, error: stderr };
  }

  private words(...words: string[]): string[] {
    return [`--net=/proc/${this.pid}/ns/net`, ...words];
  }

  private environment(): NodeJS.ProcessEnv {
    const { SSH_CONNECTION: _, ...environment } = process.env;
    return { ...environment, PATH: `${this.folder}/bin:${process.env["PATH"]}:/usr/sbin:/sbin` };
  }

  private line(words: string): string {
    const [action, ...rest] = words.split(" ");
    return [process.execPath, this.command.path, "cutover", action, "--state-dir", this.state, ...rest].join(" ");
  }

  /** `cutover WORDS`; the words are bash's. */
  cutover(words: string): Ended {
    return this.run(this.line(words));
  }

  /** The same in the background, as a process that can be killed. */
  begin(words: string): ChildProcess {
    return spawn("nsenter", this.words("bash", "--norc", "-c", `exec ${this.line(words)}`), { stdio: "ignore", env: this.environment() });
  }

  /** Several of them, as typed on a connection of sshd that is opened now; the status is that of the last. */
  overNewConnection(...lines: readonly string[]): Ended {
    const server = join(this.folder, "sshd");
    if (!existsSync(server)) {
      copyFileSync("/bin/bash", server);
      chmodSync(server, 0o755);
    }
    return this.run(`${server} --norc -c '${lines.map((words) => this.line(words)).join("; ")}; exit $?'`);
  }

  /** Puts a script in the place of a program. */
  program(name: string, lines: string): void {
    const path = join(this.folder, "bin", name);
    writeFileSync(path, `#!/bin/bash\n${lines}\n`);
    chmodSync(path, 0o755);
  }

  withoutProgram(name: string): void {
    rmSync(join(this.folder, "bin", name), { force: true });
  }

  /** Loads a dump of one family. */
  load(dump: string, family: "ipv4" | "ipv6" = "ipv4"): void {
    const base = family === "ipv4" ? "iptables" : "ip6tables";
    const { status, error } = this.run(`${base}-${this.variant}-restore -c`, dump);
    if (status !== 0) throw new Error(error);
  }

  /** All rules of iptables of both families and kinds, without counters; tables without rules left out. */
  oldRules(): string {
    const programs = ["iptables", "ip6tables"].flatMap((base) => ["legacy", "nft"].map((kind) => `${base}-${kind}-save`));
    const text = rulesOf(this.run(programs.map((program) => `${program} 2>/dev/null`).join("; ")).output);
    return text.replace(/\*\S+\n(?::\S+ ACCEPT\n)*COMMIT\n/g, "");
  }

  /** Whether our table is loaded. */
  hasNew(): boolean {
    return / ipt2nft$/m.test(this.run("nft list tables").output);
  }

  /** What is decided, from the files: `status` takes longer. A change that is being made or taken back is `busy`. */
  decision(): "none" | "busy" | "waiting" | "confirmed" | "undone" {
    const has = (name: string): boolean => existsSync(join(this.state, "run", name));
    if (has("undoing") || (has("armed") && !has("waiting") && has("changed"))) return "busy";
    if (has("armed")) return has("waiting") ? "waiting" : "none";
    return has("confirmed") ? "confirmed" : has("undone") ? "undone" : "none";
  }

  /** Waits until nobody makes a change or takes one back; with `decided` also until none waits. Seconds. */
  async settled({ decided = false, seconds = 40 } = {}): Promise<string> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const state = this.decision();
      if (state !== "busy" && !(decided && state === "waiting")) return state;
      if (Date.now() > end) throw new Error(`still ${state}:\n${this.file("journal")}\n${this.file("roll-back.log")}`);
      await delay(50);
    }
  }

  /** The one firewall that the machine has. Throws where it has both, none or a part. */
  firewall(old: string): "old" | "new" {
    const [rules, hasNew] = [this.oldRules(), this.hasNew()];
    if (rules === old && !hasNew) return "old";
    if (hasNew && !rules.split("\n").some((line) => /^-A (?!ipt2nft-kept )/.test(line) || / DROP$/.test(line))) return "new";
    const logs = `${this.file("journal")}\n${this.file("roll-back.log")}`;
    throw new Error(`neither: ${hasNew ? "with" : "without"} the new one, and\n${rules}\n${logs}`);
  }

  /** What `status` tells. */
  status(): { readonly state: string; readonly firewalls: readonly string[] } {
    const { output, error } = this.cutover("status --json");
    if (output === "") throw new Error(error);
    return JSON.parse(output) as ReturnType<TestMachine["status"]>;
  }

  file(name: string): string {
    const path = join(this.state, "run", name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Processes of the namespace beside the one that keeps it. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== this.pid)
      .map(Number)
      .filter((pid) => namespaceOf(pid) === this.namespace);
  }

  remove(): void {
    for (const pid of [...this.processes(), this.pid]) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
