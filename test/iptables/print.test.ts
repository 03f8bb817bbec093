import { describe, expect, it } from "vitest";

import { printRuleset, unprintable } from "../../src/iptables/print.js";
import { IpsetReader } from "../../src/ipset/read-ipsets.js";
import { translate } from "../../src/translate.js";

const read = (...rules: readonly string[]) =>
  translate(`*filter\n:INPUT DROP [5:300]\n:web - [0:0]\n${rules.join("\n")}\nCOMMIT\n`, { family: "ipv4" });

/** The rules as they are printed. */
function printed(...rules: readonly string[]): readonly string[] {
  const { iptables, diagnostics } = read(...rules);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return printRuleset(iptables[0]!)
    .text.split("\n")
    .filter((line) => line.startsWith("-A"));
}

describe("a rule is written from the AST", () => {
  it("with nothing that is an option of iptables-restore itself", () => {
    for (const option of ["-M /tmp/x", "--modprobe /tmp/x", "--modprobe=/tmp/x", "--modp /tmp/x", "-v", "-c 1 2"])
      expect(printed(`-A INPUT ${option} -p tcp --dport 22 -j ACCEPT`)).toEqual([
        '-A "INPUT" -p "6" -m "tcp" --destination-port "22" -j "ACCEPT"',
      ]);
  });

  it("whose arguments stay arguments", () => {
    expect(printed('-A INPUT -i -M -m comment --comment "-M /tmp/x \\"quoted\\" \\\\" -j LOG --log-prefix "--modprobe=x "')).toEqual([
      '-A "INPUT" -i "-M" -m "comment" --comment "-M /tmp/x \\"quoted\\" \\\\" -j "LOG" --log-prefix "--modprobe=x "',
    ]);
  });

  it("with inversions, two words of an argument, several addresses, and jumps", () => {
    expect(
      printed(
        "-A INPUT -s 192.0.2.1,192.0.2.0/255.255.0.255 -p tcp ! --tcp-flags SYN,ACK SYN -g web",
        "-A web ! -f -p udp -m udp ! --sport 1:2 -j RETURN",
      ),
    ).toEqual([
      '-A "INPUT" -s "192.0.2.1/32" -p "6" -m "tcp" ! --tcp-flags "SYN,ACK" "SYN" -g "web"',
      '-A "INPUT" -s "192.0.0.0/255.255.0.255" -p "6" -m "tcp" ! --tcp-flags "SYN,ACK" "SYN" -g "web"',
      '-A "web" -p "17" ! -f -m "udp" ! --source-port "1:2" -j "RETURN"',
    ]);
  });

  it("on a line whose place is known", () => {
    const { text, places } = printRuleset(read("-A INPUT -j web", "-A INPUT -j DROP").iptables[0]!);
    expect(text.split("\n").slice(0, 3)).toEqual(["*filter", ":INPUT DROP [0:0]", ":web - [0:0]"]);
    expect(text.split("\n").flatMap((line, index) => (line.startsWith("-A") ? [places[index]?.line] : []))).toEqual([4, 5]);
  });

  it("or not at all, where it is not known whole", () => {
    const reasons = read(
      "-A INPUT -m nowhere --option x -j DROP",
      "-A INPUT -m policy --dir in --pol ipsec --strict --proto ah --next --proto esp",
    )
      .iptables[0]!.tables[0]!.chains.flatMap(({ rules }) => rules)
      .map(unprintable);
    expect(reasons).toEqual([expect.stringContaining('"nowhere" are not known here'), expect.stringContaining('"--next"')]);
  });
});

it("says what a dump tries to have iptables run", () => {
  expect(read("-A INPUT -M /tmp/x -j DROP").diagnostics).toMatchObject([{ code: "option-without-effect", span: { line: 4, column: 10 } }]);
});

it("writes commands of ipset anew, with nothing that is an option of ipset itself", () => {
  const reader = new IpsetReader(true);
  reader.readFile(
    "sets",
    'create a hash:ip --hashsize 64 comment\nsave a -file /tmp/x\nadd -exist a 192.0.2.1 comment "-file /tmp/x" timeout 5\n' +
      'create -file hash:ip\nadd a 192.0.2.2 comment "-f"\nflush a\nlist -o save\n',
  );
  expect(reader.restorable).toEqual(["create a hash:ip hashsize 64 comment", "add a 192.0.2.1 timeout 5", "add a 192.0.2.2", "flush a"]);
});
