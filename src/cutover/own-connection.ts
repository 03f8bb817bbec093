/** Whether the connection of whoever changes the firewalls stays allowed, and whether a new one like it would be: by the models. */

import { parseAddress } from "../extensions/values/address.js";
import { modelsOf, tableOf } from "../simulate/models.js";
import type { Packet } from "../simulate/packet.js";
import type { Translation } from "../translate.js";

/** A TCP connection to this machine. */
export interface OwnConnection {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** That has the address of this machine; unknown where none has. */
  readonly inInterface: string | undefined;
}

/** What sshd tells of its connection in SSH_CONNECTION; undefined for any other text. */
export function readConnection(text: string): Omit<OwnConnection, "inInterface"> | undefined {
  const [client, clientPort, server, serverPort, ...more] = text.trim().split(" ");
  if (serverPort === undefined || more.length > 0) return undefined;
  const ports = [Number(clientPort), Number(serverPort)];
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) return undefined;
  return { client: client!, clientPort: ports[0]!, server: server!, serverPort: ports[1]! };
}

export type ConnectionJudgement =
  /** `closed` names what the old firewall lets pass and the new one does not. */
  | { readonly kind: "judged"; readonly closed: readonly ("established" | "new")[] }
  | { readonly kind: "not judged"; readonly reason: string };

export function judgeConnection(connection: OwnConnection, { iptables, nft }: Translation): ConnectionJudgement {
  const family = connection.client.includes(":") ? "ipv6" : "ipv4";
  const [source, destination] = [connection.client, connection.server].map((address) => parseAddress(address, family));
  if (source === undefined || destination === undefined) return { kind: "not judged", reason: "its addresses are not understood" };
  const ruleset = iptables.find((one) => one.family === family);
  if (!ruleset) return { kind: "judged", closed: [] };
  const table = tableOf(ruleset, nft?.tables ?? []);
  if (!table) return { kind: "judged", closed: [] };
  if (connection.inInterface === undefined) return { kind: "not judged", reason: "no interface has its address" };
  const packet = {
    time: 0,
    path: "input",
    source,
    destination,
    ttl: 64,
    protocol: 6,
    sourcePort: connection.clientPort,
    destinationPort: connection.serverPort,
    inInterface: connection.inInterface,
    outInterface: "",
  } as const;
  try {
    const { xtables, nft: machine } = modelsOf(ruleset, table);
    const closed = (["established", "new"] as const).filter((state) => {
      const sent: Packet = { ...packet, state };
      xtables.reset();
      machine.reset();
      return xtables.send(sent).verdict === "accept" && machine.send(sent).verdict !== "accept";
    });
    return { kind: "judged", closed };
  } catch (error) {
    return { kind: "not judged", reason: error instanceof Error ? error.message : String(error) };
  }
}
