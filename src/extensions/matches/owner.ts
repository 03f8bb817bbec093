/**
 * `-m owner`: user and group of the process behind a packet sent by this machine.
 *
 *     -m owner --uid-owner 1000-1999   →   meta skuid 1000-1999
 *
 * Settled in net/netfilter/xt_owner.c and net/netfilter/nft_meta.c: the tests agree for packets of a socket that a process
 * holds. Packets without one (resets and errors of the kernel itself, forwarded packets) match in iptables when all options
 * are inverted, and never in nft.
 *
 * man iptables-extensions, section "owner".
 */

import { compare, match, meta, number, type MatchStatement, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type Remark, type ValueParser } from "../extension.js";
import { wordTests } from "../facts.js";
import { parseInteger, type NumberRange } from "../values/number.js";
import { rangeExpression } from "../values/range.js";

/** The largest number; 2^32 - 1 means nobody. */
const maximumNumber = 4294967294n;

/** `N`, `N-M` or `N:M`, or the name of a user or group that only the machine itself can resolve. */
const ownerNumber: ValueParser<NumberRange | string> = (text) => {
  const [first = "", second, ...more] = text.split(/[-:]/);
  const from = parseInteger(first);
  const to = second === undefined ? from : parseInteger(second);
  if (more.length === 0 && from !== undefined && to !== undefined) {
    if (from > maximumNumber || to > maximumNumber) return new Invalid(`"${text}" is above ${maximumNumber}`);
    return from > to ? new Invalid(`the range "${text}" runs backwards`) : { from: Number(from), to: Number(to) };
  }
  // The one name that means the same number everywhere.
  if (text === "root") return { from: 0, to: 0 };
  return /^[A-Za-z_]/.test(text) ? text : new Invalid(`"${text}" is neither a number nor a name`);
};

/** Whether the user or group 0 is meant; a name is one that only the machine can resolve. */
function holdsRoot(value: NumberRange | string | undefined): boolean {
  return value !== undefined && (typeof value === "string" || value.from === 0);
}

export const owner = defineMatch({
  name: "owner",
  options: {
    "uid-owner": { value: ownerNumber, invertible: true },
    "gid-owner": { value: ownerNumber, invertible: true },
    "socket-exists": { invertible: true },
    "suppl-groups": {},
  },
  check(options, { chain }) {
    if (["PREROUTING", "INPUT", "FORWARD"].includes(chain)) return new Invalid(`is not allowed in ${chain}`);
    if (options["suppl-groups"] && !options["gid-owner"]) return new Invalid("--suppl-groups needs --gid-owner");
    return options["uid-owner"] || options["gid-owner"] || options["socket-exists"]
      ? undefined
      : new Invalid("needs --uid-owner, --gid-owner or --socket-exists");
  },
  facts: {
    reads: ["socket"],
    condition: (options) => [
      ...wordTests("owner", options["uid-owner"], holdsRoot(options["uid-owner"]?.value) ? ["root"] : ["other"]),
      ...wordTests("owner", options["gid-owner"], holdsRoot(options["gid-owner"]?.value) ? ["root"] : ["other"]),
      ...wordTests("owner", options["socket-exists"], ["root", "other"]),
    ],
    played: true,
    words: ({ "uid-owner": user, "gid-owner": group, "socket-exists": socket, ...others }) => {
      if (Object.keys(others).length > 0) return undefined;
      const told = [user && `user ${user.text}`, group && `group ${group.text}`].filter((one) => one !== undefined);
      if (told.length === 0) return socket && "a program of this machine sends it";
      return socket ? undefined : `a program of ${told.join(" and ")} sends it`;
    },
  },
  translate(options): MatchTranslation {
    const { "uid-owner": user, "gid-owner": group, "socket-exists": socket, "suppl-groups": supplementary } = options;
    if (supplementary) return { untranslatable: "nft does not see the supplementary groups of a process", at: supplementary };
    const statements: MatchStatement[] = [];
    for (const [key, use] of [
      ["skuid", user],
      ["skgid", group],
    ] as const) {
      if (!use) continue;
      if (typeof use.value === "string") {
        return {
          untranslatable: `the name "${use.value}" means a number only on the machine itself`,
          help: `write the number: id ${key === "skuid" ? "-u" : "-g"}, or getent ${key === "skuid" ? "passwd" : "group"}`,
          at: use,
        };
      }
      statements.push(match(meta(key), rangeExpression(use.value), use.inverted));
    }
    const all = [user, group, socket].filter((use) => use !== undefined);
    // Packets without a process behind them (the kernel's own resets and errors) pass inverted tests, unless a plain one stands beside.
    const exactlyInverted = all.every((use) => use.inverted);
    if (socket?.inverted && !exactlyInverted) return { never: "a packet without a socket has no owner" };
    const approximations: Remark[] =
      socket && statements.every(({ operator }) => operator === "!=")
        ? [
            {
              message:
                "packets of sockets that the kernel itself holds (echo replies, tunnels) " +
                `${socket.inverted ? "do not match in iptables and do in nft" : "match in iptables and not in nft"}`,
              at: socket,
            },
          ]
        : [];
    const hasSocket = compare(meta("skuid"), ">=", number(0));
    if (exactlyInverted) {
      const groups: Statement[][] = statements.map((statement) => [{ ...statement, operator: "==" }]);
      return { unless: socket ? [[hasSocket]] : groups, approximations };
    }
    return {
      statements:
        socket && !socket.inverted && statements.every(({ operator }) => operator === "!=") ? [hasSocket, ...statements] : statements,
      approximations,
    };
  },
});
