/** The values that rules of a group ask of one field, to find those that meet others without going through all. */

import { valuesMeet, type Field, type Values } from "./fields.js";
import { SortedIntervals } from "./sorted-intervals.js";

/** Intervals, or rules, that one question goes through at most; beyond them the answer is the careful one. */
const mostCompared = 32;

/** Of one field: which members want which values. */
export class ValueIndex {
  private readonly intervals = new SortedIntervals();
  private readonly names = new Map<string, number[]>();
  /** Members that want all names with a beginning. */
  private readonly beginnings: { readonly values: Values; readonly member: number }[] = [];

  add(values: Values, member: number): void {
    switch (values.kind) {
      case "numbers":
        for (const interval of values.intervals) this.intervals.add(interval, member);
        return;
      case "name": {
        const known = this.names.get(values.name);
        if (known) known.push(member);
        else this.names.set(values.name, [member]);
        return;
      }
      case "beginning":
        this.beginnings.push({ values, member });
    }
  }

  /** The members that want any of the values; undefined where that would take too long to tell. */
  meeting(values: Values): ReadonlySet<number> | undefined {
    const found = new Set<number>();
    if (values.kind === "numbers") {
      if (values.intervals.length > mostCompared) return undefined;
      return values.intervals.every((interval) => this.intervals.collectMeeting(interval, found, mostCompared)) ? found : undefined;
    }
    if (this.beginnings.length > mostCompared) return undefined;
    for (const { values: own, member } of this.beginnings) if (valuesMeet(own, values)) found.add(member);
    if (values.kind === "name") return collect(found, this.names.get(values.name) ?? []) ? found : undefined;
    if (this.names.size > mostCompared) return undefined;
    for (const [name, members] of this.names) {
      if (name.startsWith(values.beginning) && !collect(found, members)) return undefined;
    }
    return found;
  }
}

/** Whether they are few enough. */
function collect(found: Set<number>, members: readonly number[]): boolean {
  if (members.length > mostCompared) return false;
  for (const member of members) found.add(member);
  return true;
}

export type Selectors = ReadonlyMap<Field, Values>;

/** Whether no packet can be what both ask for. */
export function areApart(a: Selectors, b: Selectors): boolean {
  for (const [field, values] of a) {
    const other = b.get(field);
    if (other && !valuesMeet(values, other)) return true;
  }
  return false;
}

/** What the members of a group ask for, field by field; all of them ask for the same fields. */
export class Asked {
  private readonly indexes = new Map<Field, ValueIndex>();
  readonly members: Selectors[] = [];

  add(selectors: Selectors): void {
    const member = this.members.length;
    this.members.push(selectors);
    for (const [field, values] of selectors) {
      let index = this.indexes.get(field);
      if (!index) this.indexes.set(field, (index = new ValueIndex()));
      index.add(values, member);
    }
  }

  /** Whether no packet can be what these ask for and what any member asks for; no where that would take too long to tell. */
  isApartFrom(selectors: Selectors): boolean {
    return this.meeting(selectors)?.length === 0;
  }

  /** The members, by their number, for which a packet could be what they and these ask for; undefined where that would take too long. */
  meeting(selectors: Selectors): readonly number[] | undefined {
    if (this.members.length === 0) return [];
    let fewest: ReadonlySet<number> | undefined;
    for (const [field, values] of selectors) {
      const found = this.indexes.get(field)?.meeting(values);
      if (found?.size === 0) return [];
      if (found && (!fewest || found.size < fewest.size)) fewest = found;
    }
    if (!fewest || fewest.size > mostCompared) return undefined;
    return [...fewest].filter((member) => !areApart(this.members[member]!, selectors));
  }
}
