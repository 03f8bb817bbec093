import { expect, it } from "vitest";
import { CsvFault } from "../../src/csv-document.js";
import { readGeoipCsv } from "../../src/geoip/read-csv.js";

const china = [{ from: 0xc0000200n, to: 0xc00002ffn }];

it.each([
  ["start, end and country", "192.0.2.0,192.0.2.255,CN\n"],
  ["addresses as text and as numbers", '"192.0.2.0","192.0.2.255","3221225984","3221226239","CN","China, People\'s Republic of"\n'],
  ["numbers", '"3221225984","3221226239","CN","China"\n'],
  ["numbers, with registry and date", '# a comment\n"3221225984","3221226239","apnic","1313020800","CN","CHN","China"\n'],
  ["bytes with zeros in front", "192.000.002.000,192.000.002.255,CN\n"],
  ["networks", "network,country,country_code\n192.0.2.0/24,China,CN\n"],
  ["a first row of names", "start_ip,end_ip,country\r\n192.0.2.0,192.0.2.255,CN\r\n"],
  ["small letters, blanks and a byte order mark", "\ufeff192.0.2.0, 192.0.2.255, cn"],
])("reads %s", (_, text) => {
  expect(readGeoipCsv(text)("CN", "ipv4")).toEqual(china);
});

it("keeps families and countries apart", () => {
  const geoip = readGeoipCsv(
    "192.0.2.0,192.0.2.255,CN\n2001:db8::,2001:db8::ff,CN\n42540766411282592856903984951653826560,42540766411282592856903984951653826561,DE\n198.51.100.0,198.51.100.0,CN\n",
  );
  expect(geoip("CN", "ipv4")).toEqual([...china, { from: 0xc6336400n, to: 0xc6336400n }]);
  expect(geoip("CN", "ipv6")).toEqual([{ from: 0x20010db8n << 96n, to: (0x20010db8n << 96n) + 255n }]);
  expect(geoip("DE", "ipv6")).toEqual([{ from: 0x20010db8n << 96n, to: (0x20010db8n << 96n) + 1n }]);
  expect(geoip("DE", "ipv4")).toBeUndefined();
});

it("leaves out ranges of no country", () => {
  expect(readGeoipCsv('"3221225984","3221226239","CN"\n"3221226240","3221226241","-","-"\n')("-", "ipv4")).toBeUndefined();
});

it.each([
  ["a row that begins otherwise", "192.0.2.0,192.0.2.255,CN\nnonsense\n", 2],
  ["an address that is none", "192.0.2.0,192.0.2.255,CN\n192.0.2.0,192.0.2.256,CN\n", 2],
  ["a range that runs backwards", "192.0.2.0,192.0.2.255,CN\n\n192.0.2.9,192.0.2.1,CN\n", 3],
  ["a prefix that is too long", "192.0.2.0,192.0.2.255,CN\n192.0.2.0/33,CN\n", 2],
  ["a quote that is never closed", '192.0.2.0,192.0.2.255,CN\n"192.0.2.0,192.0.2.255,CN\n', 2],
  ["a table of something else", "name,value\n", 1],
  ["an empty table", "", 1],
])("tells of %s, with its line", (_, text, line) => {
  let fault: unknown;
  try {
    readGeoipCsv(text);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(CsvFault);
  expect(fault).toMatchObject({ place: { line } });
});
