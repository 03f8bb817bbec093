import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ChangeLog, type LoggedChange } from "../../src/cli/commands/lists/serve/change-log.js";
import { Gate, plainAddress } from "../../src/cli/commands/lists/serve/gate.js";
import { createService } from "../../src/cli/commands/lists/serve/service.js";
import type { TableChange } from "../../src/lists/changes.js";
import { readListing } from "../../src/lists/listing.js";
import { findLists } from "../../src/lists/lists.js";
import { labelName } from "../../src/rewrite/recent/set-label.js";

const token = "correct-horse-battery";

const longName = "x".repeat(60);

const setOf = (table: string, name: string, type: string, label: string): string =>
  `table ${table} ipt2nft {\n\tset ${name} {\n\t\ttype ${type}\n\t\tflags dynamic\n\t\tcomment "${label}"\n\t}\n}\n`;

const loaded = findLists(
  (
    [
      ["ip", setOf("ip", "plain", "ipv4_addr", "recent PLAIN: seen")],
      ["ip", setOf("ip", "net", "ipv4_addr", "recent NET: seen; mask 24")],
      ["ip", setOf("ip", "long", "ipv4_addr", `recent ${labelName(longName)}: seen`)],
      ["ip6", setOf("ip6", "six", "ipv6_addr", "recent SIX: seen")],
    ] as const
  ).map(([family, text]) => ({ table: { family, name: "ipt2nft" }, sets: readListing(text) })),
);

interface Running {
  readonly port: number;
  readonly changes: TableChange[][];
  readonly log: LoggedChange[];
  readonly faults: unknown[];
}

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function start({ behindSocket = true } = {}): Promise<Running> {
  const running: Running = { port: 0, changes: [], log: [], faults: [] };
  const service = createService({
    allowChanges: true,
    behindSocket,
    sshConnection: undefined,
    read: async () => ({ ...loaded, at: performance.now() }),
    change: async (made) => void running.changes.push([...made]),
    kernelClock: async () => ({ jiffies: 4_300_000_000n, ticksPerSecond: 250 }),
    log: { add: (change) => void running.log.push(change), last: () => [...running.log].reverse() },
    report: (fault) => void running.faults.push(fault),
  });
  const made = createServer((asked, answered) => void service.answer(asked, answered));
  server = made;
  await new Promise<void>((ready) => made.listen(0, "127.0.0.1", ready));
  const { port } = made.address() as AddressInfo;
  service.open({ token, hosts: ["lists"] });
  return { ...running, port };
}

function post(
  { port }: Running,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const authorization = `Bearer ${token}`;
    const all = { host: "lists", authorization, "content-type": "application/json", ...headers };
    const asked = request({ port, host: "127.0.0.1", path, method: "POST", headers: all }, (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode!, text }));
    });
    asked.on("error", reject);
    asked.end(JSON.stringify(body));
  });
}

const saved = (name: string, address: string): string =>
  JSON.stringify({ format: "ipt2nft-recent lists 1", lists: [{ name, hosts: [{ address, ttl: 0, count: 1, stamps: [1000] }] }] });

describe("who asks", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    [" 192.0.2.7:50000", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["[::ffff:c000:207]:443", "192.0.2.7"],
    ["[2001:db8::7]:443", "2001:db8::7"],
    ["[2001:db8::7]", "2001:db8::7"],
    ["fe80::1%eth0", "fe80::1"],
    ["unknown", "unknown"],
  ])("%s is %s", (text, address) => expect(plainAddress(text)).toBe(address));

  it.each([
    ["PLAIN", "192.0.2.7", "192.0.2.7:50000"],
    ["PLAIN", "192.0.2.7", "::ffff:c000:207"],
    ["PLAIN", "192.0.2.7", "203.0.113.1, [::ffff:192.0.2.7]:1"],
    ["NET", "192.0.2.9", "192.0.2.7"],
    ["SIX", "2001:db8:0::7", "[2001:db8::7]:443"],
    [longName, "192.0.2.7", "192.0.2.7"],
  ])("is not put on the list %s as %s, by hand or by a file: %s", async (list, address, forwarded) => {
    const running = await start();
    const headers = { "x-forwarded-for": forwarded };
    const kept = list === "NET" ? "192.0.2.0" : address;
    for (const [path, body] of [
      ["/api/change", { action: "ban", list, addresses: [address] }],
      ["/api/import", { files: [{ name: "saved", text: saved(list, kept) }] }],
    ] as const) {
      const { status, text } = await post(running, path, body, headers);
      expect({ path, status, text }).toEqual({
        path,
        status: 400,
        text: expect.stringContaining("is yours or this machine's own") as string,
      });
    }
    expect(running.changes).toEqual([]);
    expect(running.log).toEqual([]);
  });

  it("stands in the log as the server in front says, not as who asks says", async () => {
    const running = await start();
    await post(
      running,
      "/api/change",
      { action: "ban", list: "PLAIN", addresses: ["192.0.2.9"] },
      { "x-forwarded-for": "192.0.2.1, 198.51.100.7" },
    );
    expect(running.log.map(({ from }) => from)).toEqual(["198.51.100.7"]);
    server?.close();
    const direct = await start({ behindSocket: false });
    await post(direct, "/api/change", { action: "ban", list: "PLAIN", addresses: ["192.0.2.9"] }, { "x-forwarded-for": "192.0.2.1" });
    expect(direct.log.map(({ from }) => from)).toEqual(["127.0.0.1"]);
  });

  const asked = (authorization?: string): Parameters<Gate["refuseToken"]>[0] =>
    ({ headers: { ...(authorization !== undefined && { authorization }) } }) as Parameters<Gate["refuseToken"]>[0];
  const wrong = asked("Bearer wrong");

  it("tries tokens ten times a minute with all addresses of a network of IPv6, whoever else asks", () => {
    const gate = new Gate({ token, hosts: [] });
    const statuses = Array.from({ length: 12 }, (_, index) => gate.refuseToken(wrong, `2001:db8:0:7:${index.toString(16)}::1`, 0)?.status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    for (let index = 0; index < 9_000; index += 1) gate.refuseToken(wrong, `10.0.${index >> 8}.${index & 255}`, 0);
    for (let index = 0; index < 20_000; index += 1) gate.refuseToken(asked(), `10.1.${index >> 8}.${index & 255}`, 0);
    expect(gate.refuseToken(wrong, "2001:db8:0:7::1", 0)?.status).toBe(429);
    expect(gate.refuseToken(wrong, "2001:db8:0:8::1", 0)?.status).toBe(401);
    expect(gate.refuseToken(wrong, "2001:db8:0:7::1", 60_001)?.status).toBe(401);
    expect(gate.refuseToken(asked(`Bearer ${token}`), "2001:db8:0:7::1", 0)).toBeUndefined();
  });
});

describe("what is asked", () => {
  it.each(["//[", "http://[", "//%", "///////"])("is no fault of ours where it is no address: %s", async (path) => {
    const running = await start();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(running.port, "127.0.0.1", () =>
        socket.end(`GET ${path} HTTP/1.1\r\nHost: lists\r\nConnection: close\r\n\r\n`),
      );
      let text = "";
      socket.on("data", (piece) => (text += piece.toString()));
      socket.on("close", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 40[01] /);
    expect(running.faults).toEqual([]);
  });

  it("is done while somebody else has not sent all of it", async () => {
    const running = await start();
    const socket = connect(running.port, "127.0.0.1");
    socket.write(
      `POST /api/change HTTP/1.1\r\nHost: lists\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    await new Promise((ready) => setTimeout(ready, 50));
    expect((await post(running, "/api/change", { action: "clear", list: "PLAIN" })).status).toBe(200);
    socket.destroy();
  });

  it("is logged once a list that is there, without what nobody has asked for", async () => {
    const running = await start();
    const lists = Array.from({ length: 1000 }, (_, index) => ({ name: `none${index}`, hosts: [] }));
    const known = ["PLAIN", "PLAIN"].map((name) => ({ name, hosts: [{ address: "192.0.2.9", ttl: 0, count: 1, stamps: [1000] }] }));
    const text = JSON.stringify({ format: "ipt2nft-recent lists 1", lists: [...lists, ...known] });
    expect((await post(running, "/api/import", { files: [{ name: "saved", text }] })).status).toBe(200);
    expect((await post(running, "/api/change", { action: "clear", list: "NET", addresses: ["x".repeat(100_000)] })).status).toBe(200);
    expect(running.log.map(({ list, addresses }) => ({ list, addresses }))).toEqual([
      { list: "PLAIN", addresses: ["192.0.2.9", "192.0.2.9"] },
      { list: "NET", addresses: [] },
    ]);
  });
});

it("the log has a line for each change that no terminal takes for more, and is read whatever others write there", () => {
  const folder = mkdtempSync(join(tmpdir(), "ipt2nft-recent-log-"));
  const path = join(folder, "log");
  const change: LoggedChange = {
    at: "2026-01-01T00:00:00.000Z",
    from: "192.0.2.1",
    who: "a\u001b[31m\u202eb\n{}",
    why: "##[error]",
    action: "ban",
    list: "PLAIN",
    addresses: ["192.0.2.9"],
    outcome: "asked",
  };
  try {
    writeFileSync(path, 'null\n1\n"text"\n[]\n{"addresses":1}\n{"addresses":[{}]}\nhalf');
    writeFileSync(path, "\n", { flag: "a" });
    const log = new ChangeLog(path);
    log.add(change);
    expect(log.last(10)).toEqual([change]);
    log.close();
    const line = readFileSync(path, "utf8").trimEnd().split("\n").at(-1)!;
    expect(line).toMatch(/^[ -~]+$/);
    expect(line).not.toContain("##[");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
