import { expect, it } from "vitest";
import { tableNameFault } from "../../src/nft/table-name.js";

it.each(["ipt2nft", "_", "filter", "Firewall_2", "a".repeat(64)])("takes %s", (name) => {
  expect(tableNameFault(name)).toBeUndefined();
});

it.each(["", "2nd", "a-b", "a b", "a;b", "a\n", "é", "inet", "drop", "table", "a".repeat(65)])("does not take %j", (name) => {
  expect(tableNameFault(name)).toBeTypeOf("string");
});
