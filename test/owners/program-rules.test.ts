import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { translateByShapes } from "../../src/shapes/translate-by-shapes.js";
import { translate, type Source } from "../../src/translate.js";

const machine = (name: string): Source[] => [{ file: "rules.v4", text: readFileSync(`corpus/machine/${name}/rules.v4`, "utf8") }];
const dump = (...lines: readonly string[]): Source[] => [
  { file: "rules.v4", text: ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ...lines, "COMMIT", ""].join("\n") },
];
const notes = (sources: readonly Source[]): string[] =>
  translate(sources).diagnostics.flatMap(({ code, message, span, severity }) =>
    code === "program-rules" ? [`${severity} ${span.file}:${span.line}: ${message}`] : [],
  );
const programs = (sources: readonly Source[]): string[] => notes(sources).map((note) => / made by (\S+) itself/.exec(note)![1]!);

describe("notes of programs' rules", () => {
  it("has one for each program, with its first lines, and leaves the outcome as it is", () => {
    const rules = dump(
      ":DOCKER - [0:0]",
      ":f2b-sshd - [0:0]",
      "-A INPUT -j f2b-sshd",
      "-A FORWARD -o docker0 -j DOCKER",
      "-A DOCKER -j ACCEPT",
    );
    expect(notes(rules)).toEqual([
      "note rules.v4:6: 1 rule is made by fail2ban itself (line 6), which makes it in iptables again whenever it starts: nobody keeps up the copy in the script",
      "note rules.v4:7: 2 rules are made by Docker itself (lines 7, 8), which makes them in iptables again whenever it starts: nobody keeps up the copy in the script",
    ]);
    expect(translate(rules).outcome).toBe("exact");
    expect(translate(rules).diagnostics[0]!.help).toBe(
      "about fail2ban: banaction = nftables in /etc/fail2ban/jail.local; while it runs, cutover leaves these rules to it in iptables",
    );
  });

  it("names the programs of the corpus, and nobody where there is none", () => {
    expect(programs(machine("docker-host"))).toContain("Docker");
    expect(programs(machine("fail2ban"))).toEqual(["fail2ban"]);
    expect(programs(machine("kube-proxy-session-affinity"))).toEqual(expect.arrayContaining(["kube-proxy"]));
    expect(programs(machine("ufw"))).toEqual(["ufw"]);
    expect(programs(machine("shorewall"))).toEqual(["Shorewall"]);
    expect(programs(machine("web-server"))).toEqual([]);
  });

  it("leaves the administrator his own rules beside a program's, and chains that only have such a name", () => {
    expect(programs(dump(":DOCKER-USER - [0:0]", "-A DOCKER-USER -s 192.0.2.0/24 -j DROP"))).toEqual([]);
    expect(programs(dump(":DOCKER-USER - [0:0]", "-A DOCKER-USER -j RETURN"))).toEqual(["Docker"]);
    expect(programs(dump("-A INPUT -i docker0 -j ACCEPT"))).toEqual([]);
    expect(programs(dump("-A FORWARD -i docker0 -j ACCEPT"))).toEqual(["Docker"]);
    expect(programs(dump(":reject - [0:0]", "-A INPUT -j reject"))).toEqual([]);
    expect(programs(dump(":reject - [0:0]", ":shorewall - [0:0]", "-A INPUT -j reject"))).toEqual(["Shorewall"]);
  });

  it("gives each file of a family its own, and counts a line with several addresses once", () => {
    const [first] = dump(":f2b-x - [0:0]", "-A INPUT -s 192.0.2.1,192.0.2.2 -j f2b-x", "-A f2b-x -j RETURN");
    const second = { file: "nat.v4", text: "*nat\n:PREROUTING ACCEPT [0:0]\n:f2b-y - [0:0]\n-A PREROUTING -j f2b-y\nCOMMIT\n" };
    expect(notes([first!, second]).map((note) => note.slice(0, 37))).toEqual([
      "note rules.v4:5: 2 rules are made by ",
      "note nat.v4:4: 1 rule is made by fail",
    ]);
  });

  const address = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const services = (count: number): Source[] => {
    const rules = Array.from({ length: count }, (_, number) => [
      `-A KUBE-SERVICES -d ${address(number + 256)}/32 -p tcp -m comment --comment "team/service-${number}" -m tcp --dport 80 -j ACCEPT`,
      `-A INPUT -s ${address(number + 256)}/32 -m comment --comment "${number % 7 === 0 ? "generated for LXD network lxdbr0" : `mine ${number}`}" -j ACCEPT`,
    ]);
    return dump(":KUBE-SERVICES - [0:0]", "-A FORWARD -j KUBE-SERVICES", ...rules.flat());
  };

  it("counts on the quick way as on the slow one", () => {
    const rules = services(700);
    const quick = translateByShapes(rules, {});
    if ("reason" in quick) throw new Error(quick.reason);
    expect(quick.translation.diagnostics).toEqual(translate(rules).diagnostics);
    expect(programs(rules)).toEqual(["kube-proxy", "LXD"]);
  });

  it("leaves the quick way open for 20,000 rules", () => {
    const quick = translateByShapes(services(10_000), {});
    if ("reason" in quick) throw new Error(quick.reason);
    expect(quick.leftOut).toBeGreaterThan(19_000);
    expect(quick.translation.diagnostics.map(({ message }) => message.slice(0, 83))).toEqual([
      "10001 rules are made by kube-proxy itself (lines 5, 6, 8 and 9998 more), which make",
      "1429 rules are made by LXD itself (lines 7, 21, 35 and 1426 more), which makes them",
    ]);
  });
});
