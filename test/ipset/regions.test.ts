import fc from "fast-check";
import { expect, it } from "vitest";

import { regionsOf, type Network } from "../../src/ipset/regions.js";

const network = fc.record({ address: fc.nat(63), length: fc.nat(6) }).map(({ address, length }): Network<number> => {
  const size = 2 ** length;
  const from = Math.floor(address / size) * size;
  return { from: BigInt(from), to: BigInt(from + size - 1), element: length };
});

it("has every address in one region, with its networks from the most specific outwards", () => {
  fc.assert(
    fc.property(fc.uniqueArray(network, { selector: ({ from, to }) => `${from}-${to}`, maxLength: 20 }), (networks) => {
      const regions = regionsOf(networks);
      for (let address = 0n; address < 64n; address++) {
        const here = regions.filter(({ from, to }) => from <= address && address <= to);
        const expected = networks
          .filter(({ from, to }) => from <= address && address <= to)
          .map(({ element }) => element)
          .sort((a, b) => a - b);
        expect(here.length).toBe(expected.length === 0 ? 0 : 1);
        if (here[0]) expect(here[0].around).toEqual(expected);
      }
    }),
  );
});
