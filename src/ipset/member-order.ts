/** The order of the members of a `list:set` into which others are put: moving one takes the same time however many there are. */
export class MemberOrder {
  private readonly before = new Map<string, string | undefined>();
  private readonly after = new Map<string, string | undefined>();
  private first: string | undefined;
  private last: string | undefined;

  constructor(members: Iterable<string>) {
    for (const member of members) this.append(member);
  }

  /** Adds a member at the end; one that is there keeps its place. */
  append(member: string): void {
    if (this.before.has(member)) return;
    this.link(this.last, member);
    this.link(member, undefined);
  }

  remove(member: string): void {
    if (!this.before.has(member)) return;
    this.link(this.before.get(member), this.after.get(member));
    this.before.delete(member);
    this.after.delete(member);
  }

  /** Puts a member in front of another or behind it; nothing happens where one of them is not there. */
  move(member: string, other: string, place: "before" | "after"): void {
    if (member === other || !this.before.has(member) || !this.before.has(other)) return;
    this.link(this.before.get(member), this.after.get(member));
    const [left, right] = place === "before" ? [this.before.get(other), other] : [other, this.after.get(other)];
    this.link(left, member);
    this.link(member, right);
  }

  *[Symbol.iterator](): Generator<string, void, undefined> {
    for (let member = this.first; member !== undefined; member = this.after.get(member)) yield member;
  }

  /** Makes two members neighbours; `undefined` is what lies in front of the first and behind the last. */
  private link(left: string | undefined, right: string | undefined): void {
    if (left === undefined) this.first = right;
    else this.after.set(left, right);
    if (right === undefined) this.last = left;
    else this.before.set(right, left);
  }
}
