import { describe, expect, it } from "vitest";

import type { LoggedChange } from "../../../src/cli/commands/lists/serve/change-log.js";
import { reasonsOf } from "../../../src/cli/commands/lists/serve/reasons.js";
import { readListing } from "../../../src/lists/listing.js";
import { findLists } from "../../../src/lists/lists.js";

const sets = readListing('\tset L_seen {\n\t\ttype ipv4_addr\n\t\tcomment "recent L: seen; mask 24"\n\t}\n');
const { lists } = findLists([{ table: { family: "ip", name: "ipt2nft" }, sets }]);

const host = "192.0.2.7";
const logged = (action: string, addresses: readonly string[], more: Partial<LoggedChange> = {}): LoggedChange => ({
  ...{ at: "2026-01-01T00:00:00.000Z", from: "127.0.0.1", who: "Ann", why: action, action, list: "M", addresses, outcome: "asked" },
  ...more,
});
/** Why the host is on a list, by a log from the oldest to the newest. */
const why = (log: readonly LoggedChange[], list = "M", address = host): string | undefined =>
  reasonsOf([...log].reverse(), lists)(list, address)?.why;

describe("why a host is on a list", () => {
  it("is what was said last", () => {
    expect(why([logged("add", [host]), logged("ban", ["192.0.2.8", host])])).toBe("ban");
    expect(why([logged("add", [host])], "N")).toBeUndefined();
    expect(why([logged("add", [host], { who: "", why: "" })])).toBeUndefined();
  });

  it("is nothing where it was let go since", () => {
    expect(why([logged("ban", [host]), logged("remove", [host])])).toBeUndefined();
    expect(why([logged("ban", [host]), logged("clear", [])])).toBeUndefined();
    expect(why([logged("clear", []), logged("ban", [host])])).toBe("ban");
    expect(why([logged("ban", [host]), logged("clear", [], { list: "N" })])).toBe("ban");
  });

  it("is not what failed", () => {
    const attempts = [logged("ban", [host], { why: "first" }), logged("ban", [host], { why: "second" })];
    expect(why([...attempts, logged("ban", [host], { outcome: "failed" })])).toBe("first");
  });

  it("is found by the address that the list keeps", () => {
    expect(why([logged("add", [host], { list: "L" })], "L", "192.0.2.0")).toBe("add");
    expect(why([logged("add", [host], { list: "L" })], "L")).toBeUndefined();
  });
});
