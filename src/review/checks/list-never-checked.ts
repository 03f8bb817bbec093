/** A list on which hosts are recorded, and which no rule asks. */

import { printable } from "../../diagnostic.js";
import { remark, type Check } from "./check.js";

export const listNeverChecked: Check = ({ lists }) =>
  lists.flatMap(({ name, checks, sets, removes }) => {
    const [set] = sets;
    return set && checks.length === 0 && removes.length === 0
      ? [remark("list-never-checked", set.use.span, `hosts are recorded on list "${printable(name)}", and no rule asks for them`)]
      : [];
  });
