/** Packets of a counterexample in virtual time: plain data, which every report shows in its own way. */

export interface Timeline {
  readonly title: string;
  readonly events: readonly TimelineEvent[];
}

export interface TimelineEvent {
  /** Seconds since the first packet. */
  readonly at: number;
  /** Address the packet comes from. */
  readonly host: string;
  /** The packet in words: `tcp 192.0.2.1:40000 to 198.51.100.1:22, new, in by eth0`. */
  readonly packet?: string;
  readonly iptables: "accept" | "drop";
  readonly nft: "accept" | "drop";
  /** Why: stamps and elements at that moment. */
  readonly why?: string;
}

/** Packets that two versions of a ruleset decide otherwise, in virtual time. */
export interface ChangeTimeline {
  readonly title: string;
  readonly events: readonly ChangeEvent[];
}

export interface ChangeEvent extends Pick<TimelineEvent, "at" | "host" | "packet" | "why"> {
  /** What the rules did with it before the change, and do after it. */
  readonly old: "accept" | "drop";
  readonly new: "accept" | "drop";
}
