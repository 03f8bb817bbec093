import { createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createService } from "../../src/cli/commands/lists/serve/service.js";
import type { LoggedChange } from "../../src/cli/commands/lists/serve/change-log.js";
import type { TableChange } from "../../src/lists/changes.js";
import { readListing } from "../../src/lists/listing.js";
import { findLists } from "../../src/lists/lists.js";
import { accessibilityFaults, eventsOf, isSkipped, launch, type Opened } from "./chromium.js";

let browser: Browser;

const token = "correct-horse-battery";

/** A list whose name is markup, as a rule may have it. */
const hostile = `<img src=x onerror=alert(1)>`;

function listing(many: number): string {
  const addresses = Array.from(
    { length: many },
    (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255} expires ${30 + (index % 20)}s`,
  );
  return `table ip ipt2nft {
	set SSH_banned {
		type ipv4_addr
		flags dynamic,timeout
		timeout 1m4ms
		comment "recent SSH: banned; 3 hits in 60s, own 1, ban"
		elements = { 192.0.2.7 expires 41s200ms }
	}

	set SSH_passed_0 {
		type ipv4_addr
		flags dynamic,timeout
		timeout 1m4ms
		comment "recent SSH: passed 0"
		elements = { 192.0.2.7 expires 12s, 198.51.100.9 expires 50s4ms${many === 0 ? "" : `, ${addresses.join(", ")}`} }
	}

	set SSH_passed_1 {
		type ipv4_addr
		flags dynamic,timeout
		timeout 1m4ms
		comment "recent SSH: passed 1"
	}

	set list__img_seen {
		type ipv4_addr
		flags dynamic
		comment "recent %3cimg%20src%3dx%20onerror%3dalert%281%29%3e: seen"
		elements = { 203.0.113.5 }
	}
}
`;
}

interface Running {
  readonly server: Server;
  readonly address: string;
  readonly port: number;
  readonly changes: TableChange[][];
  readonly log: LoggedChange[];
}

/** The service on a table from memory. */
async function start({ allowChanges = true, many = 0 } = {}): Promise<Running> {
  const changes: TableChange[][] = [];
  const log: LoggedChange[] = [];
  const text = listing(many);
  const service = createService({
    allowChanges,
    behindSocket: false,
    sshConnection: "203.0.113.99 50000 192.0.2.1 22",
    read: async () => ({ ...findLists([{ table: { family: "ip", name: "ipt2nft" }, sets: readListing(text) }]), at: performance.now() }),
    change: async (made) => void changes.push([...made]),
    kernelClock: async () => ({ jiffies: 4_300_000_000n, ticksPerSecond: 250 }),
    log: { add: (change) => void log.push(change), last: () => [...log].reverse() },
    report: (fault) => {
      throw fault;
    },
  });
  const server = createServer((asked, answered) => void service.answer(asked, answered));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  service.open({ token, hosts: [`127.0.0.1:${port}`] });
  return { server, port, address: `http://127.0.0.1:${port}/`, changes, log };
}

function stop({ server }: Running): void {
  server.close();
  server.closeAllConnections();
}

async function open(running: Running, { width = 1280, scheme = "light" as "light" | "dark" } = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const events = eventsOf(page);
  page.on("request", (asked) => {
    if (!asked.url().startsWith(running.address) && !asked.url().startsWith("blob:")) events.push(`request: ${asked.url()}`);
  });
  await page.goto(`${running.address}#token=${token}`);
  await expect.poll(() => page.locator("#count").textContent()).toMatch(/host/);
  return { page, events };
}

async function bringBeforePolicy(page: Page, script: string): Promise<void> {
  await page.addInitScript(script);
  await page.reload();
  await expect.poll(() => page.locator("#count").textContent()).toMatch(/host/);
}

const rows = (page: Page): Promise<string[]> => page.locator("#hosts tr td.address").allTextContents();

/** A request with the headers as given, which a browser would not let a page choose. */
function ask(
  running: Running,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; text: string; headers: IncomingMessage["headers"] }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port: running.port, host: "127.0.0.1", path, method: body === undefined ? "GET" : "POST", headers },
      (answer) => {
        let text = "";
        answer.on("data", (piece: Buffer) => (text += piece.toString()));
        answer.on("end", () => resolve({ status: answer.statusCode!, text, headers: answer.headers }));
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

describe.skipIf(isSkipped)("the page of the lists in Chromium", () => {
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each([
    { scheme: "light", width: 1280 },
    { scheme: "dark", width: 1280 },
    { scheme: "light", width: 390 },
    { scheme: "dark", width: 390 },
  ] as const)("is quiet, complete and accessible: $scheme, $width pixels", async ({ scheme, width }) => {
    const running = await start();
    const { page, events } = await open(running, { width, scheme });
    expect(await accessibilityFaults(page, (script) => bringBeforePolicy(page, script))).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    // The name of the list is shown, and does nothing.
    expect(await page.locator("#lists button").allTextContents()).toEqual(["All lists3 (1 over)", `${hostile}1`, "SSH2 (1 over)"]);
    expect(await page.locator("img").count()).toBe(0);
    expect(events).toEqual([]);
    if (process.env["SCREENSHOTS"] !== undefined)
      await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/lists-${scheme}-${width}.png`, fullPage: true });
    await page.context().close();
    stop(running);
  });

  it("forgets the token in the address, and asks for it where it is wrong", async () => {
    const running = await start();
    const { page } = await open(running);
    expect(page.url()).toBe(running.address);
    await page.goto("about:blank");
    await page.goto(`${running.address}#token=wrong`);
    await expect.poll(() => page.locator("#connection").textContent()).toBe("Not connected: the token is missing or wrong");
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Show the lists" }).press("Enter");
    await expect.poll(() => page.locator("#count").textContent()).toBe("3 hosts");
    await page.context().close();
    stop(running);
  });

  it("searches, bans, lets go and clears by keyboard, and says who and why", async () => {
    const running = await start();
    const { page, events } = await open(running);
    await page.getByRole("searchbox").fill("198.51");
    await expect.poll(() => rows(page)).toEqual(["198.51.100.9"]);
    await page.getByRole("searchbox").fill("");
    await page.getByLabel("over the limit only").press("Space");
    await expect.poll(() => rows(page)).toEqual(["192.0.2.7"]);
    await page.getByLabel("Who").fill("Ann <script>");
    await page.getByLabel("Why").fill("guesses passwords");
    await page.getByLabel("Addresses").fill("198.51.100.77");
    await page.locator("#target").selectOption("SSH");
    await page.getByRole("button", { name: "Ban", exact: true }).press("Enter");
    await expect.poll(() => page.locator("#told").textContent()).toBe("Banned 198.51.100.77 on SSH");
    expect(running.changes[0]![0]!.commands.at(-1)).toEqual({
      kind: "add",
      elements: ["SSH_passed_0", "SSH_passed_1"].map((set) => ({ set, address: "198.51.100.77" })),
    });
    expect(running.log[0]).toMatchObject({
      who: "Ann <script>",
      why: "guesses passwords",
      action: "ban",
      list: "SSH",
      addresses: ["198.51.100.77"],
      from: "127.0.0.1",
    });
    await expect
      .poll(() => page.locator("#history li").first().textContent())
      .toContain("(Ann <script>: guesses passwords) from 127.0.0.1");
    await page.getByLabel("Choose 192.0.2.7 on SSH").press("Space");
    await page.getByRole("button", { name: "Let the chosen hosts go" }).press("Enter");
    await expect.poll(() => running.log.at(-1)).toMatchObject({ action: "remove", addresses: ["192.0.2.7"] });
    await page.locator("#lists button").nth(2).press("Enter");
    await page.getByRole("button", { name: "Clear the list" }).press("Enter");
    await page.getByRole("button", { name: "Yes" }).press("Enter");
    await expect.poll(() => running.log.at(-1)).toMatchObject({ action: "clear", list: "SSH" });
    expect(running.changes.at(-1)![0]!.commands).toEqual(
      ["SSH_banned", "SSH_passed_0", "SSH_passed_1"].map((set) => ({ kind: "flush", set })),
    );
    expect(events).toEqual([]);
    await page.context().close();
    stop(running);
  });

  it("imports files of xt_recent by their names, and tells of a host who put it there, and why", async () => {
    const running = await start();
    const { page, events } = await open(running);
    await page.getByLabel("Who").fill("Ann <b>");
    await page.getByLabel("Why").fill("moved over");
    const line = (address: string): string => `src=${address} ttl: 64 last_seen: 4299997500 oldest_pkt: 1 4299997500\n`;
    await page.locator("#file").setInputFiles([
      { name: "SSH", mimeType: "text/plain", buffer: Buffer.from(line("198.51.100.9") + line("198.51.100.8")) },
      { name: "FTP", mimeType: "text/plain", buffer: Buffer.from(line("198.51.100.7")) },
    ]);
    await page.getByRole("button", { name: "Yes" }).press("Enter");
    await expect.poll(() => page.locator("#told").textContent()).toBe('Imported; no list "FTP" is loaded: its 1 host is left out');
    const added = running.changes[0]![0]!.commands.flatMap((command) => (command.kind === "add" ? command.elements : []));
    // It is added once before it is deleted, so that nft knows it.
    const { expires } = added.filter(({ address }) => address === "198.51.100.8").at(-1)!;
    expect(expires).toBeGreaterThan(49_000);
    expect(expires).toBeLessThan(50_005);
    await expect.poll(() => page.locator("#hosts tr", { hasText: "198.51.100.9" }).textContent()).toContain("(Ann <b>: moved over)");
    expect(await page.locator("#hosts tr", { hasText: "192.0.2.7" }).textContent()).not.toContain("Ann");
    await page.locator("#file").setInputFiles([{ name: "SSH", mimeType: "text/plain", buffer: Buffer.from("# SSH\n") }]);
    await page.getByRole("button", { name: "Yes" }).press("Enter");
    await expect.poll(() => page.locator("#trouble").textContent()).toContain("is no line of a list of xt_recent");
    expect(events.filter((event) => !event.includes("400"))).toEqual([]);
    await page.context().close();
    stop(running);
  });

  it("only shows unless changes are allowed", async () => {
    const running = await start({ allowChanges: false });
    const { page } = await open(running);
    expect(await page.getByRole("button", { name: "Ban", exact: true }).count()).toBe(0);
    const refused = await ask(
      running,
      "/api/change",
      { authorization: `Bearer ${token}`, host: `127.0.0.1:${running.port}`, "content-type": "application/json" },
      '{"action":"clear","list":"SSH"}',
    );
    expect(refused.status).toBe(403);
    expect(running.changes).toEqual([]);
    await page.context().close();
    stop(running);
  });

  it("takes no change from a page of another origin", async () => {
    const running = await start();
    const other = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Another</title>"));
    await new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready));
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    const outcomes = await page.evaluate(
      async ({ address, secret }) => {
        const body = JSON.stringify({ action: "clear", list: "SSH" });
        const tries: RequestInit[] = [
          { method: "POST", body, headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" } },
          { method: "POST", body, mode: "no-cors" },
          { method: "POST", body, mode: "no-cors", credentials: "include" },
        ];
        return Promise.all(
          tries.map((options) =>
            fetch(`${address}api/change`, options).then(
              (answer) => answer.type,
              () => "refused",
            ),
          ),
        );
      },
      { address: running.address, secret: token },
    );
    // The answers are kept from it (Cross-Origin-Resource-Policy), and the requests that came did nothing.
    expect(outcomes).toEqual(["refused", "refused", "refused"]);
    expect(running.changes).toEqual([]);
    expect(running.log).toEqual([]);
    await page.context().close();
    other.close();
    other.closeAllConnections();
    stop(running);
  });

  it("has 100,000 hosts by pages", async () => {
    const running = await start({ many: 100_000 });
    const { page } = await open(running);
    await expect.poll(() => page.locator("#count").textContent()).toBe("100,003 hosts");
    expect(await page.locator("#hosts tr").count()).toBe(50);
    await page.getByRole("button", { name: "Next page" }).press("Enter");
    await expect.poll(() => page.locator("#page").textContent()).toBe("Page 2 of 2,001");
    const before = performance.now();
    await page.getByRole("searchbox").fill("10.1.134.1");
    await expect.poll(() => page.locator("#count").textContent()).toMatch(/^1[0-9]? hosts$|^[0-9]+ hosts?$/);
    expect(await rows(page)).toContain("10.1.134.1");
    // A fiftieth of this on a quiet machine.
    expect(performance.now() - before).toBeLessThan(10_000);
    await page.context().close();
    stop(running);
  });
});

describe("the gate of the page", () => {
  it("asks for the name, the origin, the token and JSON", async () => {
    const running = await start();
    const host = `127.0.0.1:${running.port}`;
    const authorization = `Bearer ${token}`;
    const status = async (headers: Record<string, string>, path = "/api/lists"): Promise<number> =>
      (await ask(running, path, headers)).status;
    expect(await status({ host, authorization })).toBe(200);
    expect(await status({ host: "evil.example", authorization })).toBe(403);
    expect(await status({ host: "evil.example" }, "/")).toBe(403);
    expect(await status({ host, authorization, origin: "http://evil.example" })).toBe(403);
    expect(await status({ host, authorization, origin: "null" })).toBe(403);
    expect(await status({ host, authorization, "sec-fetch-site": "same-site" })).toBe(403);
    expect(await status({ host })).toBe(401);
    expect(await status({ host, authorization: "Bearer " })).toBe(401);
    expect((await ask(running, "/api/change", { host, authorization }, '{"action":"clear","list":"SSH"}')).status).toBe(415);
    const { headers } = await ask(running, "/", { host });
    expect(headers["set-cookie"]).toBeUndefined();
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
    );
    stop(running);
  });

  it("lets who has the token in, however many wrong ones others have tried", async () => {
    const running = await start();
    const host = `127.0.0.1:${running.port}`;
    const tried: number[] = [];
    for (let time = 0; time < 12; time++)
      tried.push((await ask(running, "/api/lists", { host, authorization: `Bearer wrong${time}` })).status);
    expect(tried.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(tried.slice(10)).toEqual([429, 429]);
    expect((await ask(running, "/api/lists", { host, authorization: `Bearer ${token}` })).status).toBe(200);
    stop(running);
  });

  it.each(["127.0.0.1", "203.0.113.99"])("does not put %s on a list, from where the page is asked or was started", async (address) => {
    const running = await start();
    const headers = { host: `127.0.0.1:${running.port}`, authorization: `Bearer ${token}`, "content-type": "application/json" };
    for (const action of ["ban", "add"]) {
      const { status, text } = await ask(
        running,
        "/api/change",
        headers,
        JSON.stringify({ action, list: "SSH", addresses: ["192.0.2.200", address] }),
      );
      expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining("is yours or this machine's own") as string });
    }
    expect(running.changes).toEqual([]);
    stop(running);
  });
});
