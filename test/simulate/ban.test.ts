/** `--recent ban` beside xt_recent, both as models in virtual time. */

import { describe, expect, test } from "vitest";

import { seededRandom } from "../../src/random.js";
import type { Packet } from "../../src/simulate/packet.js";
import { ticksPerSecond } from "../../src/simulate/packet.js";
import { firstPacket, program, subject } from "./programs.js";

const shapes = ["set, update", "update, set", "set, rcheck", "set, log update, drop update", "log update, drop update, set"];
const hitCounts = [4, 5, 10, 20, 150];
const seconds = 2;

/** Bursts, rhythms around the limit, and pauses around the window. */
function rhythm(hits: number, seed: number): Packet[] {
  const random = seededRandom(seed);
  const window = seconds * ticksPerSecond;
  let { time } = firstPacket;
  return Array.from({ length: 12 * hits }, () => {
    const choice = random();
    if (choice < 0.5) time += 1 + Math.floor(random() * (((hits > 20 ? 1 : 2) * window) / hits));
    else if (choice < (hits > 20 ? 1 - 0.5 / hits : 0.9)) time += 1 + Math.floor(random() * 3);
    else time += Math.floor(window * (0.5 + random()));
    return { ...firstPacket, time };
  });
}

describe("a ban", () => {
  test.each(shapes.flatMap((shape) => hitCounts.map((hits) => ({ shape, hits }))))(
    "lets nothing pass that xt_recent stops, and stops nothing before: $shape, $hits hits",
    ({ shape, hits }) => {
      const { xtables, nft, script } = subject(program(shape, seconds, hits), "ban");
      expect(script).toContain("_banned");
      let stricter = 0;
      let stopped = 0;
      for (let seed = 0; seed < (hits > 20 ? 3 : 25); seed++) {
        xtables.reset();
        nft.reset();
        let wasOver = false;
        for (const one of rhythm(hits, seed)) {
          const [wanted, found] = [xtables.send(one).verdict, nft.send(one).verdict];
          if (wanted === "drop") {
            wasOver = true;
            stopped += 1;
            expect(found, `seed ${seed}, at ${one.time}`).toBe("drop");
          } else if (found === "drop") {
            stricter += 1;
            expect(wasOver, `seed ${seed}, at ${one.time}`).toBe(true);
          }
        }
      }
      // A schedule that is never stopped, or a ban that is exact, would show nothing.
      expect(stopped).toBeGreaterThan(0);
      if (hits > 4 && hits <= 20) expect(stricter).toBeGreaterThan(0);
    },
  );
});
