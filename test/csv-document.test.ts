import { describe, expect, it } from "vitest";

import { CsvFault, readCsvRows } from "../src/csv-document.js";

const textsOf = (text: string, comments: "anywhere" | "in front" = "in front"): string[][] =>
  [...readCsvRows(text, comments)].map((cells) => cells.map((cell) => cell.text));

describe("readCsvRows", () => {
  it.each<[string, string, string[][]]>([
    ["lines of every system", "a,b\nc\r\nd\re", [["a", "b"], ["c"], ["d"], ["e"]]],
    ["blanks around cells", "\ufeff a b ,\t c \n", [["a b", "c"]]],
    ["empty cells, also at the end", ',"",x,\n', [["", "", "x", ""]]],
    ["no row in empty lines and comments", "\n  \r\n# x\n#\n", []],
    ["commas, quotes and lines within quotes", '"a,""b""\n#c" , d\n', [['a,"b"\n#c', "d"]]],
    ["blanks within quotes", '" a "', [[" a "]]],
    ["# within a row", "a#b,c\n", [["a#b", "c"]]],
  ])("reads %s", (_, text, rows) => {
    expect(textsOf(text)).toEqual(rows);
  });

  it("ends a row at a comment where one may stand anywhere", () => {
    expect(textsOf('a#,b\n"c"#d\n"e#f" # "', "anywhere")).toEqual([["a"], ["c"], ["e#f"]]);
  });

  it("knows where cells stand", () => {
    const rows = [...readCsvRows('# x\na,  "b\r\nc" ,d\n\n e', "in front")];
    expect(rows.map((cells) => cells.map(({ place: { line, column } }) => `${line}:${column}`))).toEqual([["2:1", "2:5", "3:5"], ["5:2"]]);
  });

  it.each([
    ["a quote that is never closed", 'a\nb,"c\n\n', 2, 3],
    ["a quote within a cell", 'a,b"c"', 1, 4],
    ["text behind a quote", '"a"b', 1, 4],
  ])("refuses %s, with its place", (_, text, line, column) => {
    let fault: unknown;
    try {
      textsOf(text);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(CsvFault);
    expect(fault).toMatchObject({ place: { line, column } });
  });

  it("stops where its reader stops", () => {
    expect(readCsvRows('a\n"', "in front").next().value).toMatchObject([{ text: "a" }]);
  });
});
