import { describe, expect, it } from "vitest";

import { leaveToOwners } from "../../src/cutover/leave-to-owners.js";

const chains = [":INPUT DROP [1:2]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"];
const saved = (...lines: readonly string[]): string => ["*filter", ...chains, ...lines, "COMMIT", ""].join("\n");
const live = new Set(["Docker", "fail2ban"]);
const staying = (text: string) => leaveToOwners(text, live)?.staying.map(({ chain, owners, others }) => ({ chain, owners, others }));

describe("leaving chains to live programs", () => {
  it("leaves nothing where no live program has a rule", () => {
    const text = saved(":DOCKER - [0:0]", "-A FORWARD -o docker0 -j DOCKER", "-A DOCKER -j ACCEPT");
    expect(leaveToOwners(text, new Set(["fail2ban"]))).toBeUndefined();
    expect(staying(text)).toEqual([{ chain: "FORWARD", owners: ["Docker"], others: 0 }]);
  });

  it("leaves a built-in chain with all that it leads to, and takes the rest", () => {
    const text = saved(
      ":DOCKER - [0:0]",
      ":both - [0:0]",
      ":mine - [0:0]",
      "[5:6] -A INPUT -j mine",
      "-A INPUT -j both",
      "-A FORWARD -o docker0 -j DOCKER",
      "-A FORWARD -j both",
      "-A DOCKER -j ACCEPT",
      "-A both -j LOG",
      "[7:8] -A mine -j ACCEPT",
    );
    const parted = leaveToOwners(text, live)!;
    expect(parted.staying).toEqual([{ table: "filter", chain: "FORWARD", owners: ["Docker"], others: 2 }]);
    expect(parted.moving).toBe(
      "*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:both - [0:0]\n:mine - [0:0]\n" +
        "[5:6] -A INPUT -j mine\n-A INPUT -j both\n-A both -j LOG\n[7:8] -A mine -j ACCEPT\nCOMMIT\n",
    );
    expect(parted.taking).toBe("*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-F INPUT\n-F OUTPUT\n-F mine\n-X mine\nCOMMIT\n");
    expect(parted.restoring).toBe(
      "*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n:mine - [0:0]\n-F INPUT\n-F OUTPUT\n" +
        "[5:6] -A INPUT -j mine\n-A INPUT -j both\n[7:8] -A mine -j ACCEPT\nCOMMIT\n",
    );
  });

  it("leaves what remembers something together with a chain that stays", () => {
    const list = " -m recent --rcheck --name bad --rsource -j DROP";
    const jail = [":f2b-sshd - [0:0]", "-A INPUT -j f2b-sshd", "-A f2b-sshd -j RETURN"];
    expect(staying(saved(...jail, "-A FORWARD -j LOG"))).toEqual([{ chain: "INPUT", owners: ["fail2ban"], others: 0 }]);
    expect(staying(saved(...jail, `-A INPUT${list}`, `-A FORWARD${list}`))).toEqual([
      { chain: "INPUT", owners: ["fail2ban"], others: 1 },
      { chain: "FORWARD", owners: [], others: 1 },
    ]);
    const limited = [":slow - [0:0]", "-A INPUT -j slow", "-A OUTPUT -j slow", "-A slow -m limit --limit 1/sec -j ACCEPT"];
    expect(staying(saved(...jail, ...limited))?.map(({ chain }) => chain)).toEqual(["INPUT", "OUTPUT"]);
  });

  it("is not misled by comments", () => {
    expect(leaveToOwners(saved('-A INPUT -m comment --comment "as -j DOCKER does" -j ACCEPT'), live)).toBeUndefined();
    const text = saved(":DOCKER - [0:0]", '-A INPUT -m comment --comment "not -j LOG" -j DOCKER', "-A DOCKER -j ACCEPT");
    expect(staying(text)?.map(({ chain }) => chain)).toEqual(["INPUT"]);
  });
});
