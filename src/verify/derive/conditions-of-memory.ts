/** Conditions that earlier packets decide: marks, limits, quotas of any kind, counters. */

import type { ExtensionUse, OptionUse } from "../../iptables/ast.js";
import { fieldCondition, type Condition, type View } from "./condition.js";
import type { World } from "./world.js";

/** Undefined for other matches. */
export function memoryConditions(use: ExtensionUse): Condition[] | undefined {
  const option = <Value>(name: string): OptionUse<Value> | undefined => use.options[name] as OptionUse<Value> | undefined;
  switch (use.extension) {
    case "mark":
    case "connmark": {
      const mark = option<{ readonly value: number; readonly mask: number }>("mark")!;
      const field = use.extension === "mark" ? "mark" : "connmark";
      return [fieldCondition("--mark", mark, (view) => (view[field] & mark.value.mask) >>> 0 === mark.value.value, undefined, "mark")];
    }
    case "limit":
      return [bucket("--limit", option<number>("limit-burst")?.value ?? 5, false, placeOf(use))];
    case "hashlimit": {
      const rate = option("hashlimit-above") ?? option("hashlimit-upto");
      const above = (rate?.name === "hashlimit-above") !== (rate?.inverted ?? false);
      const mode = option("hashlimit-mode")?.text ?? "";
      return [
        bucket(
          `--${rate?.name ?? ""}`,
          option<number>("hashlimit-burst")?.value ?? 5,
          above,
          `hashlimit ${option("hashlimit-name")?.text ?? ""}`,
          (view) => hashKey(view, mode),
        ),
      ];
    }
    case "statistic": {
      const every = option<number>("every");
      return every ? [nth(every, option<number>("packet")?.value ?? 0, placeOf(use))] : undefined;
    }
    default:
      return undefined;
  }
}

/** Names what a rule counts for itself. */
const placeOf = ({ span }: ExtensionUse): string => `${span.file}:${span.line}:${span.column}`;

/** Tokens that do not come back while the packets last. */
function bucket(label: string, burst: number, above: boolean, name: string, key: (view: View) => string = () => ""): Condition {
  return {
    label,
    kind: "bucket",
    test(view, world) {
      const place = `${name} ${key(view)}`;
      const used = world.count(place);
      if (used < burst) world.setCount(place, used + 1);
      return used >= burst === above;
    },
  };
}

function hashKey(view: View, mode: string): string {
  return mode
    .split(",")
    .map((part) => ({ srcip: view.source, dstip: view.destination, srcport: view.sourcePort, dstport: view.destinationPort })[part] ?? "")
    .join(" ");
}

/** Of every so many packets the one of this position, counted from 0. */
function nth(every: OptionUse<number>, packet: number, name: string): Condition {
  return {
    label: "--mode nth",
    kind: "bucket",
    test(_view: View, world: World) {
      const count = world.count(name);
      world.setCount(name, count + 1);
      const holds = count % every.value === packet;
      return holds !== every.inverted;
    },
  };
}
