/**
 * What the kernel keeps with each set of a list, so that the loaded table says by itself what it is for:
 *
 *     recent SSH: banned; 4 hits in 60s, own 1, ban
 *     recent SSH: passed 0
 *     recent WEB #2: hit 3
 *
 * A list has a store for each question that its rules ask; the first of a kind has no number. One set of each store, its head, holds what
 * is known of the store, so that a hit count that changes changes one line of the script.
 */

import { fingerprint } from "../../fingerprint.js";
import { longestComment } from "../../nft/rule-size.js";
import type { HeaderTtls } from "./usage.js";

/** What a set is for within its store; those with an index are several. The file that makes the set says more. */
export const setRoles = [
  "recent",
  "seen",
  "count",
  "busy",
  "few",
  "hit",
  "turn",
  "pass",
  "rate",
  "flood",
  "mute",
  "passed",
  "banned",
  "tokens",
  "ttl-known",
  "ttl-rate",
  "ttl-low",
  "ttl-high",
  "ttl-bit",
  "kept-ttl-known",
  "kept-ttl-rate",
  "kept-ttl-low",
  "kept-ttl-high",
  "kept-ttl-bit",
] as const;

export type SetRole = (typeof setRoles)[number];

/** How a question of several hits in a window is answered. */
export const hitForms = ["ring", "ban", "short-ban", "timers", "limit"] as const;

export type HitForm = (typeof hitForms)[number];

/** What is known of a whole store. */
export interface StoreDetails {
  readonly hits?: number;
  /** Of the window; for hosts that are kept without one, after how long they are forgotten. */
  readonly seconds?: number;
  /** Hits of a packet itself that the check counts with those before it: 1 where `--set` stands in front of it. */
  readonly own?: number;
  readonly form?: HitForm;
  /** Which TTLs the headers of the list's packets hold. */
  readonly header?: HeaderTtls;
}

export interface SetLabel {
  /** As in the rules, or the beginning of a long one with its fingerprint. */
  readonly list: string;
  /** Which of the questions of its kind. */
  readonly number: number;
  readonly role: SetRole;
  readonly index?: number;
  /** In the head only. */
  readonly details?: StoreDetails;
  /** In the head only, where the list has one: a number of bits, an address, or `unknown`. */
  readonly mask?: string;
}

/** Bytes of a list's name, after what nft cannot quote is written in hexadecimal. */
const longestName = 40;

/** How the name of a list stands in labels: by this, lists are told apart. */
export function labelName(list: string): string {
  const bytes = new TextEncoder().encode(list);
  const text = [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_.+@-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
  if (text.length <= longestName) return text;
  return `${text.slice(0, longestName - 9).replace(/%.?$/, "")}~${fingerprint([list]).slice(-8)}`;
}

/** The name to show: as the rules have it, or its beginning. */
function readName(text: string): string {
  const bytes = [...text.matchAll(/%([0-9a-f]{2})|[^%]/g)].map(([one, code]) =>
    code === undefined ? one.charCodeAt(0) : parseInt(code, 16),
  );
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** The text of a label. */
export function writeLabel({ list, number, role, index, details, mask }: SetLabel): string {
  const head = `recent ${labelName(list)}${number === 1 ? "" : ` #${number}`}: ${role}${index === undefined ? "" : ` ${index}`}`;
  const known = details === undefined ? "" : writeDetails(details);
  const text = [head, ...(known === "" ? [] : [known]), ...(mask === undefined ? [] : [`mask ${mask}`])].join("; ");
  // A mask of IPv6 with gaps.
  return text.length <= longestComment || mask === undefined
    ? text
    : writeLabel({ list, number, role, ...indexed(index), details: details!, mask: "unknown" });
}

const indexed = (index: number | undefined): { readonly index?: number } => (index === undefined ? {} : { index });

const headers: readonly HeaderTtls[] = ["as received", "forwarded", "both"];

function writeDetails({ hits, seconds, own, form, header }: StoreDetails): string {
  const count = hits === undefined ? "" : `${hits} hits`;
  const time = seconds === undefined ? "" : `${hits === undefined ? "" : " in "}${seconds}s`;
  return [
    count + time,
    ...(own === undefined ? [] : [`own ${own}`]),
    ...(form === undefined ? [] : [form]),
    ...(header === undefined ? [] : [`TTL ${header}`]),
  ]
    .filter((part) => part !== "")
    .join(", ");
}

const labelForm = new RegExp(
  [
    "^recent ([^ ]+?)(?: #([0-9]{1,6}))?: ([a-z-]+)(?: ([0-9]{1,6}))?",
    "(?:; (?:([0-9]{1,6}) hits(?: in )?)?(?:([0-9]{1,10})s)?(?:, own ([0-9]))?(?:, ([a-z-]+))?(?:TTL ([a-z ]+))?)?",
    "(?:; mask ([0-9a-f.:]+|unknown))?$",
  ].join(""),
);

/** A label that was read: its name as in `labelName`, too. */
export interface ReadLabel extends SetLabel {
  readonly key: string;
}

/** Reads a label; undefined for any other text. */
export function readLabel(text: string): ReadLabel | undefined {
  const found = labelForm.exec(text);
  if (!found) return undefined;
  const [, name = "", number, word, index, hits, seconds, own, formWord, headerWord, mask] = found;
  const role = setRoles.find((one) => one === word);
  const form = hitForms.find((one) => one === formWord);
  const header = headers.find((one) => one === headerWord);
  if (role === undefined || form !== formWord || header !== headerWord) return undefined;
  const details = {
    ...(hits !== undefined && { hits: Number(hits) }),
    ...(seconds !== undefined && { seconds: Number(seconds) }),
    ...(own !== undefined && { own: Number(own) }),
    ...(form !== undefined && { form }),
    ...(header !== undefined && { header }),
  };
  return {
    key: name,
    list: readName(name),
    number: number === undefined ? 1 : Number(number),
    role,
    ...(index !== undefined && { index: Number(index) }),
    ...(Object.keys(details).length > 0 && { details }),
    ...(mask !== undefined && { mask }),
  };
}
