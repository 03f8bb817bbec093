/** Scripts at random, of what people write and of what is hard to follow without a shell. */

import type { Random } from "../../../src/random.js";

interface Depth {
  readonly left: number;
  readonly inFunction: boolean;
  readonly inLoop: boolean;
}

/** What a run of a script finds around it: files that are there or not, variables, arguments. */
export interface ScriptCase {
  readonly text: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly parameters: readonly string[];
}

export function scriptAtRandom(random: Random): ScriptCase {
  return new Generator(random).script();
}

class Generator {
  private readonly functions: string[] = [];
  private readonly variables: string[] = [];

  constructor(private readonly random: Random) {}

  private pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]!;
  }

  private chance(part: number): boolean {
    return this.random() < part;
  }

  script(): ScriptCase {
    const lines = [
      this.pick(["#!/bin/bash", "#!/bin/sh", "#!/bin/bash -e", "# a firewall"]),
      ...(this.chance(0.4) ? ['IPT="iptables"', "WAN=eth0", 'LAN="192.0.2.0/24 198.51.100.0/24"'] : []),
    ];
    if (lines.length > 1) this.variables.push("WAN", "LAN");
    // So that it is a script whatever comes first.
    lines.push("iptables -F");
    const count = 2 + Math.floor(this.random() * 8);
    for (let index = 0; index < count; index++) lines.push(this.statement({ left: 3, inFunction: false, inLoop: false }));
    return {
      text: `${lines.join("\n")}\n`,
      environment: this.chance(0.3) ? { EXTRA: this.pick(["", "yes", "192.0.2.9"]) } : {},
      parameters: this.chance(0.3) ? [this.pick(["start", "stop", "192.0.2.7"])] : [],
    };
  }

  private statement(depth: Depth): string {
    const nested = depth.left > 0 ? { ...depth, left: depth.left - 1 } : undefined;
    const forms: (() => string)[] = [
      () => this.command(),
      () => this.command(),
      () => this.command(),
      () => this.assignment(),
      () => this.other(),
      () => this.andOr(),
      () => this.pick(["", "# a comment", ":", "true", "false || true"]),
    ];
    if (nested) {
      forms.push(
        () =>
          `if ${this.condition()}; then\n  ${this.statement(nested)}\n${this.chance(0.4) ? `else\n  ${this.statement(nested)}\n` : ""}fi`,
        () => this.loop(nested),
        () => `{ ${this.statement(nested)}\n}`,
        () => this.functionDefinition(nested),
        () => this.call(),
        () => this.document(),
      );
      if (this.chance(0.3))
        forms.push(
          () => `case "$1" in\n  start) ${this.statement(nested)} ;;\n  *) ${this.statement(nested)} ;;\nesac`,
          () => `( ${this.statement(nested)}\n)`,
          () => `n=0; while [ $n -lt 2 ]; do n=$((n+1)); ${this.statement({ ...nested, inLoop: true })}\ndone`,
          () => `${this.statement(nested)} | cat`,
        );
    }
    if (depth.inFunction && this.chance(0.1)) forms.push(() => this.pick(["return 0", "return 1", "return"]));
    if (depth.inLoop && this.chance(0.2)) forms.push(() => this.pick(["break", "continue"]));
    if (this.chance(0.04))
      forms.push(() => this.pick(["exit 0", "exit", "exec true", "set -e", "set +e", "set -- 192.0.2.1 192.0.2.2", "shift"]));
    return this.pick(forms)();
  }

  private address(): string {
    const known = [...this.variables.map((name) => `$${name}`), ...this.variables.map((name) => `"\${${name}}"`)];
    if (known.length > 0 && this.chance(0.25)) return this.pick(known);
    return this.pick([
      "192.0.2.1",
      "192.0.2.0/28",
      "'198.51.100.7'",
      '"203.0.113.1"',
      "$1",
      "${EXTRA:-192.0.2.3}",
      "$EXTRA",
      "198.51.100.\\7",
    ]);
  }

  private command(): string {
    const program =
      this.chance(0.15) && this.variables.length > 0
        ? "$IPT"
        : this.pick(["iptables", "iptables", "iptables", "iptables -w", '"iptables"']);
    const chain = this.pick(["INPUT", "INPUT", "FORWARD", "A", "B"]);
    const rule = `-s ${this.address()} -j ${this.pick(["DROP", "ACCEPT", "RETURN"])}`;
    const quiet = this.chance(0.3) ? " 2>/dev/null" : "";
    return `${program} ${this.pick([
      `-A ${chain} ${rule}`,
      `-A ${chain} ${rule}`,
      `-I ${chain} ${rule}`,
      `-D ${chain} ${rule}`,
      `-A ${chain} -p tcp --dport ${this.pick(["22", "80", "$PORT", "1:1024"])} -j ACCEPT`,
      `-A ${chain} -m comment --comment "it's ${this.pick(["a", "$WAN", "\\$x", "b;c"])}" -j ACCEPT`,
      `-N ${this.pick(["A", "B"])}`,
      `-F ${chain}`,
      `-X ${this.pick(["A", "B"])}`,
      `-P ${this.pick(["INPUT", "FORWARD"])} ${this.pick(["DROP", "ACCEPT"])}`,
      `-L ${chain} -n >/dev/null`,
      `-C ${chain} ${rule}`,
    ])}${quiet}`;
  }

  private assignment(): string {
    const name = this.pick(["WAN", "LAN", "X", "PORT"]);
    if (!this.variables.includes(name)) this.variables.push(name);
    return `${name}=${this.pick(["192.0.2.4", '"192.0.2.5 192.0.2.6"', "$X", '"$(echo 192.0.2.8)"', "`echo 22`", "${WAN:-192.0.2.2}", "22", "'a b'", "$1"])}`;
  }

  private other(): string {
    return this.pick([
      "echo hello",
      'echo "using iptables -A INPUT"',
      "modprobe -q nothing",
      "local WAN=192.0.2.44",
      "local X",
      "export PORT=80",
      'export X="a b"',
      "export X=$LAN",
      "echo $(( $(iptables -A INPUT -s 192.0.2.98 -j DROP; echo 1) + 1 ))",
      "[[ $(iptables -A INPUT -s 192.0.2.97 -j DROP) == b ]]",
      "exec 2>/dev/null",
      "false",
      "(exit 1)",
      "((PORT++))",
      "echo $((PORT += 1))",
      "for ((PORT=80; PORT<82; PORT++)); do :; done",
      "WAN=192.0.2.43 allow",
      "(WAN=192.0.2.42; X=80)",
      "echo $(PORT=443)",
      "test -d /etc && iptables -A INPUT -m comment --comment -L -j DROP",
      "test -d /etc && iptables -nvL >/dev/null",
      "echo ${X:+$(iptables -A INPUT -s 192.0.2.96 -j DROP)}",
      "test -f /nonexistent",
      "cat /etc/hostname >/dev/null",
      "! true",
      "id -u >/dev/null",
      "cd /tmp",
      "export WAN",
      "unset X",
      "echo $(iptables -A INPUT -s 192.0.2.99 -j DROP)",
      "trap 'iptables -F' EXIT",
      "sh -c 'iptables -A INPUT -j DROP'",
      "eval 'iptables -A INPUT -j DROP'",
      "iptables -A INPUT -j DROP & wait",
    ]);
  }

  private condition(): string {
    return this.pick([
      "true",
      "false",
      "test -f /nonexistent",
      "[ -d /etc ]",
      '[ "$1" = start ]',
      '[ -n "$EXTRA" ]',
      '[ "$WAN" = eth0 ]',
      '[ -z "$X" ]',
      "[ 1 -lt 2 ]",
      "! [ a = b ]",
      "iptables -C INPUT -s 192.0.2.1 -j DROP 2>/dev/null",
      "! iptables -L A -n >/dev/null 2>&1",
      "iptables -N A 2>/dev/null",
      "[[ $WAN == eth* ]]",
      "grep -q root /etc/passwd",
    ]);
  }

  private andOr(): string {
    const right = (): string =>
      this.pick([this.command(), this.command(), "exit 1", "true", "echo no", "{ echo no; exit 0; }", this.assignment()]);
    return `${this.pick([this.condition(), this.command()])} ${this.pick(["&&", "||"])} ${right()}${this.chance(0.3) ? ` ${this.pick(["&&", "||"])} ${right()}` : ""}`;
  }

  private loop(nested: Depth): string {
    const words = this.pick(["192.0.2.1 192.0.2.2", "a", "$LAN", '"$@"', "$(echo 1 2)", "/nonexistent/*", "", "1 2 3", '"$LAN"']);
    if (!this.variables.includes("i")) this.variables.push("i");
    return `for i in ${words}; do\n  ${this.statement({ ...nested, inLoop: true })}\n  ${this.statement({ ...nested, inLoop: true })}\ndone`;
  }

  private functionDefinition(nested: Depth): string {
    const name = this.pick(["open_port", "allow", "fw"]);
    const body = [
      this.statement({ ...nested, inFunction: true, inLoop: false }),
      this.statement({ ...nested, inFunction: true, inLoop: false }),
    ];
    if (!this.functions.includes(name)) this.functions.push(name);
    return `${this.pick([`${name}() {`, `function ${name} {`])}\n  ${body.join("\n  ")}\n}`;
  }

  private call(): string {
    if (this.functions.length === 0) return this.command();
    return `${this.pick(this.functions)} ${this.pick(["", "192.0.2.1", '"192.0.2.2" 80', "$WAN", '"$@"'])}`;
  }

  private document(): string {
    return (
      `${this.pick(["iptables-restore", "iptables-restore -n", "iptables-restore --noflush"])} <<${this.pick(["EOF", "'EOF'"])}\n*filter\n` +
      `${this.pick([":INPUT ACCEPT [0:0]\n", ":A - [0:0]\n", ""])}-A INPUT -s ${this.pick(["192.0.2.1", "$WAN", "192.0.2.77"])} -j DROP\nCOMMIT\nEOF`
    );
  }
}
