/** `lists serve`: a page with the lists, for who has the token. */

import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";

import { Failure } from "../../../../failure.js";
import { Interrupted, withInterruption } from "../../../interruption.js";
import { readText } from "../../../read-file.js";
import type { ExitStatus, Surroundings } from "../../../surroundings.js";
import { systemReason } from "../../../system-error.js";
import { messageText, reasonOf, tell } from "../../../telling.js";
import { change, kernelClock, readLists } from "../kernel.js";
import type { ListsAction, ListsSettings } from "../options.js";
import { ChangeLog } from "./change-log.js";
import { createService } from "./service.js";

/** At once, from everybody. */
const mostConnections = 256;

type ServeAction = Extract<ListsAction, { readonly kind: "serve" }>;

export async function serve(settings: ListsSettings, action: ServeAction, surroundings: Surroundings): Promise<ExitStatus> {
  const token = action.tokenFile === undefined ? randomBytes(32).toString("base64url") : tokenIn(action.tokenFile);
  const log = action.log === undefined ? undefined : new ChangeLog(action.log);
  try {
    return await withInterruption(async (signal) => {
      const service = createService({
        allowChanges: action.allowChanges,
        behindSocket: "socket" in action.place,
        sshConnection: surroundings.environment["SSH_CONNECTION"],
        read: () => readLists(settings),
        change,
        kernelClock,
        log,
        report: (fault) => void tell(messageText({ severity: "error", message: reasonOf(fault) }), surroundings),
      });
      // That there is a table is better known now than from a page.
      await service.state.fresh();
      const server = createServer({ connectionsCheckingInterval: 5_000 }, (request, response) => void service.answer(request, response));
      server.requestTimeout = 60_000;
      server.headersTimeout = 20_000;
      // Each is an open file, and nft needs some to be asked.
      server.maxConnections = mostConnections;
      await listen(server, action.place);
      service.open({ token, hosts: hostsOf(server, action) });
      const told = action.tokenFile === undefined ? `#token=${token}` : "";
      await tell(
        messageText({
          severity: "note",
          message: `${action.allowChanges ? "shows and changes" : "shows"} the lists at ${addressOf(server, action)}${told}`,
        }),
        surroundings,
      );
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      server.close();
      server.closeAllConnections();
      throw signal.reason;
    });
  } catch (error) {
    // The only way to end it.
    if (error instanceof Interrupted) return 0;
    throw error;
  } finally {
    log?.close();
    if ("socket" in action.place) removeSocket(action.place.socket);
  }
}

function tokenIn(path: string): string {
  const { mode = 0, uid = 0 } = lstatSync(path, { throwIfNoEntry: false }) ?? {};
  if (uid !== 0 && uid !== process.getuid?.()) throw new Failure(`${JSON.stringify(path)} belongs to another user, who knows the token`);
  if ((mode & 0o077) !== 0) throw new Failure(`others than its owner may read ${JSON.stringify(path)}: chmod 600 keeps the token a secret`);
  const token = readText(path, 65_536).trim();
  if (!/^[!-~]{16,256}$/.test(token))
    throw new Failure(`${JSON.stringify(path)} holds no token: 16 to 256 letters, digits and signs on one line`);
  return token;
}

async function listen(server: Server, place: ServeAction["place"]): Promise<void> {
  if ("socket" in place) removeSocket(place.socket);
  await new Promise<void>((ready, failed) => {
    server.once("error", (error) => failed(new Failure(`it cannot listen there: ${systemReason(error)}`)));
    // Nobody else may connect before the mode is set.
    const before = process.umask(0o177);
    const listening = (): void => ready();
    if ("socket" in place) server.listen(place.socket, listening);
    else server.listen(place.port, place.address, listening);
    process.umask(before);
  });
  if ("socket" in place) chmodSync(place.socket, 0o600);
}

function removeSocket(path: string): void {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (!existing) return;
  if (!existing.isSocket()) throw new Failure(`${JSON.stringify(path)} is there, and is no socket`);
  unlinkSync(path);
}

/** What browsers may call this server. */
function hostsOf(server: Server, { place, hosts }: ServeAction): string[] {
  const named = hosts.flatMap((name) => (name.includes(":") || "socket" in place ? [name] : [name, `${name}:${portOf(server)}`]));
  if ("socket" in place) return named.length === 0 ? ["localhost"] : named;
  const port = portOf(server);
  const address = place.address.includes(":") ? `[${place.address}]` : place.address;
  const loopback = place.address === "127.0.0.1" || place.address === "::1";
  return [`${address}:${port}`, ...(loopback ? [`localhost:${port}`] : []), ...named];
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

function addressOf(server: Server, action: ServeAction): string {
  return "socket" in action.place ? action.place.socket : `http://${hostsOf(server, action)[0]}/`;
}
