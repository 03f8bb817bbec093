import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closedEnvironment, findProgram, runProgram, runProgramSync, type ProgramOutcome } from "../src/run-program.js";
import { bundleModule } from "./bundle-module.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-program-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const shell = (script: string, seconds = 10, mostOutput = 1000) => ({ program: "sh", arguments: ["-c", script], seconds, mostOutput });

function printed(outcome: ProgramOutcome): string {
  if (outcome.kind !== "ended") throw new Error(outcome.kind === "stopped" ? outcome.reason : outcome.kind);
  return outcome.stdout.toString();
}

/** A process that has ended and that nobody has asked for is as good as gone. */
function runs(pid: string): boolean {
  const file = `/proc/${pid.trim()}/stat`;
  return existsSync(file) && !/\) Z /.test(readFileSync(file, "utf8"));
}

describe("a program", () => {
  it("gets its arguments one by one, and its input", async () => {
    const outcome = await runProgram({
      program: "sh",
      arguments: ["-c", 'cat; printf "%s|" "$@"', "sh", "a b", "$(id)"],
      input: "given ",
      seconds: 10,
      mostOutput: 1000,
    });
    expect(printed(outcome)).toBe("given a b|$(id)|");
  });

  it("learns nothing of this environment but where programs are", async () => {
    process.env["SECRET_OF_A_TEST"] = "password";
    try {
      const names = printed(await runProgram({ ...shell("env"), environment: { GIVEN: "1" } }))
        .split("\n")
        .map((line) => line.replace(/=.*/, ""))
        .filter((name) => !["", "PWD", "OLDPWD", "SHLVL", "_"].includes(name));
      expect(names.sort()).toEqual(["GIVEN", "LC_ALL", "PATH"]);
    } finally {
      delete process.env["SECRET_OF_A_TEST"];
    }
  });

  it("is not one that lies where the command runs", () => {
    expect(closedEnvironment(`.::bin:${folder}`)["PATH"]).toBe(`${folder}:/usr/local/sbin:/usr/sbin:/sbin`);
    writeFileSync(join(folder, "mine"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(folder, "data"), "", { mode: 0o644 });
    expect(findProgram("mine", folder)).toBe(join(folder, "mine"));
    expect(findProgram("data", folder)).toBeUndefined();
    expect(findProgram("mine", ".")).toBeUndefined();
  });

  it("that is missing is told", async () => {
    expect(await runProgram({ ...shell(""), program: "no-such-program" })).toEqual({ kind: "missing" });
  });
});

describe.each([
  ["runProgram", runProgram],
  ["runProgramSync", async (request: Parameters<typeof runProgramSync>[0]) => runProgramSync(request)],
] as const)("the limits of %s", (_, run) => {
  it("end what takes too long", async () => {
    const begin = performance.now();
    expect(await run(shell("echo so far; exec sleep 60", 0.3))).toMatchObject({
      kind: "stopped",
      reason: expect.stringContaining("0.3 s") as string,
    });
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it("end what prints too much", async () => {
    expect(await run(shell("exec cat /dev/zero"))).toMatchObject({
      kind: "stopped",
      reason: expect.stringContaining("1000 bytes") as string,
    });
  });
});

describe("nothing is left", () => {
  it("of what a program starts, when it ends or passes a limit", async () => {
    const left = join(folder, "left");
    await runProgram(shell(`sleep 60 >/dev/null 2>&1 </dev/null & echo $! >${left}`));
    await expect.poll(() => runs(readFileSync(left, "utf8"))).toBe(false);
    await runProgram(shell(`sleep 60 & echo $! >${left}; wait`, 0.3));
    await expect.poll(() => runs(readFileSync(left, "utf8"))).toBe(false);
  });

  it("when the caller interrupts", async () => {
    const controller = new AbortController();
    const promise = runProgram({ ...shell(`echo $$ >${join(folder, "left")}; exec sleep 60`), signal: controller.signal });
    await expect.poll(() => existsSync(join(folder, "left")) && readFileSync(join(folder, "left"), "utf8") !== "").toBe(true);
    controller.abort(new Error("enough"));
    await expect(promise).rejects.toThrow("enough");
    await expect.poll(() => runs(readFileSync(join(folder, "left"), "utf8"))).toBe(false);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP", ...(process.platform === "linux" ? (["SIGKILL"] as const) : [])] as const)(
    "when this process is ended by %s",
    async (signal) => {
      const [left, main] = [join(folder, "left"), join(folder, "main.mjs")];
      await bundleModule(
        `import { runProgram } from "./src/run-program.js";
            await runProgram({ program: "sh", arguments: ["-c", "echo $$ >${left}; exec sleep 60"], seconds: 60, mostOutput: 1 });`,
        main,
      );
      const parent = spawn(process.execPath, [main], { stdio: "ignore" });
      const ended = new Promise((resolve) => parent.on("exit", (_, by) => resolve(by)));
      await expect.poll(() => existsSync(left) && readFileSync(left, "utf8") !== "").toBe(true);
      parent.kill(signal);
      expect(await ended).toBe(signal);
      await expect.poll(() => runs(readFileSync(left, "utf8"))).toBe(false);
    },
  );
});
