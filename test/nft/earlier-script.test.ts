import { describe, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { emit } from "../../src/nft/emit.js";
import { readEarlierScript } from "../../src/nft/earlier-script.js";

const dump = (...rules: readonly string[]): string =>
  ["*filter", ":INPUT ACCEPT [0:0]", ":web - [0:0]", ...rules.map((rule) => `-A ${rule}`), "COMMIT", ""].join("\n");

const throttle = (list: string): string => `INPUT -p tcp -m tcp --dport 22 -m recent --name ${list} --set`;
const check = (list: string): string =>
  `INPUT -p tcp -m tcp --dport 22 -m recent --name ${list} --update --seconds 60 --hitcount 4 -j DROP`;

describe("an earlier script", () => {
  it.each([false, true])("is read as it was written (keepSets: %s)", (keepSets) => {
    const { nft, script } = translate(dump("INPUT -j web", throttle("ssh"), check("ssh")), { family: "ipv4", keepSets });
    const [table] = nft!.tables;
    const [read] = readEarlierScript(script!);
    expect(read!.chains).toEqual(table!.chains.map(({ name }) => name));
    const known = ({ name, type, flags, timeout, size }: (typeof read & object)["sets"][number]) => ({ name, type, flags, timeout, size });
    expect(read!.sets.map(known)).toEqual(table!.sets.map(known));
  });

  it("has its chains and sets taken away that the new one lacks, and no others", () => {
    const before = translate(dump("INPUT -j web", throttle("ssh"), check("ssh")), { family: "ipv4", keepSets: true }).script!;
    const { script } = translate(dump(throttle("login"), check("login")), { family: "ipv4", keepSets: true, replaces: before });
    expect(script).toMatch(
      /^add chain ip ipt2nft filter_web\ndelete chain ip ipt2nft filter_web$|^delete set ip ipt2nft ssh_4_in_60s_\w+$/m,
    );
    expect(script).toContain("delete set ip ipt2nft ssh_");
    expect(script).not.toContain("delete set ip ipt2nft login_");
    const same = translate(dump("INPUT -j web", throttle("ssh"), check("ssh")), {
      family: "ipv4",
      keepSets: true,
      replaces: before,
    }).script!;
    expect(same).toBe(before);
  });

  it("is nothing but names: what else stands in it does not reach the script", () => {
    const hostile = [
      "table ip ipt2nft {",
      "\tchain x; flush ruleset {",
      "\tchain ok {",
      "\tset y { type ipv4_addr; flags dynamic; }; flush ruleset; add set ip a b { type ipv4_addr; }",
      "\tset z { type ipv4_addr }; delete table ip other; { flags evil,dynamic; }",
      'add set ip ipt2nft q { type inet_service; comment "}; flush ruleset"; }',
      "table ip else {",
      "\tchain other {",
    ].join("\n");
    const { script } = translate(dump(), { family: "ipv4", keepSets: true, replaces: hostile });
    expect(script).not.toMatch(/flush ruleset|other|evil/);
    expect(script).toContain("delete chain ip ipt2nft ok");
    expect(() => emit(translate(dump(), { family: "ipv4", keepSets: true, replaces: hostile }).nft!)).not.toThrow();
  });
});
