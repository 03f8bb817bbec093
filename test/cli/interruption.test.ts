import { describe, expect, it } from "vitest";
import { Interrupted, withInterruption } from "../../src/cli/interruption.js";
import { tellError } from "../../src/cli/telling.js";
import { translate } from "../../src/translate.js";
import { execute } from "./execute.js";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

describe("a signal", () => {
  it.each([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends work with exit status %i, as shells say it", async (signal, status) => {
    const work = withInterruption(async (given) => {
      process.emit(signal, signal);
      given.throwIfAborted();
    });
    const error = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Interrupted);
    let told = "";
    const surroundings = { writeError: async (text: string) => void (told += text) };
    expect(await tellError(error, false, surroundings as never)).toBe(status);
    expect(told).toBe(`ipt2nft-recent: error: stopped by ${signal}; nothing is left behind\n`);
  });

  it("ends a command that way", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ipt2nft-interruption-"));
    writeFileSync(join(folder, "a.v4"), "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
    const { status } = await execute(["corpus", folder, "--update"], {
      translate: (sources, options) => {
        process.emit("SIGINT", "SIGINT");
        return translate(sources, options);
      },
    });
    rmSync(folder, { recursive: true });
    expect(status).toBe(130);
  });
});
