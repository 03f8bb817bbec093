/** The limit form's divergence as a picture: one small chart for each sender, in a file that needs nothing else. */

import { visible } from "../report/visible.js";
import type { LimitComparison, ScenarioResult } from "./scenarios.js";

const chart = { width: 400, height: 150, left: 44, right: 12, top: 34, bottom: 30 } as const;
const gap = 24;
const columns = 2;
const titleHeight = 44;
const legendHeight = 26;

const styles = `
  :root { color-scheme: light dark; }
  svg { background: #ffffff; font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .name { font-weight: 600; }
  .note { fill: #59636e; font-size: 11px; }
  .axis { stroke: #59636e; fill: none; }
  .sent { stroke: #8c959f; stroke-dasharray: 2 3; fill: none; }
  .iptables { stroke: #0969da; stroke-width: 2; fill: none; }
  .nft { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 7 3; fill: none; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3; }
    .note { fill: #9198a1; }
    .axis { stroke: #9198a1; }
    .sent { stroke: #6e7681; }
    .iptables { stroke: #58a6ff; }
    .nft { stroke: #f0883e; }
  }
`;

/** A whole SVG document. */
export function renderSvg(comparisons: readonly LimitComparison[]): string {
  const width = columns * chart.width + (columns + 1) * gap;
  let y = gap;
  const parts: string[] = [];
  for (const comparison of comparisons) {
    const { list, hits, seconds, scenarios, leftOut } = comparison;
    const missing = leftOut === undefined ? "" : ` (not all senders: ${leftOut})`;
    const title = `list "${list}", ${hits} hits in ${seconds} s: packets let through${missing}`;
    parts.push(`<text class="title" x="${gap}" y="${y + 16}">${escaped(title)}</text>`);
    y += titleHeight;
    parts.push(legend(gap, y - 10));
    y += legendHeight;
    for (const [index, scenario] of scenarios.entries()) {
      const column = index % columns;
      parts.push(`<g transform="translate(${gap + column * (chart.width + gap)} ${y})">${chartOf(scenario)}</g>`);
      if (column === columns - 1 || index === scenarios.length - 1) y += chart.height + gap;
    }
  }
  if (comparisons.length === 0) {
    parts.push(`<text x="${gap}" y="${y + 16}">No list is written as a limit: there is nothing to show.</text>`);
    y += titleHeight;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}">
<title>Packets let through by iptables and by the script</title>
<style>${styles}</style>
${parts.join("\n")}
</svg>
`;
}

function legend(x: number, y: number): string {
  const entry = (name: string, text: string, offset: number): string =>
    `<path class="${name}" d="M${x + offset} ${y}h28"/><text x="${x + offset + 34}" y="${y + 4}">${text}</text>`;
  return entry("iptables", "iptables", 0) + entry("nft", "the script", 120) + entry("sent", "sent", 250);
}

function chartOf({ name, description, curve, sent, passed }: ScenarioResult): string {
  const end = Math.max(curve.at(-1)?.at ?? 0, 1e-9);
  const most = Math.max(sent, 1);
  const { left, top } = chart;
  const [inner, high] = [chart.width - left - chart.right, chart.height - top - chart.bottom];
  const x = (at: number): string => (left + (at / end) * inner).toFixed(1);
  const y = (value: number): string => (top + high - (value / most) * high).toFixed(1);
  const path = (key: "sent" | "iptables" | "nft"): string => {
    const steps = curve.map((point) => `H${x(point.at)}V${y(point[key])}`).join("");
    return `<path class="${key}" d="M${x(0)} ${y(0)}${steps}H${x(end)}"/>`;
  };
  return [
    `<text class="name" x="${left}" y="12">${escaped(name)}</text>`,
    `<text class="note" x="${left + inner}" y="12" text-anchor="end">${passed.iptables} by iptables, ${passed.nft} by the script, of ` +
      `${sent}</text>`,
    `<text class="note" x="${left}" y="27">${escaped(description)}</text>`,
    `<path class="axis" d="M${left} ${top}V${top + high}H${left + inner}"/>`,
    `<text class="note" x="${left - 6}" y="${top + 4}" text-anchor="end">${most}</text>`,
    `<text class="note" x="${left - 6}" y="${top + high + 4}" text-anchor="end">0</text>`,
    `<text class="note" x="${left}" y="${top + high + 16}">0 s</text>`,
    `<text class="note" x="${left + inner}" y="${top + high + 16}" text-anchor="end">${end.toFixed(end < 10 ? 1 : 0)} s</text>`,
    path("sent"),
    path("iptables"),
    path("nft"),
  ].join("");
}

function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)!};`);
}
