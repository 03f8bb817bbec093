import { expect, it } from "vitest";

import { judgeConnection, readConnection } from "../../src/cutover/own-connection.js";
import { translate } from "../../src/translate.js";

const connection = { client: "198.51.100.7", clientPort: 50000, server: "192.0.2.1", serverPort: 22, inInterface: "eth0" };
const dump = (...lines: readonly string[]): string => ["*filter", ":INPUT DROP [0:0]", ...lines, "COMMIT", ""].join("\n");
const open = dump(
  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
);

it("reads what sshd tells", () => {
  expect(readConnection("198.51.100.7 50000 192.0.2.1 22")).toEqual({ ...connection, inInterface: undefined });
  expect(readConnection("198.51.100.7 50000 192.0.2.1")).toBeUndefined();
  expect(readConnection("198.51.100.7 50000 192.0.2.1 70000")).toBeUndefined();
});

it("finds nothing closed where both firewalls let it pass, or both do not", () => {
  expect(judgeConnection(connection, translate(open))).toEqual({ kind: "judged", closed: [] });
  expect(judgeConnection(connection, translate(dump()))).toEqual({ kind: "judged", closed: [] });
});

it("finds what the new firewall closes", () => {
  const translated = translate(open);
  const { nft } = translate(dump("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"));
  expect(judgeConnection(connection, { ...translated, nft })).toEqual({ kind: "judged", closed: ["new"] });
  expect(judgeConnection(connection, { ...translated, nft: translate(dump()).nft })).toEqual({
    kind: "judged",
    closed: ["established", "new"],
  });
});

it("judges nothing of which it does not know the way in", () => {
  expect(judgeConnection({ ...connection, inInterface: undefined }, translate(open))).toMatchObject({ kind: "not judged" });
  expect(judgeConnection({ ...connection, client: "somewhere" }, translate(open))).toMatchObject({ kind: "not judged" });
});
