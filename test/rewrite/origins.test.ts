import { describe, expect, it } from "vitest";

import { translate, type TranslateOptions } from "../../src/translate.js";
import { dumpOf } from "./phases.js";

/** The comments of the nft rules. */
function commentsOf(dump: string, options: TranslateOptions = {}): (string | undefined)[] {
  const { script } = translate(dump, { family: "ipv4", origins: true, ...options });
  return script!
    .split("\n")
    .flatMap((line) => (/^\t\t[a-z]/.test(line) && !line.includes(" hook ") ? [/ comment "([^"]*)"$/.exec(line)?.[1]] : []));
}

describe("--origins", () => {
  it("says what rule an nft rule comes from", () => {
    expect(commentsOf(dumpOf("filter", "INPUT -i lo -j ACCEPT"))).toEqual(["-A INPUT -i lo -j ACCEPT"]);
    expect(commentsOf(dumpOf("filter", "INPUT -i lo -j ACCEPT"), { origins: false })).toEqual([undefined]);
  });

  it("says table, chain and line where the rule is longer than a comment", () => {
    const long = `INPUT -i lo -m comment --comment ${"x".repeat(100)} -j LOG --log-prefix ${"y".repeat(20)}`;
    expect(commentsOf(dumpOf("filter", "INPUT -j ACCEPT", long))[1]).toBe(`${"x".repeat(100)} | filter INPUT line 3`);
    const addresses = Array.from({ length: 14 }, (_, index) => 1000 + index).join(",");
    const ports = `INPUT -s 192.0.2.0/24 -d 198.51.100.0/24 -p tcp -m multiport --dports ${addresses} -j ACCEPT`;
    expect(commentsOf(dumpOf("filter", ports))).toEqual(["filter INPUT line 2"]);
  });

  it("puts the user's comment first, and leaves it alone where there is no room", () => {
    expect(commentsOf(dumpOf("filter", "INPUT -m comment --comment door -j DROP"))).toEqual([
      "door | -A INPUT -m comment --comment door -j DROP",
    ]);
    const comment = "z".repeat(120);
    expect(commentsOf(dumpOf("filter", `INPUT -m comment --comment ${comment} -j DROP`))).toEqual([comment]);
  });

  it("has no double quote, and counts bytes", () => {
    expect(commentsOf(dumpOf("filter", 'INPUT -j LOG --log-prefix "in: "'))).toEqual(["-A INPUT -j LOG --log-prefix 'in: '"]);
    expect(commentsOf(dumpOf("filter", `INPUT -m comment --comment ${"ä".repeat(60)} -j DROP`))).toEqual([`${"ä".repeat(60)}`]);
  });

  it("says both rules of a rule that was made of two", () => {
    const throttle = ["INPUT -m recent --set --name x", "INPUT -m recent --update --seconds 60 --hitcount 4 --name x -j DROP"];
    expect(commentsOf(dumpOf("filter", ...throttle)).slice(0, 2)).toEqual([
      "-A INPUT -m recent --set --name x | -A INPUT -m recent --update --seconds 60 --hitcount 4 --name x -j DROP",
      "-A INPUT -m recent --update --seconds 60 --hitcount 4 --name x -j DROP",
    ]);
  });

  it("leaves equal rules of both families one, whose lines differ", () => {
    const long = `-A INPUT -p tcp -m conntrack --ctstate NEW -m multiport --dports ${Array.from({ length: 14 }, (_, index) => 1000 + index).join(",")} -m mark --mark 0x1234 -j ACCEPT`;
    const rule = "-A INPUT -m conntrack --ctstate NEW -j ACCEPT";
    const { script } = translate(
      [
        { file: "a.v4", family: "ipv4", text: `*filter\n${rule}\n${long}\nCOMMIT\n` },
        { file: "a.v6", family: "ipv6", text: `*filter\n\n${rule}\n${long}\nCOMMIT\n` },
      ],
      { inet: true, origins: true },
    );
    expect(script).toContain(`ct state new counter accept comment "${rule}"`);
    expect(script).toContain('comment "v4 filter INPUT line 3 | v6 filter INPUT line 4"');
  });
});
