import { expect, test } from "vitest";

import { translate, type TranslateOptions } from "../../src/index.js";
import { compareLimits } from "../../src/simulate/scenarios.js";

function compare(check: string, options: TranslateOptions = { recent: "limit" }): ReturnType<typeof compareLimits> {
  const port = "-p tcp -m tcp --dport 22 -m recent";
  return compareLimits(
    translate(`*filter\n-A INPUT ${port} --set --name L\n-A INPUT ${port} --${check} --name L -j DROP\nCOMMIT\n`, {
      family: "ipv4",
      ...options,
    }),
  );
}

test("the numbers of each sender, on either side", () => {
  const [{ list, hits, seconds, scenarios } = { scenarios: [] }] = compare("rcheck --seconds 60 --hitcount 5");
  expect({ list, hits, seconds }).toEqual({ list: "L", hits: 5, seconds: 60 });
  const persistent = scenarios.find(({ name }) => name === "persistent")!;
  // Fifteen a minute: from the fifth on within a minute for xt_recent, which counts without end.
  expect(persistent).toMatchObject({ sent: 75, passed: { iptables: 4 }, onlyIptables: 0 });
  expect(persistent.banAfter.iptables).toBeCloseTo(16, 1);
  expect(persistent.banAfter.nft).toBeGreaterThan(persistent.banAfter.iptables!);
  expect(persistent.passed.nft).toBe(4 + persistent.onlyNft);
  expect(persistent.curve.at(-1)).toMatchObject({ sent: 75, iptables: 4, nft: persistent.passed.nft });
  // Once the fourth last, twelve seconds older than the last, is a minute old; a ban lasts a minute of silence.
  expect(persistent.releaseAfter.iptables).toBeCloseTo(48.1, 0);
  expect(persistent.releaseAfter.nft).toBeCloseTo(60, 0);
});

test("who stays below the rate passes on both sides", () => {
  const [{ scenarios } = { scenarios: [] }] = compare("rcheck --seconds 60 --hitcount 5");
  for (const name of ["slow and low", "honest users"]) {
    expect(scenarios.find((one) => one.name === name)).toMatchObject({ onlyNft: 0, onlyIptables: 0, banAfter: {}, releaseAfter: {} });
  }
});

test("exact windows and plain checks have nothing to compare", () => {
  expect(compare("rcheck --seconds 60 --hitcount 5", { recent: "exact" })).toEqual([]);
  expect(compare("rcheck --seconds 60")).toEqual([]);
});

test("a budget in steps ends it, and what it leaves out is named", () => {
  const port = "-p tcp -m tcp --dport 22 -m recent";
  const rules = Array.from(
    { length: 50 },
    (_, index) =>
      `-A INPUT ${port} --set --name l${index}\n-A INPUT ${port} --update --seconds 60 --hitcount ${100 + index} --name l${index} -j DROP\n`,
  ).join("");
  const translation = translate(`*filter\n${rules}COMMIT\n`, { family: "ipv4", recent: "limit" });
  const begin = process.cpuUsage().user;
  const compared = compareLimits(translation, { steps: 300_000 });
  expect((process.cpuUsage().user - begin) / 1e6).toBeLessThan(5);
  expect(compared).toHaveLength(50);
  expect(compared.filter(({ leftOut }) => leftOut === undefined).length).toBeLessThan(40);
  expect(compared.at(-1)).toMatchObject({ scenarios: [], leftOut: "the budget for limits was used up" });
});
