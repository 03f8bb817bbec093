import { expect, it } from "vitest";
import { readPacked } from "../../src/geoip/read-packed.js";

it("reads pairs of IPv4 addresses in both byte orders", () => {
  const expected = [
    { from: 0xc0000200n, to: 0xc00002ffn },
    { from: 0xffffffffn, to: 0xffffffffn },
  ];
  expect(readPacked(Uint8Array.of(0xc0, 0, 2, 0, 0xc0, 0, 2, 0xff, 255, 255, 255, 255, 255, 255, 255, 255), "ipv4", false)).toEqual(
    expected,
  );
  expect(readPacked(Uint8Array.of(0, 2, 0, 0xc0, 0xff, 2, 0, 0xc0, 255, 255, 255, 255, 255, 255, 255, 255), "ipv4", true)).toEqual(
    expected,
  );
});

it("reads pairs of IPv6 addresses, of which the other byte order turns each word round", () => {
  const expected = [{ from: 0x20010db8000000010000000000000000n, to: 0x20010db800000001000000000000000fn }];
  const zeros = [0, 0, 0, 0];
  expect(
    readPacked(
      Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, ...zeros, ...zeros, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, ...zeros, 0, 0, 0, 15),
      "ipv6",
      false,
    ),
  ).toEqual(expected);
  expect(
    readPacked(
      Uint8Array.of(0xb8, 0x0d, 1, 0x20, 1, 0, 0, 0, ...zeros, ...zeros, 0xb8, 0x0d, 1, 0x20, 1, 0, 0, 0, ...zeros, 15, 0, 0, 0),
      "ipv6",
      true,
    ),
  ).toEqual(expected);
});

it("reads a part of a larger buffer", () => {
  const whole = Uint8Array.of(9, 192, 0, 2, 1, 192, 0, 2, 2);
  expect(readPacked(whole.subarray(1), "ipv4", false)).toEqual([{ from: 0xc0000201n, to: 0xc0000202n }]);
});

it("knows what is no such file", () => {
  expect(readPacked(Uint8Array.of(1, 2, 3), "ipv4", false)).toBeUndefined();
  expect(readPacked(Uint8Array.of(192, 0, 2, 2, 192, 0, 2, 1), "ipv4", false)).toBeUndefined();
  expect(readPacked(new Uint8Array(8), "ipv6", false)).toBeUndefined();
  expect(readPacked(new Uint8Array(), "ipv4", false)).toEqual([]);
});
