/** What the page asks, answered: each request is checked, and each change written down, before anything is done. */

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { networkInterfaces } from "node:os";

import { Failure } from "../../../../failure.js";
import { placeOf, type TableChange } from "../../../../lists/changes.js";
import { readAddress } from "../../../../lists/hosts.js";
import type { List } from "../../../../lists/lists.js";
import { hostJson } from "../../../../lists/render.js";
import { readSavedLists, savedFromRecentFile, saveLists, type SavedList } from "../../../../lists/saved-lists.js";
import type { KernelClock } from "../../../../lists/xt-recent-file.js";
import type { JsonMessage } from "../../../../report/json.js";
import { changesFor, restoring } from "../edit.js";
import { findList, listNamed, type Reading } from "../kernel.js";
import type { ChangeLog, LoggedChange } from "./change-log.js";
import { Gate, plainAddress, type GateOptions, type Refusal } from "./gate.js";
import { reasonsOf } from "./reasons.js";
import { pageText, policyOf } from "./page.js";
import { overviewOf, searchHosts, State } from "./state.js";

/** Bytes of what is sent here. */
const mostSent = 16 * 1024 * 1024;

/** Hosts of a page. */
const largestPage = 500;

/** Addresses of one change. */
const mostAddresses = 1000;

/** Changes of which the page still tells who made them, and why. */
const mostRemembered = 1000;

/** Files of one import. */
const mostFiles = 200;

/** Readers who watch at once: each is a connection that stays. */
const mostWatchers = 50;

/** Characters of an address that a server in front of this one tells. */
const longestAddress = 100;

/** Characters of who and why. */
const longestReason = 500;

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

/** What the service is given. */
export interface ServiceOptions {
  readonly allowChanges: boolean;
  /** A server in front of it says who asks. */
  readonly behindSocket: boolean;
  /** The variable of that name, of who has started it. */
  readonly sshConnection: string | undefined;
  readonly read: () => Promise<Reading>;
  readonly change: (changes: readonly TableChange[]) => Promise<void>;
  readonly kernelClock: () => Promise<KernelClock>;
  readonly log: Pick<ChangeLog, "add" | "last"> | undefined;
  /** Told of faults of ours. */
  readonly report: (fault: unknown) => void;
}

/** Answers requests, once it is told by `open` whose. */
export function createService(options: ServiceOptions): Service {
  return new Service(options);
}

type ChangeWriter = Pick<ChangeLog, "add" | "last">;

class Service {
  private gate: Gate | undefined;
  readonly state: State;
  private watchers = 0;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ServiceOptions) {
    this.state = new State(options.read);
  }

  open(options: GateOptions): void {
    this.gate = new Gate(options);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    try {
      if (!this.gate) throw new Refused({ status: 403, message: "not yet" });
      const foreign = this.gate.refuseOrigin(request);
      if (foreign) throw new Refused(foreign);
      const { pathname, searchParams } = urlOf(request);
      if (pathname === "/" && request.method === "GET") {
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.end(pageText(this.options.allowChanges));
        return;
      }
      const unknown = this.gate.refuseToken(request, this.whoAsks(request), Date.now());
      if (unknown) throw new Refused(unknown);
      await this.route(`${request.method} ${pathname}`, searchParams, request, response);
    } catch (error) {
      this.fail(error, response);
    }
  }

  private fail(error: unknown, response: ServerResponse): void {
    if (response.headersSent) return void response.end();
    const status = error instanceof Refused ? error.refusal.status : error instanceof Failure ? 400 : 500;
    const message = error instanceof Refused || error instanceof Failure ? error.message : "internal error";
    if (status === 500) this.options.report(error);
    json(response, { error: message }, status);
  }

  private async route(call: string, parameters: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (call) {
      case "GET /api/lists":
        return json(response, { allowChanges: this.options.allowChanges, lists: overviewOf(await this.state.recent()) });
      case "GET /api/hosts": {
        const whole = (name: string, most: number, usual: number): number => {
          const text = parameters.get(name);
          return text !== null && /^[0-9]{1,9}$/.test(text) ? Math.min(Number(text), most) : usual;
        };
        const snapshot = await this.state.recent();
        const found = searchHosts(snapshot, {
          list: parameters.get("list") ?? undefined,
          words: parameters.get("words") ?? "",
          overOnly: parameters.get("over") === "1",
          page: whole("page", 1e9, 0),
          size: Math.max(1, whole("size", largestPage, 50)),
        });
        const passed = performance.now() - snapshot.reading.at;
        const reasonFor = reasonsOf(this.options.log?.last(mostRemembered) ?? [], snapshot.reading.lists);
        return json(response, {
          ...found,
          passed: Math.round(passed),
          hosts: found.hosts.map(({ list, host }) => ({ list, ...hostJson(host), reason: reasonFor(list, host.address) ?? null })),
        });
      }
      case "GET /api/history":
        return json(response, { changes: this.options.log?.last(200) ?? [] });
      case "GET /api/export": {
        const { reading } = await this.state.fresh();
        response.setHeader("Content-Type", "application/json");
        response.end(saveLists(reading.lists, Date.now() - (performance.now() - reading.at)));
        return;
      }
      case "GET /api/events":
        return this.watch(response);
      case "POST /api/change":
        return json(response, await this.inTurn(await bodyOf(request), (body) => this.change(body, request)));
      case "POST /api/import":
        return json(response, await this.inTurn(await bodyOf(request), (body) => this.import(body, request)));
      default:
        return json(response, { error: "there is no such thing" }, 404);
    }
  }

  /** One change after the other: each is made of what was read before it. */
  private inTurn<Body, Result>(body: Body, work: (body: Body) => Promise<Result>): Promise<Result> {
    const done = this.queue.then(() => work(body));
    this.queue = done.catch(() => undefined);
    return done;
  }

  /** Server-sent events: the page asks again for what it shows. */
  private async watch(response: ServerResponse): Promise<void> {
    if (this.watchers >= mostWatchers) throw new Refused({ status: 429, message: "too many watch already" });
    this.watchers += 1;
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    let open = true;
    response.on("close", () => {
      open = false;
      this.watchers -= 1;
    });
    let before = "";
    while (open) {
      try {
        const snapshot = await this.state.recent();
        const lists = overviewOf(snapshot);
        // Hosts that hit again change no number.
        const now = createHash("sha256")
          .update(snapshot.hosts.map(({ list, host }) => `${list} ${host.address} ${host.count}`).join("\n"))
          .digest("hex");
        // Who does not read what was sent before gets nothing more to keep.
        if (!response.writableNeedDrain) {
          response.write(now === before ? ": nothing new\n\n" : `event: lists\ndata: ${JSON.stringify({ lists })}\n\n`);
          before = now;
        }
      } catch (error) {
        response.write(
          `event: trouble\ndata: ${JSON.stringify({ error: error instanceof Failure ? error.message : "internal error" })}\n\n`,
        );
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, this.state.interval);
        response.once("close", () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    }
  }

  private async change(body: unknown, request: IncomingMessage): Promise<unknown> {
    const log = this.changeLog();
    const { action, list, addresses, who, why } = changeIn(body);
    const { reading } = await this.state.fresh();
    const messages: JsonMessage[] = [];
    const found = listNamed(reading, list);
    const wanted =
      action === "clear"
        ? ({ kind: "clear", list } as const)
        : action === "remove"
          ? ({ kind: "remove", list, addresses } as const)
          : ({ kind: "add", list, addresses, hits: action === "ban" ? "over" : 1, unlessOver: false } as const);
    if (wanted.kind === "add") {
      this.refuseOwn(found, addresses, request);
    }
    const changes = changesFor(reading, wanted, messages);
    await this.logged(log, request, [{ who, why, action, list: found.name, addresses }], () => this.options.change(changes));
    return { messages: messages.map(({ message }) => message) };
  }

  private async import(body: unknown, request: IncomingMessage): Promise<unknown> {
    const log = this.changeLog();
    const { who, why } = body as Record<string, unknown>;
    const saved = await this.savedIn(filesIn(body));
    const { reading } = await this.state.fresh();
    const messages: JsonMessage[] = [];
    const changes = restoring(reading, saved, messages);
    const byList = new Map<List, string[]>();
    for (const { name, hosts } of saved) {
      const found = findList(reading, name);
      if (!found) continue;
      const addresses = byList.get(found) ?? [];
      for (const { address } of hosts) addresses.push(address);
      byList.set(found, addresses);
    }
    for (const [list, addresses] of byList) this.refuseOwn(list, addresses, request);
    const told = [...byList].map(([{ name }, all]) => {
      const addresses = all.length > mostAddresses ? [`${all.length} hosts`] : all;
      return { who: reason(who), why: reason(why), action: "import", list: name, addresses };
    });
    await this.logged(log, request, told, () => this.options.change(changes));
    return { messages: messages.map(({ message }) => message) };
  }

  /** Files of `lists save`, and those of /proc/net/xt_recent, which have the names of their lists. */
  private async savedIn(files: readonly ImportedFile[]): Promise<SavedList[]> {
    const isSaved = ({ text }: ImportedFile): boolean => /^\s*\{/.test(text);
    const clock = files.every(isSaved) ? undefined : await this.options.kernelClock();
    const now = Date.now();
    return files.flatMap((file) =>
      isSaved(file) || !clock ? readSavedLists(file.text, file.name) : [savedFromRecentFile(file.text, file.name, clock, now)],
    );
  }

  private changeLog(): ChangeWriter {
    if (!this.options.log || !this.options.allowChanges)
      throw new Refused({ status: 403, message: "this page only shows the lists (--allow-changes lets it change them)" });
    return this.options.log;
  }

  /** The lines are written before the change: there is none without them. */
  private async logged(
    log: ChangeWriter,
    request: IncomingMessage,
    said: readonly Pick<LoggedChange, "who" | "why" | "action" | "list" | "addresses">[],
    work: () => Promise<void>,
  ): Promise<void> {
    const entries = said.map((one) => ({ at: new Date().toISOString(), from: this.whoAsks(request), ...one }));
    for (const entry of entries) log.add({ ...entry, outcome: "asked" });
    try {
      await work();
    } catch (error) {
      for (const entry of entries) log.add({ ...entry, at: new Date().toISOString(), outcome: "failed" });
      throw error;
    } finally {
      this.state.forget();
    }
  }

  /** The address that asks; behind a socket what the server in front of it has added to what others say. */
  private whoAsks({ headers, socket }: IncomingMessage): string {
    const [forwarded = ""] = String(headers["x-forwarded-for"] ?? "")
      .split(",")
      .slice(-1);
    return this.options.behindSocket ? plainAddress(forwarded).slice(0, longestAddress) || "socket" : (socket.remoteAddress ?? "unknown");
  }

  /** Throws a Failure where one is an address from which this request, or who started the server, comes, or is this machine's own. */
  private refuseOwn(list: List, addresses: readonly string[], { headers, socket }: IncomingMessage): void {
    const forwarded = this.options.behindSocket ? String(headers["x-forwarded-for"] ?? "").split(",") : [];
    const machine = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address));
    const asking = [socket.remoteAddress ?? "", ...forwarded, (this.options.sshConnection ?? "").split(" ")[0]!, ...machine];
    const own = new Map(asking.map(plainAddress).flatMap((text) => [...keptBy(list, text)].map((kept) => [kept, text] as const)));
    for (const address of addresses) {
      for (const kept of keptBy(list, address)) {
        const text = own.get(kept);
        if (text !== undefined) throw new Failure(`${text} is yours or this machine's own: ${address} is not put on a list from here`);
      }
    }
  }
}

/** What a host is by itself, and as the rules ask for it, by the list's mask; nothing where the list cannot hold it. */
function* keptBy(list: List, address: string): Iterable<string> {
  const family = readAddress(address)?.family;
  const side = list.sides.find((one) => one.family === family);
  if (!side) return;
  yield placeOf(list, address, true).address;
  if (side.mask !== undefined) yield placeOf(list, address).address;
}

/** What is asked for; a request may say anything. */
function urlOf({ url = "/" }: IncomingMessage): URL {
  try {
    return new URL(url, "http://localhost");
  } catch {
    throw new Refused({ status: 400, message: "the address is not understood" });
  }
}

interface ImportedFile {
  readonly name: string;
  readonly text: string;
}

function filesIn(body: unknown): ImportedFile[] {
  const { files } = body as Record<string, unknown>;
  if (!Array.isArray(files) || files.length === 0) throw new Failure("there is no file to import");
  if (files.length > mostFiles) throw new Failure(`at most ${mostFiles} files are imported at once`);
  return files.map((file: unknown) => {
    const { name, text } = (file ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || typeof text !== "string") throw new Failure("a file has no name or no text");
    return { name, text };
  });
}

interface WantedChange {
  readonly action: "add" | "ban" | "remove" | "clear";
  readonly list: string;
  readonly addresses: readonly string[];
  readonly who: string;
  readonly why: string;
}

function changeIn(body: unknown): WantedChange {
  const { action, list, addresses = [], who, why } = body as Record<string, unknown>;
  const known = (["add", "ban", "remove", "clear"] as const).find((one) => one === action);
  if (!known || typeof list !== "string") throw new Failure("the change is not understood");
  if (!Array.isArray(addresses) || !addresses.every((one): one is string => typeof one === "string") || addresses.length > mostAddresses)
    throw new Failure(`a change is of at most ${mostAddresses} addresses`);
  if (known !== "clear" && addresses.length === 0) throw new Failure("no address is given");
  // Of a list that is cleared no host is named.
  return { action: known, list, addresses: known === "clear" ? [] : addresses, who: reason(who), why: reason(why) };
}

const reason = (text: unknown): string => (typeof text === "string" ? text.slice(0, longestReason) : "");

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
    throw new Refused({ status: 415, message: "only JSON is taken" });
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > mostSent) throw new Failure(`more than ${mostSent} bytes are not taken`);
    pieces.push(piece);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString("utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below.
  }
  throw new Failure("it is no JSON");
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(value));
}

const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": policyOf((text) => createHash("sha256").update(text).digest("base64")),
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Cache-Control": "no-store",
};
