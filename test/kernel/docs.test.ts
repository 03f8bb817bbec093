/** The commands of the pages that want root, in a network namespace of their own. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { blocksOf, pages, rootScript } from "../docs/pages.js";
import { makeScratchFolder, type ScratchFolder } from "../docs/scratch-folder.js";
import { describeOnKernel } from "./requirements.js";

/** The firewall of the machine that the pages speak of. */
const firewall = ["iptables-restore corpus/machine/small-server/rules.v4", "ip6tables-restore corpus/machine/small-server/rules.v6"];

const forRoot = pages.filter((page) => blocksOf(page).some(({ info }) => info === "sh root"));

describeOnKernel("commands on the pages", () => {
  let folder: ScratchFolder;
  beforeAll(() => {
    folder = makeScratchFolder();
  });
  afterAll(() => folder.remove());

  it.each(forRoot)("%s: those for root run", (page) => {
    const { status, error } = folder.run(rootScript(page, firewall), [
      "unshare",
      "--net",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
    ]);
    expect({ status, error: status === 0 ? "" : error }).toEqual({ status: 0, error: "" });
  });
});
