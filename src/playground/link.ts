/**
 * Links to the playground: everything stands in the fragment, which no browser sends anywhere.
 *
 * `#1=` and the state as JSON, compressed (RFC 1951), in base64url. The number is that of the form: a form that has been given out is
 * read for ever.
 */

import { deflateSync, Inflate, strToU8 } from "fflate";
import { stateOf, withoutEmpty, type PlaygroundState } from "./state.js";

/** Characters of a state that a link may unfold to. */
const largestState = 16_000_000;

/** Throws where bytes are no UTF-8: none of ours are. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws a RangeError, which says what is wrong with a link. */
export function readLink(fragment: string): PlaygroundState {
  const [, form, packed] = /^#?(\d{1,9})=(.*)$/s.exec(fragment) ?? [];
  if (form === undefined || packed === undefined) throw new RangeError("the address holds no state of this page");
  if (form !== "1") throw new RangeError(`the link is of form ${form}, made by a newer page than this one`);
  try {
    return stateOf(JSON.parse(utf8.decode(inflated(bytesOf(packed)))));
  } catch (error) {
    throw new RangeError("the link is damaged, or cut off", { cause: error });
  }
}

/** The fragment with its `#`. */
export function makeLink(state: PlaygroundState): string {
  const packed = deflateSync(strToU8(JSON.stringify(withoutEmpty(state))), { level: 9 });
  return `#1=${base64Of(packed)}`;
}

/** A few bytes may unfold to very many: no more is taken than a page can show. */
function inflated(packed: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  const stream = new Inflate((chunk, final) => {
    size += chunk.length;
    if (size > largestState) throw new RangeError("too long");
    chunks.push(chunk);
    ended = final;
  });
  const step = 4096;
  for (let at = 0; at < packed.length; at += step) stream.push(packed.subarray(at, at + step), at + step >= packed.length);
  if (!ended) throw new RangeError("cut off");
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text: string): Uint8Array {
  const decoded = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}
