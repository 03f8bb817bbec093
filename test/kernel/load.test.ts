import { expect, it } from "vitest";

import { loadAllTwice, loadTwice } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

const replacing =
  "table ip subject\ndelete table ip subject\ntable ip subject { chain input { type filter hook input priority 0; tcp dport 22 drop; }\n}\n";
const adding = "table ip subject { chain input { type filter hook input priority 0; tcp dport 22 drop; }\n}\n";

describeOnKernel("loadTwice", () => {
  it("shows that a script replaces its table and leaves others alone", { timeout: 60_000 }, async () => {
    const { loaded, messages, first, second } = await loadTwice(replacing, { before: "table ip other { }\n" });
    expect({ loaded, messages }).toEqual({ loaded: true, messages: "" });
    expect(first).toContain("table ip other");
    expect(second).toBe(first);
  });

  it("shows a script that leaves two copies, and one that does not load", { timeout: 60_000 }, async () => {
    const [twice, wrong, right] = await loadAllTwice([adding, "table ip subject {\n  nonsense\n}\n", replacing]);
    expect(twice?.loaded).toBe(true);
    expect(twice?.second).not.toBe(twice?.first);
    expect(wrong?.loaded).toBe(false);
    expect(wrong?.messages).toContain("script.nft:2:3-10: Error: syntax error");
    expect(right?.loaded).toBe(true);
  });

  it("loads a hundred scripts in seconds", { timeout: 60_000 }, async () => {
    const begin = performance.now();
    const results = await loadAllTwice(new Array<string>(100).fill(replacing));
    expect(results.filter(({ loaded }) => loaded)).toHaveLength(100);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
