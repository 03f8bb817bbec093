import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { budgetOption } from "../../src/cli/optimizing.js";

it("this V8 knows the option", () => {
  const { status, stderr } = spawnSync(process.execPath, [budgetOption, "-e", ""], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
