/** Railroad diagrams of the grammar, drawn as SVG from the productions that chevrotain has recorded. */

import type { ISerializedGast } from "chevrotain";
import { LineParser } from "./parser.js";

/** A piece of track: it comes in at the left and goes out at the right, both at height 0. Lengths are in pixels. */
interface Track {
  readonly width: number;
  readonly up: number;
  readonly down: number;
  draw(x: number, y: number): string;
}

const gap = 12;
const boxHeight = 24;
const characterWidth = 7.8;

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function path(...commands: (string | number)[]): string {
  return `<path d="${commands.join(" ")}"/>`;
}

function box(label: string, isTerminal: boolean): Track {
  const width = Math.round(label.length * characterWidth) + 20;
  return {
    width,
    up: boxHeight / 2,
    down: boxHeight / 2,
    draw: (x, y) =>
      `<rect class="${isTerminal ? "terminal" : "rule"}" x="${x}" y="${y - boxHeight / 2}" width="${width}" height="${boxHeight}" ` +
      `rx="${isTerminal ? 12 : 0}"/>` +
      `<text x="${x + width / 2}" y="${y + 4}">${escapeText(label)}</text>`,
  };
}

const straight: Track = { width: 2 * gap, up: 4, down: 8, draw: (x, y) => path("M", x, y, "h", 2 * gap) };

function sequence(tracks: readonly Track[]): Track {
  if (tracks.length === 0) return straight;
  const width = tracks.reduce((sum, track) => sum + track.width, 0) + gap * (tracks.length - 1);
  return {
    width,
    up: Math.max(...tracks.map((track) => track.up)),
    down: Math.max(...tracks.map((track) => track.down)),
    draw: (x, y) => {
      let svg = "";
      tracks.forEach((track, index) => {
        if (index > 0) {
          svg += path("M", x, y, "h", gap);
          x += gap;
        }
        svg += track.draw(x, y);
        x += track.width;
      });
      return svg;
    },
  };
}

/** One track of several; the first lies straight ahead. */
function choice(tracks: readonly Track[]): Track {
  const inner = Math.max(...tracks.map((track) => track.width));
  const depths: number[] = [];
  let depth = 0;
  tracks.forEach((track, index) => {
    if (index > 0) depth += track.up + gap / 2;
    depths.push(depth);
    depth += track.down;
  });
  return {
    width: inner + 4 * gap,
    up: tracks[0]?.up ?? 0,
    down: depth,
    draw: (x, y) =>
      tracks
        .map((track, index) => {
          const level = depths[index] ?? 0;
          const start = x + 2 * gap;
          const turn =
            level === 0
              ? path("M", x, y, "h", 2 * gap) + path("M", start + inner, y, "h", 2 * gap)
              : path("M", x, y, "q", gap, 0, gap, gap, "v", level - 2 * gap, "q", 0, gap, gap, gap) +
                path("M", start + inner, y + level, "q", gap, 0, gap, -gap, "v", 2 * gap - level, "q", 0, -gap, gap, -gap);
          return turn + track.draw(start, y + level) + path("M", start + track.width, y + level, "H", start + inner);
        })
        .join(""),
  };
}

/** A track that may be gone through again. */
function loop(track: Track): Track {
  return {
    width: track.width + 2 * gap,
    up: track.up,
    down: track.down + gap,
    draw: (x, y) => {
      const end = x + gap + track.width;
      const depth = track.down + gap / 2;
      return (
        path("M", x, y, "h", gap) +
        track.draw(x + gap, y) +
        path("M", end, y, "h", gap) +
        path(
          "M",
          end,
          y,
          "q",
          gap,
          0,
          gap,
          gap / 2,
          "V",
          y + depth - gap / 2,
          "q",
          0,
          gap / 2,
          -gap,
          gap / 2,
          "H",
          x + gap,
          "q",
          -gap,
          0,
          -gap,
          -gap / 2,
          "V",
          y + gap / 2,
          "q",
          0,
          -gap / 2,
          gap,
          -gap / 2,
        )
      );
    },
  };
}

interface SerializedProduction extends ISerializedGast {
  readonly name?: string;
  readonly label?: string;
}

function track(production: SerializedProduction): Track {
  const inner = (): Track => sequence((production.definition ?? []).map(track));
  switch (production.type) {
    case "Terminal":
      return box(production.label ?? production.name ?? "", true);
    case "NonTerminal":
      return box(production.name ?? "", false);
    case "Alternation":
      return choice((production.definition ?? []).map(track));
    case "Option":
      return choice([straight, inner()]);
    case "Repetition":
      return choice([straight, loop(inner())]);
    case "RepetitionMandatory":
      return loop(inner());
    default:
      return inner();
  }
}

function figure(rule: SerializedProduction): string {
  const content = sequence((rule.definition ?? []).map(track));
  const width = content.width + 4 * gap;
  const height = content.up + content.down + 2 * gap;
  const middle = content.up + gap;
  const end = width - 2 * gap;
  return (
    `<h2>${escapeText(rule.name ?? "")}</h2>\n` +
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    path("M", gap, middle - 6, "v", 12) +
    path("M", gap, middle, "h", gap) +
    content.draw(2 * gap, middle) +
    path("M", end, middle, "h", gap) +
    path("M", end + gap, middle - 6, "v", 12) +
    "</svg>"
  );
}

/** The whole page; it loads nothing from anywhere. */
export function renderDiagram(): string {
  const rules = new LineParser({ skipValidations: true }).getSerializedGastProductions() as SerializedProduction[];
  return `<!DOCTYPE html>
<meta charset="utf-8">
<title>Grammar of one line of iptables-save text</title>
<style>
body { font: 15px sans-serif; margin: 2em; background: #fff; color: #222; }
svg { display: block; }
path { fill: none; stroke: #555; stroke-width: 1.5; }
rect { stroke: #555; stroke-width: 1.5; fill: #eef3fb; }
rect.terminal { fill: #f4f4e6; }
text { font: 13px monospace; text-anchor: middle; }
</style>
<h1>Grammar of one line of iptables-save text</h1>
<p>Round boxes are tokens, square ones are rules. README.md has the same as EBNF, with the rules of words.</p>
${rules.map(figure).join("\n")}
`;
}
