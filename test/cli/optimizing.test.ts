import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { knownOptions } from "../../src/cli/optimizing.js";

it("this V8 knows the options", () => {
  const { status, stderr } = spawnSync(process.execPath, [...knownOptions, "-e", ""], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
