/** Snippets on the kernel: they load into a table that is there, and decide as the rules of `recent` that they stand for. */

import { expect, it } from "vitest";

import { snippet, snippetForms, type SnippetRequest } from "../../src/snippet/snippet.js";
import { describeDifferences } from "../../src/verify/fate.js";
import { replayAll, ReplayError } from "../../src/verify/lab.js";
import { loadAllTwice } from "../../src/verify/load.js";
import { framesOf, idioms, type Idiom } from "./recent-idioms.js";
import { describeOnKernel } from "./requirements.js";

const own = (family: string, name: string): string =>
  `table ${family} ${name} {\n\tchain input { type filter hook input priority filter; policy accept; }\n}\n`;
/** So that loading it twice finds an empty table each time. */
const emptied = (family: string, name: string): string => `table ${family} ${name}\ndelete table ${family} ${name}\n${own(family, name)}`;

const throttle: Idiom = {
  ...idioms[0]!,
  dump: [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name ssh --mask 255.255.255.255 --rsource",
    "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 2 --hitcount 4 --name ssh " +
      "--mask 255.255.255.255 --rsource -j DROP",
    "COMMIT",
    "",
  ].join("\n"),
  limit: { windows: [2], hits: 4 },
};

const request: SnippetRequest = {
  name: "ssh",
  seconds: 2,
  hits: 4,
  match: "tcp dport 22 ct state new",
  table: { family: "inet", name: "filter" },
  chain: "input",
  form: "exact",
  verdict: "drop",
};

describeOnKernel("snippets on the kernel", () => {
  it("load into the tables of all families, in all forms", { timeout: 60_000 }, async () => {
    const scripts = (["ip", "ip6", "inet"] as const).flatMap((family) =>
      snippetForms.flatMap((form) =>
        [2, 3, 4, 10, 100].map(
          (hits) =>
            emptied(family, "fw") + snippet({ ...request, table: { family, name: "fw" }, form, hits, verdict: "reject", seconds: 3600 }),
        ),
      ),
    );
    const results = await loadAllTwice(scripts);
    expect(results.flatMap(({ messages, loaded }, index) => (loaded && messages === "" ? [] : [`${messages}\n${scripts[index]}`]))).toEqual(
      [],
    );
    for (const { first, second } of results) expect(second).toBe(first);
  });

  it("decide each packet as the rules of iptables do; one that allows one more would be seen", { timeout: 120_000, retry: 1 }, async () => {
    const [right, slip] = await replayAll(
      [request, { ...request, hits: 5 }].map((one) => ({
        dumps: { ipv4: throttle.dump },
        script: own("inet", "filter") + snippet(one),
        frames: framesOf(throttle, 1),
      })),
    );
    if (right instanceof ReplayError) throw right;
    if (slip instanceof ReplayError) throw slip;
    expect(describeDifferences(right!)).toBe(`0 of ${right!.outcomes.length} packets differ`);
    expect(new Set(right!.outcomes.map(({ iptables }) => iptables.verdict)).size).toBeGreaterThan(1);
    expect(slip!.differing.length).toBeGreaterThan(0);
  });
});
