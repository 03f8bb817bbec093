/** Long windows made short, in a dump's text and so in both firewalls alike. */

/** Hits a second that a window may ask for at most: hosts that try more often are treated specially. */
const hitsPerSecond = 12;

const useOfRecent = /--seconds (\d+)(?:[^\n]*?--hitcount (\d+))?/gu;
const rate = /(--(?:limit|hashlimit-upto|hashlimit-above|hashlimit) )(\d+)\/(s|m)\w*/gu;

/**
 * Windows of `recent` become as many seconds as their order and hit counts allow: 1, 2, 3 … instead of 60, 600, 86400.
 * Limits get a rate so slow that only their burst counts, whatever the moment a packet comes, or are kept.
 */
export function scale(
  texts: readonly string[],
  limits: "slowed" | "kept" = "slowed",
): { readonly texts: readonly string[]; readonly notes: readonly string[] } {
  const windows = windowsIn(texts);
  const notes = [...windows].filter(([from, to]) => from !== to).map(([from, to]) => `--seconds ${from} is ${to} in both firewalls`);
  const slowed = limits === "slowed" && texts.some((text) => rate.test(text));
  rate.lastIndex = 0;
  if (slowed) notes.push("limits per second or minute are limits per hour in both firewalls, so that their burst alone counts");
  return {
    notes,
    texts: texts.map((text) => {
      const short = text.replaceAll(/--seconds (\d+)/gu, (_, seconds: string) => `--seconds ${windows.get(Number(seconds)) ?? seconds}`);
      return slowed ? short.replaceAll(rate, "$1$2/hour") : short;
    }),
  };
}

/** Seconds as they were → as they become; never longer, in the same order. */
function windowsIn(texts: readonly string[]): Map<number, number> {
  const hits = new Map<number, number>();
  for (const [, seconds, count = "1"] of texts.flatMap((text) => [...text.matchAll(useOfRecent)])) {
    hits.set(Number(seconds), Math.max(hits.get(Number(seconds)) ?? 1, Number(count)));
  }
  const scaled = new Map<number, number>();
  let last = 0;
  for (const seconds of [...hits.keys()].sort((a, b) => a - b)) {
    last = Math.min(seconds, Math.max(last + 1, Math.ceil(hits.get(seconds)! / hitsPerSecond)));
    scaled.set(seconds, last);
  }
  return scaled;
}
