import { describe, expect, it } from "vitest";

import { parseCutoverWords } from "../../../../src/cli/commands/cutover/options.js";

const settings = (...words: readonly string[]) => {
  const parsed = parseCutoverWords(words);
  if ("text" in parsed) throw new Error(parsed.text);
  return parsed.settings;
};
const complaint = (...words: readonly string[]): string => {
  const parsed = parseCutoverWords(words);
  if (!("text" in parsed)) throw new Error("it was taken");
  return parsed.text;
};

describe("the words of cutover", () => {
  it("have defaults that are safe", () => {
    expect(settings("start")).toMatchObject({
      action: "start",
      files: [],
      confirmWithin: 120,
      acceptedLoss: 0,
      leaveToOwners: true,
      wait: false,
      stateDirectory: "/var/lib/ipt2nft-recent",
      table: "ipt2nft",
      format: "text",
    });
  });

  it("are read", () => {
    expect(
      settings("start", "new.v4", "--confirm-within", "5m", "--accept-loss", "3", "--no-leave-to-owners", "--wait", "--json"),
    ).toMatchObject({
      files: ["new.v4"],
      confirmWithin: 300,
      acceptedLoss: 3,
      leaveToOwners: false,
      wait: true,
      format: "json",
    });
    expect(settings("confirm", "--probe", "true", "--persist", "/etc/nftables.conf")).toMatchObject({
      action: "confirm",
      probe: "true",
      persist: "/etc/nftables.conf",
    });
    expect(settings("undo", "--state-dir", "/run/x/")).toMatchObject({ action: "undo", stateDirectory: "/run/x" });
  });

  it("are refused where they say something else", () => {
    expect(complaint("go")).toContain('"go" is no action');
    expect(complaint("undo", "file")).toContain("too many arguments");
    expect(complaint("plan", "--wait")).toContain("--wait");
    expect(complaint("status", "--state-dir", "/tmp/a b")).toContain("absolute path");
    expect(complaint("status", "--state-dir", "here")).toContain("absolute path");
  });

  it("show a help that names every action", () => {
    for (const action of ["plan", "start", "confirm", "undo", "status"]) expect(complaint("--help")).toContain(`  ${action}`);
    expect(complaint()).toBe(complaint("--help"));
  });
});
