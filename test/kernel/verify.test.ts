/** `verify` on the kernel: right translations are found equal, wrong ones are seen, and nothing is left behind. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { unshareArguments } from "../../src/verify/namespace.js";
import { verify, type VerifyReport } from "../../src/verify/verify.js";
import { execute, type Result } from "../cli/execute.js";
import { corpusDirectory } from "../corpus/cases.js";
import { mutants, type Mutant } from "../simulate/mutants.js";
import { describeOnKernel } from "./requirements.js";

const root = new URL("../../", import.meta.url).pathname;
const throttle = `*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP
-A INPUT -p udp -m udp --dport 53 -j REJECT
COMMIT
`;
const dumpOf = (...rules: readonly string[]): string =>
  `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`;
const quick = ["--packets", "500", "--budget", "2"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "verify-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const run = (...words: readonly string[]): Promise<Result> => execute(["verify", ...words, ...quick]);

describeOnKernel("verify", () => {
  it.each(["idiom/ssh-throttle-set-then-update", "idiom/port-knocking-three-stages", "machine/ipv6-router"])(
    "finds %s equal",
    { timeout: 120_000 },
    async (name) => {
      const files = readdirSync(join(corpusDirectory, name))
        .filter((file) => /^rules\.v[46]$/u.test(file))
        .map((file) => join(corpusDirectory, name, file));
      const { status, output, error } = await run(...files);
      expect([status, error, output]).toEqual([0, "", expect.stringMatching(/^equal: \d+ packets/u)]);
    },
  );

  it("sees a script that leaves the rules with recent out, as iptables-restore-translate does", { timeout: 120_000 }, async () => {
    const script = fileOf(
      "upstream.nft",
      `add table ip filter
add chain ip filter INPUT { type filter hook input priority 0; policy accept; }
# -t filter -A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH
# -t filter -A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP
add rule ip filter INPUT udp dport 53 counter reject
`,
    );
    const { status, output } = await run(fileOf("rules.v4", throttle), script, "--reproduce", join(folder, "difference"));
    expect(status).toBe(1);
    expect(output).toMatch(/^different: \d+ of \d+ packets/u);
    expect(output).toMatch(/iptables: dropped\n {4}nft: {6}accepted/u);
    expect(output).toContain("--dport 22 -m conntrack --ctstate NEW -m recent --update");
    const reproduction = JSON.parse(readFileSync(join(folder, "difference.json"), "utf8")) as {
      readonly differences: readonly { readonly capture: string; readonly schedule: readonly unknown[] }[];
    };
    expect(reproduction.differences[0]!.schedule.length).toBeGreaterThanOrEqual(4);
    expect(readFileSync(reproduction.differences[0]!.capture).readUInt32BE(0)).toBe(0xa1b2_3c4d);
  });

  it("accepts a script by hand that decides alike", { timeout: 120_000 }, async () => {
    const rules = fileOf(
      "plain.v4",
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -p icmp -j ACCEPT\n-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT\nCOMMIT\n",
    );
    const script = fileOf(
      "hand.nft",
      "table inet fw {\n  chain input {\n    type filter hook input priority 10; policy drop;\n    meta nfproto ipv6 accept\n    ip protocol icmp accept\n    tcp dport { 22, 80 } accept\n  }\n}\n",
    );
    const { status, output } = await run(rules, "--script", script, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ equal: true, ownScript: false, coverage: { rules: 2, hit: 2 }, differences: [] });
  });

  describe("with ipsets", () => {
    const sets = [
      "create admins hash:ip",
      "add admins 203.0.113.10",
      "add admins 203.0.113.11",
      "create office hash:net",
      "add office 203.0.113.64/26",
      "add office 203.0.113.96/28 nomatch",
      "create web hash:ip,port",
      "add web 198.51.100.7,tcp:80",
      "add web 198.51.100.7,icmp:8/0",
      "create there hash:net,iface",
      "add there 203.0.113.128/25,eth1",
      "create pairs hash:ip,port,net",
      "add pairs 203.0.113.20,udp:53,198.51.100.0/28",
      "create cards bitmap:ip,mac range 192.0.2.0/24",
      "add cards 192.0.2.50,02:00:00:00:00:77",
      "create doors bitmap:port range 0-1023",
      "add doors 22",
      "create some bitmap:ip range 203.0.113.0/24",
      "add some 203.0.113.200-203.0.113.203",
      "create all list:set",
      "add all admins",
      "add all office",
      "",
    ].join("\n");
    const rules = dumpOf(
      "-A INPUT -m set --match-set admins src -j ACCEPT",
      "-A INPUT -m set --match-set web dst,dst -j ACCEPT",
      "-A INPUT -m set --match-set there src,src -j ACCEPT",
      "-A INPUT -m set --match-set cards src,src -j ACCEPT",
      "-A INPUT -p udp -m set --match-set doors dst -j ACCEPT",
      "-A INPUT ! -i lo -m set ! --match-set all src -m set --match-set some src -j ACCEPT",
      "-A FORWARD -m set --match-set office src -j ACCEPT",
      "-A FORWARD -m set --match-set office src --return-nomatch -j REJECT",
      "-A FORWARD -m set --match-set pairs dst,dst,src -j ACCEPT",
    );

    it("hits the rules of every type of set", { timeout: 120_000 }, async () => {
      const ipsets = fileOf("sets.ipset", sets);
      const { status, output } = await run(fileOf("sets.v4", rules), "--ipset", ipsets, "--json");
      const report = JSON.parse(output) as VerifyReport;
      expect(report.leftOut).toEqual([]);
      expect(report.coverage.missed).toEqual([]);
      expect(report.coverage.hit).toBe(9);
      expect([status, report.equal]).toEqual([0, true]);
    });

    it.each([
      ["was emptied", " elements = { 203.0.113.10, 203.0.113.11 };", ""],
      ["lacks one of two elements", "203.0.113.10, 203.0.113.11", "203.0.113.10"],
      ["lacks an exception", "203.0.113.64/27, 203.0.113.112/28", "203.0.113.64/26"],
    ])("sees a script whose set %s", { timeout: 120_000 }, async (_, elements, instead) => {
      const options = { ipsets: [{ file: "sets.ipset", text: sets }] };
      const sources = [{ file: "sets.v4", text: rules }];
      const made = translate(sources, options).script!;
      expect(made).toContain(elements);
      const report = await verify({ sources, options, script: made.replace(elements, instead), packets: 500, budget: 2, explained: 0 });
      expect([report.equal, report.ownScript]).toEqual([false, false]);
    });
  });

  it("says what nft does not load, and what it does in a namespace of its own only", { timeout: 60_000 }, async () => {
    const { status, output, error } = await run(fileOf("rules.v4", throttle), fileOf("broken.nft", "table ip x { chain y { jmp z; } }\n"));
    expect([status, output]).toEqual([2, ""]);
    expect(error).toContain("nft does not load the script");
    const before = execFileSync("nft", ["list", "ruleset"], { encoding: "utf8" });
    await run(fileOf("rules.v4", throttle), fileOf("flush.nft", "flush ruleset\ntable ip verify_must_not_leak {\n}\n"));
    expect(execFileSync("nft", ["list", "ruleset"], { encoding: "utf8" })).toBe(before);
  });

  it("counts otherwise where a rule without a verdict is lost", { timeout: 120_000 }, async () => {
    const { equal, differing, counters } = await verify({
      sources: [
        { file: "rules.v4", text: "*filter\n-A INPUT -p udp -m udp --dport 7 -m ttl --ttl-lt 9\n-A INPUT -p udp -j DROP\nCOMMIT\n" },
      ],
      packets: 500,
      budget: 2,
      spoil: (script) => ({
        ...script,
        tables: script.tables.map((table) => ({
          ...table,
          chains: table.chains.map((chain) => ({
            ...chain,
            entries: chain.entries.map((entry) =>
              entry.kind === "rule"
                ? { ...entry, statements: entry.statements.filter((one) => !(one.kind === "match" && JSON.stringify(one).includes("ttl"))) }
                : entry,
            ),
          })),
        })),
      }),
    });
    expect({ equal, differing }).toEqual({ equal: false, differing: 0 });
    expect(counters.differing.map(({ line }) => line)).toEqual([2]);
  });
});

/** Wrong translations of the commonest rules, and what verify cannot see of them. */
const unseen = new Map([
  ["timeouts without the tick", "packets keep their distance from the moment at which a window ends, where both sides may be right"],
]);

describeOnKernel("wrong translations on the kernel", () => {
  const reports = new Map<string, VerifyReport | "not applicable">();
  // The first are the slips that are easily made; all of them take a minute: VERIFY_MUTANTS=all npx vitest run test/kernel/verify
  const subjects = (process.env["VERIFY_MUTANTS"] === "all" ? mutants : mutants.slice(0, 2)).filter(({ name }) => !unseen.has(name));

  async function play(mutant: Mutant): Promise<VerifyReport | "not applicable"> {
    let applied = false;
    const report = await verify({
      sources: [{ file: "rules.v4", text: throttle }],
      packets: 200,
      budget: 1,
      explained: 0,
      spoil: (script) => ({
        ...script,
        tables: script.tables.map((table) => {
          const spoiled = mutant.apply(table);
          applied ||= spoiled !== undefined;
          return spoiled ?? table;
        }),
      }),
    });
    return applied ? report : "not applicable";
  }

  beforeAll(async () => {
    const waiting = [...subjects];
    const work = async (): Promise<void> => {
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) reports.set(mutant.name, await play(mutant));
    };
    await Promise.all([work(), work(), work()]);
  }, 300_000);

  it.each(subjects.map(({ name }) => name))("sees: %s", (name) => {
    expect(reports.get(name)).toMatchObject({ equal: false });
  });
});

describeOnKernel("verify as a process", () => {
  let command: string;
  beforeAll(() => {
    execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(folder, "dist"), "--no-types"]);
    command = join(folder, "dist", "ipt2nft-recent.js");
  }, 60_000);

  /** Processes whose environment names the directory, or the one that the command makes in it for what it starts. */
  function processesOf(directory: string): string[] {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/u.test(entry) && Number(entry) !== process.pid)
      .filter((entry) => {
        try {
          return readFileSync(`/proc/${entry}/environ`, "latin1").includes(`TMPDIR=${directory}`);
        } catch {
          return false;
        }
      });
  }

  const until = async (holds: () => boolean, seconds: number): Promise<void> => {
    for (const end = Date.now() + seconds * 1000; Date.now() < end && !holds(); )
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
  };

  /** A run that is just playing, in a directory of its own. */
  async function playing(name: string): Promise<{ readonly child: ChildProcess; readonly directory: string; error(): string }> {
    const directory = join(folder, name);
    mkdirSync(directory);
    const child = spawn(command, ["verify", fileOf("rules.v4", throttle), "--budget", "600", "--packets", "60000"], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let error = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      error += chunk.toString();
    });
    await until(() => readdirSync(directory).some((entry) => existsSync(join(directory, entry, "lab.sh"))), 30);
    await new Promise((resolve) => {
      setTimeout(resolve, 700);
    });
    expect(processesOf(directory).length).toBeGreaterThan(2);
    return { child, directory, error: () => error };
  }

  it("names what is missing, with the command that installs it", { timeout: 60_000 }, () => {
    const hidden = `mount -t tmpfs tmpfs /usr/sbin && exec "${process.execPath}" "${command}" verify "${fileOf("rules.v4", throttle)}"`;
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [...unshareArguments()!.filter((word) => word !== "--fork" && word !== "--pid" && word !== "--kill-child"), "bash", "-c", hidden],
      { encoding: "utf8" },
    );
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/not installed: .*nft.*; install with: apt-get install .*nftables/u);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("leaves no process, namespace or file behind after %s", { timeout: 90_000 }, async (signal) => {
    const { child, directory, error } = await playing(signal);
    const ended = new Promise((resolve) => {
      child.on("close", resolve);
    });
    child.kill(signal);
    expect(await ended).toBe(signal === "SIGINT" ? 130 : 143);
    expect(error()).toContain(`stopped by ${signal}`);
    await until(() => processesOf(directory).length === 0, 5);
    expect([processesOf(directory), readdirSync(directory)]).toEqual([[], []]);
  });

  it("leaves none after SIGKILL either, which it does not notice", { timeout: 90_000 }, async () => {
    const { child, directory } = await playing("SIGKILL");
    child.kill("SIGKILL");
    await until(() => processesOf(directory).length === 0 && readdirSync(directory).length === 0, 10);
    expect([processesOf(directory), readdirSync(directory)]).toEqual([[], []]);
  });
});
