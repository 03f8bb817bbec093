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
    expect(found("set -e", "iptables -D INPUT -j DROP")).toEqual(["2:10+8 invalid-value"]);
  });

  it("end at exit, behind which nothing may stand", () => {
    expect(rules("iptables -A INPUT -j DROP", "exit 0", "# end")).toEqual(["ipv4 filter -A INPUT -j DROP"]);
    expect(found("iptables -A INPUT -j DROP", "exit 0", "iptables -F")).toEqual(["3:1+11 shell-construct"]);
  });

  it("blame the words of continued lines where they stand", () => {
    expect(found("iptables -A INPUT \\", "   -p tcp \\", "   --dport 70000 -j DROP")).toEqual(["3:4+13 invalid-value"]);
    const { outcome, diagnostics } = run("iptables -A INPUT \\", "  -m geoip --src-cc CN \\", "  -j DROP");
    expect([outcome, diagnostics.map(({ span }) => span)]).toEqual(["refused", [{ file, line: 2, column: 3, length: 20 }]]);
  });

  it.each([
    ["variables", ["IPT=/sbin/iptables; WAN=eth0", "$IPT -A INPUT -i $WAN -j DROP"], ["-A INPUT -i eth0 -j DROP"]],
    ["options in a variable", ['IPT="iptables -w"', '$IPT -A INPUT -s "${LAN:=192.0.2.0/24}" -j DROP'], undefined],
    ["defaults", ["LAN=", 'iptables -A INPUT -s "${LAN:-192.0.2.1}" -j DROP'], ["-A INPUT -s 192.0.2.1 -j DROP"]],
    [
      "loops over words",
      ['HOSTS="192.0.2.1 192.0.2.2"', "for host in $HOSTS; do", "  iptables -A INPUT -s $host -j DROP", "done"],
      ["-A INPUT -s 192.0.2.1 -j DROP", "-A INPUT -s 192.0.2.2 -j DROP"],
    ],
    [
      "functions with arguments",
      ['allow() { iptables -A INPUT -p tcp --dport "$1" -j "${2:-ACCEPT}"; }', "allow 22", "allow 23 DROP"],
      ["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp --dport 23 -j DROP"],
    ],
    [
      "all arguments",
      ['ipt() { iptables -w "$@"; }', 'ipt -A INPUT -m comment --comment "a b" -j DROP'],
      ['-w -A INPUT -m comment --comment "a b" -j DROP'],
    ],
    [
      "arrays",
      ["PORTS=(22 80)", 'for p in "${PORTS[@]}"; do iptables -A INPUT -p tcp --dport $p -j DROP; done'],
      ["-A INPUT -p tcp --dport 22 -j DROP", "-A INPUT -p tcp --dport 80 -j DROP"],
    ],
    [
      "conditions on what the script sets",
      ["V6=no", 'if [ "$V6" = yes ]; then iptables -A INPUT -j DROP; else iptables -A INPUT -j ACCEPT; fi'],
      ["-A INPUT -j ACCEPT"],
    ],
    ["conditions on rules", ["if ! iptables -C INPUT -j DROP; then iptables -A INPUT -j DROP; fi"], ["-A INPUT -j DROP"]],
    ["a chain made where there is none", ["iptables -L A -n >/dev/null 2>&1 || iptables -N A", "iptables -A A -j DROP"], ["-A A -j DROP"]],
    [
      "rules in a document",
      ["WAN=eth0", "iptables-restore <<EOF", "*filter", "-A INPUT -i $WAN -j DROP", "COMMIT", "EOF"],
      ["-A INPUT -i eth0 -j DROP"],
    ],
    [
      "loops over files of the kernel",
      ["iptables -A INPUT -j DROP", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $f; done"],
      ["-A INPUT -j DROP"],
    ],
    [
      "conditions about other things",
      ["iptables -A INPUT -j DROP", "if [ -x /bin/logger ]; then echo a | logger; else echo b; fi"],
      ["-A INPUT -j DROP"],
    ],
    ["a pipe behind a command", ["iptables -A INPUT -j DROP 2>&1 | logger"], ["-A INPUT -j DROP"]],
    [
      "variables of functions",
      ["P=22", "f() { local P=80 Q; P=81; }", "f", "iptables -A INPUT -p tcp --dport $P -j DROP"],
      ["-A INPUT -p tcp --dport 22 -j DROP"],
    ],
    [
      "variables of shells within",
      ["P=22", "(P=23; (P=24; Q=25); :); echo $(P=26)", 'iptables -A INPUT -p tcp --dport $P -s "${Q:+a}192.0.2.1" -j DROP'],
      undefined,
    ],
    [
      "variables after shells within",
      ["P=22", "(P=23; (P=24); :); echo $(P=26)", "iptables -A INPUT -p tcp --dport $P -j DROP"],
      ["-A INPUT -p tcp --dport 22 -j DROP"],
    ],
    ["questions with several letters", ["iptables -A INPUT -j DROP", "test -f a && iptables -t nat -nvL"], ["-A INPUT -j DROP"]],
    ["output sent elsewhere", ["exec >/var/log/fw 2>&1", "iptables -A INPUT -j DROP"], ["-A INPUT -j DROP"]],
    [
      "exported variables",
      ['export LAN="192.0.2.1" WAN=eth0', "iptables -A INPUT -s $LAN -i $WAN -j DROP"],
      ["-A INPUT -s 192.0.2.1 -i eth0 -j DROP"],
    ],
    ["functions that are not called", ["iptables -A INPUT -j DROP", "stop() { iptables -F; }"], ["-A INPUT -j DROP"]],
  ])("are followed: %s", (_, lines, expected) => {
    if (expected === undefined) expect(run(...lines).outcome).toBe("invalid");
    else expect(rules(...lines)).toEqual(expected.map((rule) => `ipv4 filter ${rule}`));
  });

  it.each([
    ["iptables -A INPUT -s $LAN -j DROP", "1:22+4 shell-construct"],
    ["$IPT -F", "1:1+4 shell-construct"],
    ["for a in $(ls); do iptables -F; done", "1:20+8 shell-construct"],
    ["for a in *; do iptables -A INPUT -i $a; done", "1:16+8 shell-construct"],
    ["if test -f a; then iptables -F; fi", "1:20+8 shell-construct"],
    ["while read a; do iptables -F; done", "1:18+8 shell-construct"],
    ["case $1 in start) iptables -F;; esac", "1:19+8 shell-construct"],
    ["iptables-restore < /etc/rules", "1:1+16 shell-command"],
    ["iptables -F\ncat /etc/rules | iptables-restore", "2:18+16 shell-command"],
    ["iptables -F | iptables -F", "1:1+8 shell-construct"],
    ["iptables -F &", "1:1+8 shell-construct"],
    ["iptables -F\nstart() {\niptables -F\n}\ntest -f a && start", "3:1+8 shell-construct"],
    ["iptables -F\nfirewall-cmd --reload", "2:1+12 shell-command"],
    ["iptables -F\nmodprobe -v x || iptables -F", "2:18+8 shell-construct"],
    ["iptables -F\ntest -f a && exit 0\niptables -F", "2:14+6 shell-construct"],
    ["iptables -F\nwhich iptables || exit 1", "2:19+6 shell-construct"],
    ["iptables -F\n! which iptables && exit 1", "2:21+6 shell-construct"],
    ["set -e\niptables -F\nmodprobe x", "3:1+10 shell-construct"],
    ["iptables -F\nip netns exec a iptables -F", "2:1+2 shell-command"],
    ["iptables -F\nssh host iptables -F", "2:1+3 shell-command"],
    ["iptables -F\ndocker exec a iptables -F", "2:1+6 shell-command"],
    ["iptables -F\nebtables -F", "2:1+8 shell-command"],
    ["iptables -F\nnft flush ruleset", "2:1+3 shell-command"],
    ["iptables -F\n. /etc/rc.conf", "2:1+1 shell-command"],
    ["iptables -F\neval iptables -F", "2:1+4 shell-command"],
    ["iptables -F\nsystemctl restart fail2ban", "2:1+9 shell-command"],
    ["iptables -F\nrmmod iptable_filter", "2:1+5 shell-command"],
    ["iptables -F\ntrap 'iptables -F' EXIT", "2:1+4 shell-command"],
    ["iptables -F\necho +192.0.2.1 > /proc/net/xt_recent/SSH", "2:17+25 shell-command"],
    ["iptables -F\necho +192.0.2.1 | tee /proc/net/xt_recent/SSH", "2:19+3 shell-command"],
    ["iptables -F\necho / > $F", "2:8+4 shell-construct"],
    ["iptables -F\ncd /proc/net/xt_recent\ncp /tmp/x bad", "2:1+2 shell-command"],
    ["iptables -F\necho $(iptables -A INPUT -j DROP; false) `./other`", "2:43+7 shell-command"],
    ["iptables -F\nawk 'BEGIN { system(\"iptables -F\") }'", "2:1+3 shell-command"],
    ["iptables -F\nfind . -exec iptables -F ';'", "2:1+4 shell-command"],
    ["iptables -A INPUT -m comment --comment 'open", "1:40+1 unclosed-quote"],
    ["f() { f; }; iptables -F; f", "1:7+1 shell-construct"],
    ["exec iptables -F\niptables -F", "2:1+11 shell-construct"],
    ['iptables -F\ntest -f a && iptables -A INPUT -m comment --comment "-L" -j DROP', "2:14+8 shell-construct"],
    ['iptables -F\niptables -A INPUT -s $X -m comment --comment "-h" -j DROP', "2:22+2 shell-construct"],
    ["iptables -F\nP=22\nf() { iptables -A INPUT -p tcp --dport $P; }\nP=23 f", "4:1+6 shell-construct"],
    ["iptables -F\nP=1; ((P++))\niptables -A INPUT -p tcp --dport $P", "2:6+1 shell-construct"],
    ["iptables -F\nP=1; echo $((P+=1))\niptables -A INPUT -p tcp --dport $P", "2:11+9 shell-construct"],
    ["iptables -F\nP=1; for ((P=2; P<3; P++)); do :; done\niptables -A INPUT -p tcp --dport $P", "2:6+3 shell-construct"],
    ["iptables -F\nP=1; select P in 2 3; do :; done\niptables -A INPUT -p tcp --dport $P", "2:6+6 shell-construct"],
    ["iptables -F\nunset P; iptables -A INPUT -s ${P-192.0.2.1}", "2:31+14 shell-construct"],
    ["iptables -F\ndeclare -n P=Q", "2:9+2 shell-construct"],
    ["iptables -F\nF=/dev/null; for i in *; do echo / > $F; F=/proc/net/xt_recent/a; done", "2:36+4 shell-construct"],
    ["f() { :; }\niptables -F | f", "2:1+8 shell-construct"],
    ["iptables -F\necho $(( $(iptables -A INPUT -j DROP; ./a) + 1 ))", "2:39+3 shell-command"],
    ["iptables -F\n[[ $(./a) == b ]]", "2:6+3 shell-command"],
    ["iptables -F\n(( $(./a) ))", "2:6+3 shell-command"],
    ["iptables -F\nA=(`./a`) true", "2:5+3 shell-command"],
    ["iptables -F\necho ${A:$(./a)}", "2:12+3 shell-command"],
    ["set -e\niptables -F\nfalse\niptables -F", "4:1+11 shell-construct"],
    ["set -e\niptables -F\n(exit 1)\niptables -F", "3:1+1 shell-construct"],
  ])("that need a shell are refused: %j", (text, expected) => {
    const { outcome, script, diagnostics } = run(text);
    expect([outcome, script]).toEqual(["invalid", undefined]);
    expect(diagnostics.map(({ code, span }) => `${span.line}:${span.column}+${span.length} ${code}`)).toContain(expected);
  });

  it.each([
    ...['tee "$F"', 'cp /tmp/x "$F"', "mv a b $F", "install -m 600 x $D/list", "ln -s x $F", 'ln -s "$F" /tmp/x', "dd if=/tmp/x of=$F"],
    ...["dd $X", "cp -t $D a", "cp --target-directory=$D a"],
  ])("are refused where a list of recent could be the file they write: %s", (command) => {
    expect(found(`iptables -F\n${command}`)).toContain(`2:1+${command.indexOf(" ")} shell-command`);
  });

  it.each(["cp $X /etc/rules", "mv a /var/lib/$X", 'tee "/tmp/$X"', "dd if=$X of=/tmp/x", "install -d /etc/x"])(
    "are passed over where none could be: %s",
    (command) => expect(run(`iptables -A INPUT -j DROP\n${command}`).outcome).toBe("exact"),
  );

  const nested = (depth: number, command: string): string =>
    `iptables -F; ${"for a in 1 2 3 4 5 6 7 8 9 10; do ".repeat(depth)} ${command} ${"; done".repeat(depth)}\n`;
  const inEachOther = (body: (next: string) => string, last: string): string =>
    Array.from({ length: 24 }, (_, index) => `f${index}() { ${index < 23 ? body(`f${index + 1}`) : last}; }\n`).join("");

  it.each([
    ["loops", nested(8, ":")],
    ["rules", nested(5, "iptables -A INPUT -s 192.0.2.$a -p tcp --dport 22 -m recent --set -j DROP")],
    ["chains", nested(6, "iptables -N x$a")],
    ["parameters", `iptables -F\n${inEachOther((next) => `${next} "$@" "$@"`, 'iptables -A INPUT "$@"')}f0 a\n`],
    ["calls", `iptables -F\n${inEachOther((next) => `${next}; ${next}`, "iptables -A INPUT -j DROP")}f0\n`],
    ["a value", `iptables -F\nx=aaaaaaaaaa\n${"x=$x$x$x$x$x$x$x$x$x$x\n".repeat(20)}iptables -A INPUT -m comment --comment $x\n`],
    ["blanks", `iptables -F\nx="${" ".repeat(100)}"\n${'x="$x$x$x$x"\n'.repeat(5)}${nested(4, "iptables -A INPUT $x -j DROP")}`],
    [
      "a length",
      `iptables -F\nx="${"a".repeat(100)}"\n${'x="$x$x$x$x"\n'.repeat(5)}${nested(4, "iptables -A INPUT -p tcp --dport ${#x}")}`,
    ],
    ["an array", `iptables -F\na=(x)\n${'a+=("${a[@]}")\n'.repeat(30)}iptables -A INPUT "\${a[@]}"\n`],
    ["appending", `iptables -F\nx=a\n${"x+=$x\n".repeat(60)}iptables -A INPUT -m comment --comment $x\n`],
  ])("carry out a bounded number of commands: %s", (_, text) => {
    const { diagnostics, outcome } = translate([{ file, text }]);
    expect(outcome).toBe("invalid");
    expect(diagnostics.map(({ message }) => message).join("\n")).toContain("which is far more than it holds");
  });

  it("read pipes of very many commands once", () => {
    expect(found(`iptables -F\n:${" | :".repeat(20_000)}`)).toEqual([]);
    expect(found("iptables -F; iptables -A INPUT -j DROP | iptables -A INPUT -j ACCEPT").length).toBeGreaterThan(0);
  });

  it("carry out as many commands as are written", () => {
    expect(rules("iptables -F", ...Array.from({ length: 12_000 }, () => ":"), "iptables -A INPUT -j DROP")).toHaveLength(1);
    const addresses = Array.from({ length: 15_000 }, (_, index) => `192.0.${index >> 8}.${index & 255}`).join(" ");
    expect(rules("iptables -F", `for a in ${addresses}; do :; done`, "iptables -A INPUT -j DROP")).toHaveLength(1);
  });
});
