import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, expect, it } from "vitest";
import { readGeoip } from "../../src/cli/geoip.js";
import { usualMaxInput } from "../../src/cli/read-file.js";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "geoip-test-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Makes the file, and the folders above it, and returns its path. */
function file(path: string, content: string | Uint8Array): string {
  const whole = join(directory, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

const first = { from: 0xc0000200n, to: 0xc00002ffn };
const packed = Uint8Array.of(192, 0, 2, 0, 192, 0, 2, 255);
const turned = Uint8Array.of(0, 2, 0, 192, 255, 2, 0, 192);

it.each([
  ["the folder itself", "flat", "CN.iv4", packed],
  ["its folder BE", "big", "BE/CN.iv4", packed],
  ["its folder LE", "little", "LE/CN.iv4", turned],
])("reads xt_geoip's files in %s", (_, folder, path, bytes) => {
  file(`${folder}/${path}`, bytes);
  const geoip = readGeoip([join(directory, folder)], usualMaxInput);
  expect([geoip("CN", "ipv4"), geoip("CN", "ipv6"), geoip("DE", "ipv4")]).toEqual([[first], undefined, undefined]);
});

it("reads tables, packed or not, and puts several together", () => {
  const geoip = readGeoip(
    [
      file("ipv4.csv.gz", gzipSync("192.0.2.0,192.0.2.255,CN\n")),
      file("more.csv", "198.51.100.0,198.51.100.0,CN\n2001:db8::,2001:db8::1,DE\n"),
    ],
    usualMaxInput,
  );
  expect(geoip("CN", "ipv4")).toEqual([first, { from: 0xc6336400n, to: 0xc6336400n }]);
  expect(geoip("DE", "ipv6")).toHaveLength(1);
  expect(geoip("DE", "ipv4")).toBeUndefined();
});

it.each([
  ["a path that is not there", () => "nowhere", /"nowhere" cannot be read: no such file or directory/],
  ["a folder without countries", () => dirname(file("empty/readme", "")), /holds no files of countries, such as CN\.iv4/],
  [
    "a table of something else",
    () => file("other.csv", "a,b\nc,d\n"),
    /other\.csv", line 2: neither .* such as 192\.0\.2\.0,192\.0\.2\.255,CN/,
  ],
  [
    "a packed file that is cut off",
    () => file("cut.csv.gz", gzipSync("192.0.2.0,192.0.2.255,CN\n").subarray(0, 20)),
    /cut\.csv\.gz" cannot be unpacked: /,
  ],
])("refuses %s", (_, path, message) => {
  expect(() => readGeoip([path()], usualMaxInput)).toThrow(message);
});

it("refuses a file of xt_geoip that is none when its country is asked for", () => {
  file("wrong/CN.iv4", packed);
  file("wrong/DE.iv4", "abc");
  const geoip = readGeoip([join(directory, "wrong")], usualMaxInput);
  expect(geoip("CN", "ipv4")).toEqual([first]);
  expect(() => geoip("DE", "ipv4")).toThrow(/DE\.iv4" is not a file of xt_geoip/);
});
