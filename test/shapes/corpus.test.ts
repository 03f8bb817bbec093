/** The quick way gives what the slow one gives, byte for byte: on every dump of the corpus, and on what can be made of them. */

import { describe, expect, it } from "vitest";

import { seededRandom, shuffled, type Random } from "../../src/random.js";
import type { TranslateOptions } from "../../src/translate.js";
import { readCases } from "../corpus/cases.js";
import { compared } from "./compared.js";

const dumps = readCases().flatMap(({ name, sources }) =>
  sources.filter(({ text }) => text.length < 200_000).map((source) => ({ name: `${name}/${source.file}`, source })),
);

const octet = (random: Random): number => Math.floor(random() * 256);

const hex = (random: Random): string => (octet(random) * octet(random)).toString(16);

/** The rule with other values, such as somebody's many rules would have them. */
function changed(line: string, random: Random): string {
  return line
    .replaceAll(/(?<=^| )\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?=\/32| |$)/g, () =>
      [1 + (octet(random) % 223), octet(random), octet(random), octet(random)].join("."),
    )
    .replaceAll(/(?<=^| )(\d{1,3})\.\d{1,3}\.\d{1,3}\.0(?=\/24)/g, () =>
      [1 + (octet(random) % 223), octet(random), octet(random), 0].join("."),
    )
    .replaceAll(/(?<=-[sd] )[0-9a-f:]*::[0-9a-f:]*(?=\/128| )/g, () =>
      [`2${hex(random)}`, hex(random), "", hex(random)].join(":").slice(0, 39),
    )
    .replaceAll(/(?<=-[sd] )[0-9a-f:]*::(?=\/64)/g, () => `${2 + (octet(random) % 8)}001:${hex(random)}:${hex(random)}:${hex(random)}::`)
    .replaceAll(/(?<=mark )0x[0-9a-f]+/g, () => `0x${octet(random).toString(16)}`)
    .replaceAll(/(?<=--(?:dport|sport) )\d+(?= |$)/g, () => String(1 + Math.floor(random() * 65_535)))
    .replaceAll(/^\[\d+:\d+\]/g, () => `[${Math.floor(random() * 3)}:${Math.floor(random() * 9_999)}]`)
    .replaceAll(/(?<=--comment )"[^"]*"/g, () => `"${"abc de"[octet(random) % 6]}x comment ${octet(random)}"`)
    .replaceAll(/(?<=--to-destination )[\d.]+:\d+/g, () => `10.${octet(random)}.${octet(random)}.${octet(random)}:${1 + octet(random)}`);
}

/** Some rules many times, each time with other values, and some of them in another chain of the text. */
function inflated(text: string, random: Random): string {
  const chains = [...text.matchAll(/^:(\S+) /gm)].map(([, name]) => name!);
  const elsewhere = (line: string): string =>
    chains.length > 0 && random() < 0.3 ? line.replace(/-A \S+/, () => `-A ${chains[Math.floor(random() * chains.length)]}`) : line;
  return text
    .split("\n")
    .flatMap((line) => {
      if (!/^(?:\[\d+:\d+\] )?-A /.test(line) || random() < 0.4) return [line];
      const copies = Math.floor(random() ** 3 * 12);
      return [line, ...Array.from({ length: copies }, () => elsewhere(changed(line, random)))];
    })
    .join("\n");
}

const optionSets: readonly TranslateOptions[] = [
  {},
  { counters: false },
  { recent: "limit" },
  { keepSets: true },
  { targetNft: "0.9.8" },
  { recent: "ban", setSize: 5_000 },
];

describe("the quick way", () => {
  it("gives what the slow one gives for every dump of the corpus", { timeout: 120_000 }, () => {
    const taken = dumps.filter(({ name, source }) => {
      try {
        return compared(source);
      } catch (error) {
        throw new Error(name, { cause: error });
      }
    });
    expect(taken.length).toBeGreaterThan(0);
  });

  const rounds = Number(process.env["SHAPES_ROUNDS"] ?? 120);
  const seed = Number(process.env["SHAPES_SEED"] ?? 1);
  it(`gives what the slow one gives for ${rounds} dumps with many rules alike (seed ${seed})`, { timeout: 60_000 + rounds * 1_000 }, () => {
    const random = seededRandom(seed);
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const { name, source } = shuffled(dumps, random)[0]!;
      const text = inflated(source.text, random);
      const options = optionSets[Math.floor(random() * optionSets.length)]!;
      try {
        if (compared({ ...source, text }, options)) taken++;
      } catch (error) {
        throw new Error(`${name}, ${JSON.stringify(options)}, round ${round}\n${text}`, { cause: error });
      }
    }
    console.log(`${taken} of ${rounds} took the quick way`);
    expect(taken).toBeGreaterThan(rounds / 8);
  });
});
