/** What `verify` says without playing anything; on the kernel it is tested in test/kernel/verify.test.ts. */

import { expect, it } from "vitest";

import { execute, type Result } from "../../execute.js";

const run = (input: string, ...words: readonly string[]): Promise<Result> => execute(["verify", ...words], { input });

it("shows its help", async () => {
  const { status, output, error } = await run("", "--help");
  expect({ status, error }).toEqual({ status: 0, error: "" });
  for (const option of [
    "--script",
    "--packets",
    "--seed",
    "--budget",
    "--real-time",
    "--leave-out",
    "--reproduce",
    "--json",
    "--ipset",
    "--inet",
  ])
    expect(output).toContain(option);
});

it.each([
  ["a number of packets that is none", ["--packets", "many"], "whole number from 1"],
  ["no budget", ["--budget", "0"], "whole number from 1"],
  ["an unknown kind of rules", ["--leave-out", "all"], "--leave-out"],
  ["an unknown option", ["--fast"], "--fast"],
  ["a file twice", ["a.v4", "a.v4"], "given twice"],
  ["a script that is also a dump", ["a.nft", "--script", "a.nft"], "given twice"],
  ["a file that is not there", ["no-such-file.v4"], "no such file"],
  ["an empty prefix", ["--reproduce", ""], "--reproduce"],
])("refuses %s", async (_, words, complaint) => {
  const { status, output, error } = await run("*filter\nCOMMIT\n", ...words);
  expect({ status, output }).toEqual({ status: 2, output: "" });
  expect(error).toContain(complaint);
});

it("refuses what is no ruleset, with its place", async () => {
  const { status, output, error } = await run("*filter\n-A NOWHERE -j DROP\nCOMMIT\n");
  expect({ status, output }).toEqual({ status: 2, output: "" });
  expect(error).toContain("<stdin>:2:");
  expect(error).toContain("1 error: nothing was translated\n");
});

it("refuses an nft script without a dump to compare it with", async () => {
  const { status, output, error } = await run("table ip filter {\n}\n");
  expect({ status, output }).toEqual({ status: 2, output: "" });
  expect(error).toContain("no iptables-save dump");
});

it("refuses a shell script, which it would have to run", async () => {
  const { status, output, error } = await run("#!/bin/sh\niptables -A INPUT -s 192.0.2.1 -j DROP\n");
  expect({ status, output }).toEqual({ status: 2, output: "" });
  expect(error).toContain("script of commands");
});

it("shows no control character of the input", async () => {
  const { error } = await run("*filter\n-A \u001b[31mRED -j DROP\nCOMMIT\n");
  expect(error).not.toContain("\u001b[31m");
});
