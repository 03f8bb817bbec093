import { describe, expect, it } from "vitest";
import { dump, review } from "./dumps.js";

const throttle = [
  "-A INPUT -p tcp --dport 22 -m recent --set --name a",
  "-A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 9 --name a -j DROP",
];
const allowed = (codes: string): string => `# ipt2nft-recent: allow-file ${codes} agreed`;

describe("the headline", () => {
  it("counts what was accepted beside safe", () => {
    const { verdict, headline } = review(`${allowed("recent-list-size,list-too-small")}\n${dump(...throttle)}`);
    expect([verdict, headline]).toEqual(["safe", "Safe to merge: nothing needs a look (1 accepted, 1 note)."]);
  });

  it("never says safe where what opens was accepted: a change may bring what accepts it", () => {
    const before = dump("-A INPUT -s 192.0.2.1/32 -j DROP");
    const { verdict, headline } = review(`${allowed("change-opens")}\n${dump("-A INPUT -s 192.0.2.2/32 -j ACCEPT")}`, before);
    expect([verdict, headline]).toEqual(["look", "Look: 1 opens, accepted by a comment or a baseline, 1 note."]);
  });
});
