/** The values that rules of a group ask of one field, to find those that meet others without going through all. */

import { valuesMeet, type Field, type Point, type Values } from "./fields.js";

/** Intervals, or rules, that one question goes through at most; beyond them the answer is the careful one. */
const mostCompared = 32;

/** Of one field: which members want which values. */
export class ValueIndex {
  private readonly points = new Map<Point, number[]>();
  /** Members that want intervals, or all names with a beginning. */
  private readonly wide: { readonly values: Values; readonly member: number }[] = [];

  add(values: Values, member: number): void {
    if (values.kind === "name") return this.addPoint(values.name, member);
    if (values.kind === "beginning") return void this.wide.push({ values, member });
    for (const interval of values.intervals) {
      if (interval[0] === interval[1]) this.addPoint(interval[0], member);
      else this.wide.push({ values: { kind: "numbers", intervals: [interval] }, member });
    }
  }

  private addPoint(point: Point, member: number): void {
    const known = this.points.get(point);
    if (known) known.push(member);
    else this.points.set(point, [member]);
  }

  /** The members that want any of the values; undefined where that would take too long to tell. */
  meeting(values: Values): ReadonlySet<number> | undefined {
    const found = new Set<number>();
    if (this.wide.length > mostCompared) return undefined;
    for (const { values: own, member } of this.wide) if (valuesMeet(own, values)) found.add(member);
    const asked: readonly (readonly [Point, Point])[] =
      values.kind === "numbers" ? values.intervals : values.kind === "name" ? [[values.name, values.name]] : [];
    if (asked.length > mostCompared) return undefined;
    for (const [from, to] of asked) {
      if (from === to) {
        if (!this.collect(found, this.points.get(from) ?? [])) return undefined;
        continue;
      }
      if (this.points.size > mostCompared) return undefined;
      for (const [point, members] of this.points) {
        if (point >= from && point <= to && !this.collect(found, members)) return undefined;
      }
    }
    if (values.kind === "beginning") {
      if (this.points.size > mostCompared) return undefined;
      for (const [point, members] of this.points) {
        if (String(point).startsWith(values.beginning) && !this.collect(found, members)) return undefined;
      }
    }
    return found;
  }

  /** Whether they are few enough. */
  private collect(found: Set<number>, members: readonly number[]): boolean {
    if (members.length > mostCompared) return false;
    for (const member of members) found.add(member);
    return true;
  }
}

type Selectors = ReadonlyMap<Field, Values>;

/** Whether no packet can be what both ask for. */
export function areApart(a: Selectors, b: Selectors): boolean {
  for (const [field, values] of a) {
    const other = b.get(field);
    if (other && !valuesMeet(values, other)) return true;
  }
  return false;
}

/** What the members of a group ask for, field by field. */
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
    let fewest: ReadonlySet<number> | undefined;
    for (const [field, values] of selectors) {
      const index = this.indexes.get(field);
      if (!index) continue;
      const found = index.meeting(values);
      if (found?.size === 0) return true;
      if (found && (!fewest || found.size < fewest.size)) fewest = found;
    }
    if (!fewest || fewest.size > mostCompared) return this.members.length === 0;
    for (const member of fewest) if (!areApart(this.members[member]!, selectors)) return false;
    return true;
  }
}
