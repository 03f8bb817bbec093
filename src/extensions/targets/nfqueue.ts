/**
 * `-j NFQUEUE`: a program decides the packet.
 *
 *     -j NFQUEUE --queue-balance 0:3 --queue-bypass   →   queue num 0-3 bypass
 *
 * nft's `queue` is the same thing: where no program listens the packet is dropped, and with `bypass` accepted in this chain. The kernel
 * spreads packets over several queues by the same hash (nfqueue_hash()). Kernels without nft_queue do not load such a script:
 * `--without queue`.
 * man iptables-extensions, section "NFQUEUE".
 */

import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { integer, type NumberRange } from "../values/number.js";

const queueNumber = integer(0, 65535);

/**
 * `from:to`, two queues at least; a missing end is 0, or the last queue. The kernel counts them in 16 bits and refuses all 65536, so
 * the range of all is one shorter (iptables 1.8.11 writes it so).
 */
const queueRange: ValueParser<NumberRange> = (text, context) => {
  const [first = "", last, ...more] = text.split(":");
  if (last === undefined || more.length > 0) return new Invalid(`"${text}" is not a range of queues`);
  const from = first === "" ? 0 : queueNumber(first, context);
  if (from instanceof Invalid) return from;
  const to = last === "" ? (from === 0 ? 65534 : 65535) : queueNumber(last, context);
  if (to instanceof Invalid) return to;
  if (to - from === 65535) return new Invalid(`the kernel takes no range of all queues "${text}"`);
  return from < to ? { from, to } : new Invalid(`the range of queues "${text}" runs backwards`);
};

export const nfqueueTarget = defineTarget({
  name: "NFQUEUE",
  options: {
    "queue-num": { value: queueNumber, excludes: ["queue-balance"] },
    "queue-balance": { value: queueRange, excludes: ["queue-num"] },
    "queue-bypass": {},
    "queue-cpu-fanout": {},
  },
  check: (options) =>
    options["queue-cpu-fanout"] && !options["queue-balance"] ? new Invalid("--queue-cpu-fanout needs --queue-balance") : undefined,
  compared: ({ "queue-num": queue, ...others }) => ({ ...others, queue: queue?.value ?? 0 }),
  facts: {
    way: "elsewhere",
    effects: (options) => [
      { kind: "other", of: "outside", text: `queue ${options["queue-balance"]?.text ?? options["queue-num"]?.text ?? "0"}` },
    ],
    played: "a program decides, and none runs",
    words: { does: "hands to a program", done: "handed to a program" },
  },
  translate(options) {
    const flags = [...(options["queue-bypass"] ? ["bypass"] : []), ...(options["queue-cpu-fanout"] ? ["fanout"] : [])];
    const queues = options["queue-balance"]?.value ?? { from: options["queue-num"]?.value ?? 0 };
    return { statements: [{ kind: "queue", ...queues, ...(flags.length > 0 && { flags }) }] };
  },
});
