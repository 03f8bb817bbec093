/** `capture` as far as it needs no kernel: its words, what it reads, and what it says. */

import { describe, expect, it } from "vitest";

import { batchesOf, interfacesOf, routesOf, withInterfaces } from "../../../../src/cli/commands/capture/machine.js";
import { parseCaptureWords } from "../../../../src/cli/commands/capture/options.js";
import { PartReader } from "../../../../src/cli/commands/capture/parts.js";
import { readRecentHosts } from "../../../../src/cli/commands/capture/recent-hosts.js";
import { isLost, missingPrograms, readLog, tellOf } from "../../../../src/cli/commands/capture/told.js";
import { execute } from "../../execute.js";

describe("the words of capture", () => {
  it("leaves what stands behind the command to the command", () => {
    expect(
      parseCaptureWords(["--timeout", "1m30s", "--interface", "ppp0=192.0.2.1/24,2001:db8::1", "./fw.sh", "--timeout", "--help"]),
    ).toMatchObject({
      settings: {
        command: ["./fw.sh", "--timeout", "--help"],
        timeout: 90,
        interfaces: [{ name: "ppp0", addresses: ["192.0.2.1/24", "2001:db8::1/128"] }],
        ownInterfaces: true,
        ignoreStatus: false,
      },
    });
    expect(parseCaptureWords(["--no-machine-interfaces", "--", "sh", "-c", "true"])).toMatchObject({
      settings: { command: ["sh", "-c", "true"], ownInterfaces: false },
    });
  });

  it.each([
    [[], "missing required argument"],
    [["--interface", "a b", "true"], "at most 15 letters"],
    [["--interface", "-x", "true"], "at most 15 letters"],
    [["--interface", "eth0\nlink del lo", "true"], "at most 15 letters"],
    [["--interface", "sixteen-letters-", "true"], "at most 15 letters"],
    [["--interface", "lo", "true"], "is there anyway"],
    [["--interface", "eth0=192.0.2.1/33", "true"], "is no address"],
    [["--interface", "eth0=192.0.2.1 dev lo", "true"], "is no address"],
    [["--interface", "eth0", "--interface", "eth0", "true"], "given twice"],
    [["--timeout", "0s", "true"], "it must be a duration"],
    [[""], "empty name"],
  ])("refuses %j", (words, reason) => {
    expect(parseCaptureWords(words)).toMatchObject({ error: true, text: expect.stringContaining(reason) });
  });

  it("names what is not installed, or that this is no Linux", async () => {
    const { status, output, error } = await execute(["capture", "true"], { environment: { PATH: "/nonexistent" } });
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toMatch(process.platform === "linux" ? /not installed: sh, unshare/ : /needs Linux/);
  });
});

describe("the interfaces of the machine", () => {
  const addresses = [
    { ifname: "lo", addr_info: [{ local: "127.0.0.1", prefixlen: 8 }] },
    {
      ifname: "eth0",
      address: "02:00:00:00:00:01",
      mtu: 1400,
      addr_info: [
        { local: "192.0.2.2", prefixlen: 24 },
        { local: "fe80::1", prefixlen: 64 },
      ],
    },
    { ifname: "a\nlink del eth0", addr_info: [] },
    { ifname: "wg0", address: "none", mtu: "1", addr_info: [{ local: "x; reboot", prefixlen: 1 }, null] },
  ];
  const routes = [
    { dst: "default", gateway: "192.0.2.1", dev: "eth0" },
    { dst: "192.0.2.0/24", dev: "eth0", protocol: "kernel" },
    { dst: "203.0.113.0/24 dev lo", dev: "eth0" },
    { dst: "203.0.113.9", dev: "wg0" },
  ];

  it("become lines that nothing in a name or address can add to", () => {
    expect(batchesOf({ interfaces: interfacesOf(addresses), routes: routesOf(routes, "0.0.0.0/0") })).toEqual({
      peers: [
        "link add peer0 type veth peer name eth0 netns 1",
        "link set peer0 up",
        "link add peer1 type veth peer name wg0 netns 1",
        "link set peer1 up",
      ].join("\n"),
      addresses: [
        "link set dev eth0 addrgenmode none",
        "link set dev eth0 address 02:00:00:00:00:01",
        "link set dev eth0 mtu 1400",
        "link set dev eth0 up",
        "address add 192.0.2.2/24 dev eth0 brd +",
        "address add fe80::1/64 dev eth0 nodad",
        "link set dev wg0 addrgenmode none",
        "link set dev wg0 up",
        "route add 0.0.0.0/0 via 192.0.2.1 dev eth0",
        "route add 203.0.113.9/32 dev wg0",
      ].join("\n"),
    });
  });

  it("give way to those of the command line", () => {
    const machine = withInterfaces({ interfaces: interfacesOf(addresses), routes: [] }, [{ name: "eth0", addresses: ["198.51.100.1/32"] }]);
    expect(machine.interfaces).toEqual([
      { name: "wg0", addresses: [] },
      { name: "eth0", addresses: ["198.51.100.1/32"] },
    ]);
  });
});

describe("the parts of a result", () => {
  const text = "began 0\nipv4 13\n*filter\nline\nsets 0\nlog 4\na 1\n";
  it.each([1, 2, 3, 7, 1000])("come whole from pieces of %i bytes", (size) => {
    const reader = new PartReader();
    const whole: string[] = [];
    for (let start = 0; start < text.length; start += size)
      reader.take(Buffer.from(text.slice(start, start + size)), (name) => whole.push(name));
    expect(whole.slice(0, 3)).toEqual(["began", "ipv4", "sets"]);
    expect([reader.text("ipv4"), reader.text("log"), reader.text("none")]).toEqual(["*filter\nline\n", "a 1\n", ""]);
  });
  it.each(["no part", "x".repeat(70), "ipv4 -1\n"])("are nothing else: %s", (wrong) => {
    expect(() => new PartReader().take(Buffer.from(`${wrong}\n`), () => undefined)).toThrow("no part");
  });

  it("refuses a part that comes again, since the time of a script begins with one", () => {
    const told: string[] = [];
    expect(() => new PartReader().take(Buffer.from("began 0\nbegan 0\n"), (name) => told.push(name))).toThrow("no part");
    expect(told).toEqual(["began"]);
  });
});

it("reads hosts with their hits, and leaves lists without hosts out", () => {
  const text = [
    "list ssh",
    "src=192.0.2.1 ttl: 0 last_seen: 4295 oldest_pkt: 1 4295",
    "src=2001:0db8:0000:0000:0000:0000:0000:0001 ttl: 64 last_seen: 4300 oldest_pkt: 3 4295, 4298, 4300",
    "list empty",
    "",
  ].join("\n");
  expect(readRecentHosts(text)).toEqual([
    {
      list: "ssh",
      hosts: [
        { address: "192.0.2.1", ages: [0], ttl: 0 },
        { address: "2001:db8::1", ages: [0, 0, 0], ttl: 64 },
      ],
    },
  ]);
});

it.each([
  [100, [600_000, 40_000, 1500]],
  [250, [240_000, 16_000, 0]],
  [1000, [60_000, 4000, 0]],
])("reads how long ago hosts were seen by a clock of %d ticks a second", (ticks, ages) => {
  const now = 5_000_000;
  const stamps = [now - 60_000, now - 4000, now - 150];
  const later = now + Math.round(ticks * 0.43);
  const host = `src=192.0.2.1 ttl: 0 last_seen: ${stamps[2]} oldest_pkt: 3 ${stamps.join(", ")}`;
  // /proc/uptime has hundredths of a second.
  const text = `list ssh\n${host}\nclock ${now} 7000.11\nclock ${later} 7000.53\n`;
  expect(readRecentHosts(text)[0]!.hosts[0]!.ages).toEqual(ages);
});

describe("what is said of a script", () => {
  it.each([
    ["refused\tiptables -A INPUT -j X", true],
    ["refused\tiptables -t nat --append POSTROUTING", true],
    ["refused\tip6tables -w -P INPUT DROP", true],
    ["refused\tiptables-restore --noflush", true],
    ["refused\tiptables -D INPUT -j X", false],
    ["refused\tiptables -C INPUT -p tcp", false],
    ["refused\tiptables -t filter -X chain", false],
    ["refused\tipset add set 192.0.2.1", true],
    ["refused\tipset -exist create set hash:ip", true],
    ["refused\tipset test set 192.0.2.1", false],
    ["refused\tipset destroy set", false],
    ["held\tnft add table inet x", true],
    ["held\tnft -f -", true],
    ["held\tnft list ruleset", false],
    ["held\tebtables -A INPUT -j DROP", true],
    ["held\tsystemctl restart x", false],
    ["failing\tcurl http://x", false],
  ])("%s is missing in the firewall: %s", (line, lost) => expect(readLog(`${line}\n`).map(isLost)).toEqual([lost]));

  it("finds missing programs in what shells print", () => {
    const printed = [
      "fw.sh: 12: frob: not found",
      "./fw.sh: line 3: nicate: command not found",
      "sh: 1: frob: not found",
      "./fw.sh: line 4: /usr/local/sbin/iptables: No such file or directory",
      "cat: /etc/none: No such file or directory",
      "host not found",
    ].join("\n");
    expect(missingPrograms(printed)).toEqual(["frob", "nicate", "/usr/local/sbin/iptables"]);
  });

  it("counts, groups and bounds", () => {
    const logged = readLog(
      [...Array.from({ length: 30 }, (_, n) => `held\tmodprobe m${n}`), "held\tmodprobe m0", "nonsense", ""].join("\n"),
    );
    const messages = tellOf({ logged, printed: "", written: ["/etc/hosts"] });
    expect(messages.map(({ severity }) => severity)).toEqual(["note", "note"]);
    expect(messages[0]!.message).toMatch(/^31 commands held.*:\n {2}modprobe m0 \(2 times\)\n[^]*\n {2}and 10 more$/);
    expect(messages[1]!.message).toMatch(/^1 file written.*\n {2}\/etc\/hosts$/);
  });
});
