/**
 * `-m cgroup`: the control group of the socket a packet belongs to.
 *
 *     -m cgroup --cgroup 0x100001   →   meta cgroup 1048577
 *
 * man iptables-extensions, section "cgroup".
 */

import { match, meta, number } from "../../nft/ast.js";
import { defineMatch, Invalid, type OptionUses } from "../extension.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

const options = {
  path: { value: text(4095), invertible: true, excludes: ["cgroup"] },
  cgroup: { value: integer(0, 0xffffffff), invertible: true, excludes: ["path"] },
} as const;

export const cgroup = defineMatch({
  name: "cgroup",
  options,
  check(uses: OptionUses<typeof options>) {
    return (uses.path ?? uses.cgroup) ? undefined : new Invalid("needs --path or --cgroup");
  },
  facts: {
    reads: ["socket"],
    condition: [],
    played: true,
  },
  translate({ path, cgroup: classid }) {
    if (path) {
      // nft looks the directory up when it loads: without it the whole script would be refused.
      return {
        untranslatable:
          "nft resolves the path while it loads the script, and refuses the whole script if the group does not exist at that time",
        help: 'once the group exists: socket cgroupv2 level LEVEL "PATH", LEVEL being the number of parts of the path',
        at: path,
      };
    }
    if (!classid) return { never: "no group is named" };
    return {
      statements: [match(meta("cgroup"), number(classid.value), classid.inverted)],
      approximations: [
        {
          message:
            "packets that the kernel sends for a connection still being accepted (SYN ACK) are judged by the listening socket's " +
            "group; iptables matches none of them",
        },
      ],
    };
  },
});
