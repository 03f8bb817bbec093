/** `--mask 24`, which is 0.0.0.24. */

import { printable } from "../../diagnostic.js";
import { prefixLength } from "../../extensions/values/address.js";
import { remark, type Check } from "./check.js";

export const maskNotAPrefix: Check = ({ lists }) =>
  lists.flatMap(({ name, usage, family }) => {
    const use = usage.uses.find(({ mask }) => mask === usage.mask)?.use;
    const option = use?.options["mask"];
    if (!option || prefixLength(usage.mask, family) !== undefined) return [];
    return [
      remark(
        "mask-not-a-prefix",
        option.span,
        `the mask "${printable(option.text)}" of list "${printable(name)}" is no network's: hosts that have nothing in common count as one`,
      ),
    ];
  });
