/** A counterexample as a picture: time runs down, one lane for each firewall or version, and beside it the same in words. */

import type { ChangeTimeline, Timeline } from "../../../simulate/timeline.js";
import { lanesOf, secondsText, type Lanes, type LanesEvent } from "../timeline-text.js";
import { element, type Child, type Markup } from "./element.js";
import { count } from "./words.js";

/** Units of the picture, which is shown at that size or smaller: it fits a phone. */
const width = 310;
const top = 40;
const lanes = [112, 172] as const;
const timeEnd = 76;
const hostStart = 200;
/** Between two packets at least and at most; in between in proportion to the time that passes. */
const [leastGap, mostGap] = [26, 64];
const longestHost = 15;

/** More packets than this are folded away. */
const shownPackets = 24;

/** Renders the picture and the words. */
export function timelineFigure(timeline: Timeline | ChangeTimeline): Markup {
  const { title, names, events } = lanesOf(timeline);
  const heights = heightsOf(events.map(({ at }) => at));
  const parted = events.filter(({ differs }) => differs);
  const label =
    `${title}: ${count(events.length, "packet")}; ` +
    `${parted.length === 0 ? "both decide alike" : `they differ at ${parted.map(({ at }) => secondsText(at)).join(", ")}`}`;
  const height = (heights.at(-1) ?? top) + 24;
  const picture = element(
    "svg",
    { class: "timeline-picture", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    names.map((name, index) => lane(name, lanes[index]!, height)),
    events.map((event, index) => {
      const y = heights[index]!;
      return element(
        "g",
        { class: event.differs ? "packet differs" : "packet" },
        event.differs && element("rect", { x: timeEnd + 8, y: y - 11, width: lanes[1] - timeEnd + 14, height: 22, rx: 11 }),
        element("text", { x: timeEnd, y: y + 4, "text-anchor": "end" }, secondsText(event.at)),
        event.verdicts.map((verdict, lane) => decision(verdict, lanes[lane]!, y)),
        element("text", { class: "host", x: hostStart, y: y + 4 }, shortened(event.host)),
      );
    }),
  );
  const list = element(
    "ol",
    { class: "events" },
    events.map((event) =>
      element(
        "li",
        { class: event.differs ? "event differs" : "event" },
        element("span", { class: "when" }, secondsText(event.at)),
        element("span", { class: "decisions" }, decisions(event, names)),
        element("span", { class: "packet-words" }, event.packet, event.why !== undefined && element("span", { class: "why" }, event.why)),
      ),
    ),
  );
  return element(
    "details",
    { class: "timeline", open: events.length <= shownPackets },
    element("summary", {}, `The shortest traffic that shows it: ${count(events.length, "packet")}`),
    element("p", { class: "small" }, title),
    element("div", { class: "timeline-parts" }, picture, list),
  );
}

function decisions({ verdicts, differs }: LanesEvent, names: Lanes["names"]): Child {
  const shown = (verdict: string): Markup => element("span", { class: verdict }, verdict);
  if (!differs) return ["both ", shown(verdicts[0])];
  return [`${names[0]} `, shown(verdicts[0]), `, ${names[1]} `, shown(verdicts[1])];
}

function heightsOf(times: readonly number[]): number[] {
  const gaps = times.map((at, index) => at - (times[index - 1] ?? at));
  const longest = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  let y = top;
  return gaps.map((gap, index) => {
    if (index > 0) y += longest === 0 ? leastGap : Math.round(leastGap + (mostGap - leastGap) * (gap / longest));
    return y;
  });
}

function lane(name: string, x: number, height: number): Child {
  return [
    element("text", { class: "lane-name", x, y: 14, "text-anchor": "middle" }, name),
    element("line", { class: "lane", x1: x, x2: x, y1: 24, y2: height - 6 }),
  ];
}

/** By form and not by colour alone: a disc passes, a crossed square does not. */
function decision(verdict: "accept" | "drop", x: number, y: number): Markup {
  if (verdict === "accept") return element("circle", { class: "accept", cx: x, cy: y, r: 6 });
  return element(
    "g",
    { class: "drop" },
    element("rect", { x: x - 6, y: y - 6, width: 12, height: 12 }),
    element("path", { d: `M${x - 3} ${y - 3}l6 6m0 -6l-6 6` }),
  );
}

function shortened(host: string): string {
  return host.length <= longestHost ? host : `${host.slice(0, longestHost - 1)}…`;
}
