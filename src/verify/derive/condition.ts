/** A condition of a rule: how it is told whether a packet meets it, and how a packet is made to meet or miss it. */

import type { Chooser } from "./chooser.js";
import type { Draft, Fields } from "./draft.js";
import type { Net, Needs } from "./net.js";
import type { World } from "./world.js";

export type PacketState = "new" | "established" | "related" | "invalid" | "untracked";

/** A packet somewhere on its way. */
export interface View extends Fields {
  /** Empty before routing. */
  outInterface: string;
  mark: number;
  connmark: number;
  state: PacketState;
  /** Goes against the direction of its connection's first packet. */
  reply: boolean;
  sourceChanged: boolean;
  destinationChanged: boolean;
  /** A socket of the firewall sent it. */
  readonly own: boolean;
  /** The firewall's kernel sent it. */
  readonly answer: boolean;
  readonly net: Net;
  readonly needs: Needs;
}

/**
 * `field`: of the packet alone; `state`: of its connection; `mark`: rules before decide; `list`, `bucket`: packets before
 * decide, hosts of `recent` and tokens of a limit; `closed`: nothing here can change it.
 */
export type ConditionKind = "field" | "state" | "mark" | "list" | "bucket" | "closed";

export interface Condition {
  /** As in the dump: `-s`, `-m tcp --dport`. */
  readonly label: string;
  readonly kind: ConditionKind;
  /** Undefined where nothing here can tell. Lists and buckets take note of the packet. */
  test(view: View, world: World): boolean | undefined;
  /** Changes the draft so that the condition holds or fails; it may not succeed. */
  readonly make?: (draft: Draft, wanted: boolean, chooser: Chooser) => void;
  /** The address it asks about. */
  readonly side?: "source" | "destination";
  /** Of kind `list`. */
  readonly list?: {
    readonly name: string;
    readonly side: "source" | "destination";
    readonly sets: boolean;
    readonly hits: number;
    readonly inverted: boolean;
  };
}

/** A condition on the packet's own fields; `holds` and `make` are told of it without its inversion. */
export function fieldCondition(
  label: string,
  { inverted }: { readonly inverted: boolean },
  holds: (view: View) => boolean | undefined,
  make?: (draft: Draft, wanted: boolean, chooser: Chooser) => void,
  kind: ConditionKind = "field",
): Condition {
  return {
    label: inverted ? `! ${label}` : label,
    kind,
    test(view) {
      const held = holds(view);
      return held === undefined ? undefined : held !== inverted;
    },
    ...(make && {
      make: (draft, wanted, chooser) => {
        make(draft, wanted !== inverted, chooser);
      },
    }),
  };
}
