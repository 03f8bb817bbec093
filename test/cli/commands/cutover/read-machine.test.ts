import { expect, it } from "vitest";

import { clockOf, readHosts } from "../../../../src/cli/commands/cutover/read-machine.js";

it("finds the rate of the kernel's clock from its ticks", () => {
  for (const rate of [100, 250, 300, 1000]) {
    const uptime = 40_025.1;
    expect(clockOf(uptime, Math.round(2 ** 32 + (uptime - 300) * rate))).toMatchObject({ rate });
  }
  expect(clockOf(40_025, 5)).toBeUndefined();
});

it("reads hosts of a list, with the seconds since each hit", () => {
  const text =
    "src=192.0.2.7 ttl: 64 last_seen: 4298123456 oldest_pkt: 3 4298122456, 4298123206, 4298123456\n" +
    "src=2001:0db8:0000:0000:0000:0000:0000:0001 ttl: 0 last_seen: 4298123456 oldest_pkt: 1 4298123456\n";
  expect(readHosts(text, { ticks: 4298123706, rate: 250 })).toEqual([
    { address: "192.0.2.7", ttl: 64, ages: [5, 2, 1] },
    { address: "2001:0db8:0000:0000:0000:0000:0000:0001", ttl: 0, ages: [1] },
  ]);
  expect(readHosts(text, undefined)[0]!.ages).toEqual([undefined, undefined, undefined]);
});
