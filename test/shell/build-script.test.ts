import { describe, expect, it } from "vitest";

import { isScript } from "../../src/shell/programs.js";
import { translate } from "../../src/translate.js";

const file = "rules.sh";
const run = (...lines: string[]) => translate([{ file, text: lines.join("\n") }]);
const rules = (...lines: string[]): string[] =>
  run(...lines).iptables.flatMap(({ family, tables }) =>
    tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules.map(({ text }) => `${family} ${table.name} ${text}`))),
  );
const found = (...lines: string[]): string[] =>
  run(...lines).diagnostics.map(({ code, span }) => `${span.line}:${span.column}+${span.length} ${code}`);

describe("scripts", () => {
  it.each([
    ["#!/bin/sh\n-A INPUT", true],
    ["# rules\n\niptables -F", true],
    ["/sbin/ip6tables -F", true],
    ["sudo iptables -F", true],
    ["IPT=iptables\n", true],
    ["$IPT -F", true],
    ["*filter\nCOMMIT", false],
    ["-A INPUT -j DROP", false],
    ["", false],
    ["hello world", false],
    [":INPUT ACCEPT", false],
    ["# iptables\n*filter", false],
  ])("are told from dumps: %j", (text, expected) => {
    expect(isScript(text)).toBe(expected);
  });

  it("are carried out in order", () => {
    expect(
      rules(
        "iptables -A INPUT -j DROP",
        "iptables -I INPUT -s 192.0.2.1 -j ACCEPT",
        "iptables -t nat -A POSTROUTING -j MASQUERADE",
        "iptables -t nat -F",
        "ip6tables --table=raw -A OUTPUT -j DROP",
      ),
    ).toEqual(["ipv4 filter -I INPUT -s 192.0.2.1 -j ACCEPT", "ipv4 filter -A INPUT -j DROP", "ipv6 raw --table=raw -A OUTPUT -j DROP"]);
  });

  it("wait for locks and run with other rights", () => {
    expect(
      found(
        "iptables -w -A INPUT -j DROP",
        "sudo -u root -n /usr/sbin/iptables -w 5 -W 100 -A INPUT -j DROP",
        "iptables --wait=3 -A INPUT -j DROP",
      ),
    ).toEqual([]);
  });

  it("follow && and || where it is known what a command did", () => {
    expect(
      rules(
        "iptables -N A || iptables -A INPUT -j DROP",
        "iptables -N A 2>/dev/null || iptables -A INPUT -j ACCEPT",
        "iptables -C INPUT -j ACCEPT && iptables -D INPUT -j ACCEPT",
        "iptables -C INPUT -j DROP || iptables -A INPUT -j DROP",
      ),
    ).toEqual(["ipv4 filter -A INPUT -j DROP"]);
  });

  it("go on after a command that finds nothing to take away, unless told to stop", () => {
    expect(found("iptables -D INPUT -j DROP", "iptables -X OLD || true", "iptables -A INPUT -j DROP")).toEqual([
      "1:10+8 shell-command-fails",
    ]);
    expect(found("set -e", "iptables -D INPUT -j DROP", "iptables -A INPUT -j DROP")).toEqual(["2:10+8 invalid-value"]);
  });

  it("end at exit", () => {
    expect(rules("iptables -A INPUT -j DROP", "exit 0", "iptables -F")).toEqual(["ipv4 filter -A INPUT -j DROP"]);
  });

  it("blame the words of continued lines where they stand", () => {
    expect(found("iptables -A INPUT \\", "   -p tcp \\", "   --dport 70000 -j DROP")).toEqual(["3:4+13 invalid-value"]);
    const { outcome, diagnostics } = run("iptables -A INPUT \\", "  -m geoip --src-cc CN \\", "  -j DROP");
    expect([outcome, diagnostics.map(({ span }) => span)]).toEqual(["refused", [{ file, line: 2, column: 3, length: 20 }]]);
  });

  it.each([
    ["iptables -A INPUT -s $LAN -j DROP", "1:22+4 shell-construct"],
    ["$IPT -F", "1:1+4 shell-construct"],
    ["for a in b; do true; done; iptables -F", "1:1+3 shell-construct"],
    ["if true; then iptables -F; fi", "1:1+2 shell-construct"],
    ["iptables-restore < /etc/rules", "1:1+16 shell-command"],
    ["iptables -F | tee log", "1:1+8 shell-construct"],
    ["iptables -F\nstart() {\niptables -F\n}", "2:6+1 shell-construct"],
    ["iptables -F\nfirewall-cmd --reload", "2:1+12 shell-command"],
    ["iptables -F\nmodprobe -v x || iptables -F", "2:18+8 shell-construct"],
    ["iptables -A INPUT -m comment --comment 'open", "1:40+1 unclosed-quote"],
  ])("that need a shell are refused: %j", (text, expected) => {
    const { outcome, script, diagnostics } = run(text);
    expect([outcome, script]).toEqual(["invalid", undefined]);
    expect(diagnostics.map(({ code, span }) => `${span.line}:${span.column}+${span.length} ${code}`)).toContain(expected);
  });
});
