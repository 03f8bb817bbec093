import { expect, it } from "vitest";

import { didYouMean } from "../src/did-you-mean.js";
import { translate } from "../src/translate.js";

it.each([
  ["mulitport", ["multiport", "mark"], 'did you mean "multiport"?'],
  ["reject", ["REJECT", "RETURN"], 'did you mean "REJECT"?'],
  ["xyz", ["mark"], undefined],
  ["ab", ["ac"], undefined],
  ["", ["a"], undefined],
])("%s among %j", (word, names, expected) => {
  expect(didYouMean(word, names)).toBe(expected);
});

it.each([
  ["-A INPUT -m mulitport -j DROP", 'did you mean "multiport"?'],
  ["-A INPUT -p tcp -m tcp --dports 22,80 -j DROP", "-m multiport has it: options follow the -m or -j they belong to"],
  ["-A INPUT -m recent --set --secnds 5 -j DROP", 'did you mean "--seconds"?'],
  ["-A INPUT -j Accept", 'did you mean "ACCEPT"?'],
  ["-A INPUT -g usr", 'did you mean "user"?'],
  ["-A INPT -j DROP", 'did you mean "INPUT"?'],
])("%s", (rule, expected) => {
  const { diagnostics } = translate(`*filter\n:user - [0:0]\n${rule}\nCOMMIT\n`, { family: "ipv4" });
  expect(diagnostics.map(({ help }) => help)).toContain(expected);
});
