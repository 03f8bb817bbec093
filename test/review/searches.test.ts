import { describe, expect, test } from "vitest";

import { withTraffic } from "../../src/review/searches.js";
import { reviewRulesets } from "../../src/review/review.js";
import type { Effect, ListReview } from "../../src/review/report.js";
import type { ChangeTimeline } from "../../src/simulate/timeline.js";

const span = (line: number): Effect["span"] => ({ file: "rules.v4", line, column: 1, length: 1 });
const list: ListReview = { name: "SSH", sentence: "SSH", status: "changed", form: "exact", rules: [span(5)] };
const timeline: ChangeTimeline = { title: "SSH", events: [] };

describe("traffic that shows what a change of a list does", () => {
  test("stands with the effect at a rule of the list, not with another that hangs on it", () => {
    const effects = [
      { sentence: "pings", span: span(2), lists: ["SSH"] },
      { sentence: "SSH", span: span(5), lists: ["SSH"] },
    ];
    const { opens, closes } = withTraffic({ opens: effects, closes: [] }, [{ list: "SSH", family: "ipv4", opens: timeline }], [list]);
    expect(opens).toEqual([effects[0], { ...effects[1], timeline }]);
    expect(closes).toEqual([]);
  });

  test("is an effect by itself where none announces it", () => {
    const { opens, closes } = withTraffic({ opens: [], closes: [] }, [{ list: "SSH", family: "ipv6", closes: timeline }], [list]);
    expect(opens).toEqual([]);
    expect(closes).toEqual([{ sentence: 'packets about which list "SSH" decides (IPv6)', span: span(5), lists: ["SSH"], timeline }]);
  });

  test("is searched for as far as the request allows", () => {
    const dump = (window: string): string =>
      "*filter\n-A INPUT -p tcp --dport 22 -m recent --set --name SSH\n" +
      `-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount ${window} --name SSH -j DROP\nCOMMIT\n`;
    const request = {
      old: [{ file: "old.v4", family: "ipv4" as const, text: dump("4") }],
      new: [{ file: "new.v4", family: "ipv4" as const, text: dump("3") }],
      tool: { name: "ipt2nft-recent", version: "0" },
    };
    const [closes] = reviewRulesets({ ...request, search: { schedules: 500 } }).closes;
    expect(closes?.timeline?.events.map(({ old, new: now }) => [old, now])).toEqual([
      ["accept", "accept"],
      ["accept", "accept"],
      ["accept", "drop"],
    ]);
    expect(reviewRulesets(request).closes[0]?.timeline).toBeUndefined();
  });
});
