/** The names of lists that shells complete, from a firewall that runs. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { translate } from "../../src/index.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { describeOnKernel } from "./requirements.js";

const root = new URL("../../", import.meta.url).pathname;

const rulesOf = (list: string): string =>
  `-A INPUT -p tcp --dport 22 -m recent --name "${list}" --set\n` +
  `-A INPUT -p tcp --dport 22 -m recent --name "${list}" --update --seconds 60 --hitcount 4 -j DROP\n`;

describeOnKernel("completion lists", () => {
  it("prints the names of the table that runs, and nothing where there is none", async () => {
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rulesOf("ssh")}${rulesOf("$(reboot) x")}COMMIT\n`;
    const script = `
      ask() { echo "- $*"; "$NODE" "\${0%/*}/dist/ipt2nft-recent.js" completion lists -- "$@"; }
      NODE=${process.execPath}
      ask lists show
      nft -f "\${0%/*}/ours.nft"
      ask lists show
      ask lists show --table edge
      nft delete table ip ipt2nft
      nft -f "\${0%/*}/edge.nft"
      ask lists show --table=edge
    `;
    const ours = translate(dump).script!;
    const edge = translate(dump, { table: "edge", recent: "ban" }).script!;
    await withFiles({ "ours.nft": ours, "edge.nft": edge, "lab.sh": script }, async (directory) => {
      execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(directory, "dist"), "--no-types"]);
      const { status, stdout, stderr } = await runInNamespace(join(directory, "lab.sh"), 60);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toBe(
        "- lists show\n- lists show\n$(reboot) x\nssh\n- lists show --table edge\n- lists show --table=edge\n$(reboot) x\nssh\n",
      );
    });
  });
});
