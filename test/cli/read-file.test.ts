import { expect, it } from "vitest";
import { decode } from "../../src/cli/read-file.js";

it("decodes UTF-8 and drops its byte order mark", () => {
  expect(decode(Buffer.from("\ufeff*filter é 日\n"))).toEqual({ text: "*filter é 日\n", encoding: "utf8" });
});

it("gives every byte of anything else a character of its own", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const { text, encoding } = decode(bytes);
  expect(encoding).toBe("latin1");
  expect(Array.from(text, (character) => character.charCodeAt(0))).toEqual([...bytes]);
});
