/** `ipt2nft-recent lists`: the lists of the firewall that runs. */

import { Failure } from "../../../failure.js";
import { hostsOf, readAddress } from "../../../lists/hosts.js";
import { hostJson, listJson, listText, overviewText } from "../../../lists/render.js";
import { overLimit } from "../../../lists/words.js";
import { recentLine } from "../../../lists/xt-recent-file.js";
import { visible, visibleJson, withoutCommands } from "../../../report/visible.js";
import type { CommandDefinition } from "../../command.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { edit } from "./edit.js";
import { kernelClock, listNamed, readLists, withLists } from "./kernel.js";
import { parseListsWords, type ListsSettings } from "./options.js";
import { hostReport } from "./where-held.js";
import { watch } from "./watch.js";

export const listsCommand: CommandDefinition<ListsSettings> = { parse: parseListsWords, run: runLists };

async function runLists(settings: ListsSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { action } = settings;
  const text = async (shown: string): Promise<void> => surroundings.writeOutput(withoutCommands(shown));
  const json = async (value: unknown): Promise<void> => surroundings.writeOutput(`${visibleJson(JSON.stringify(value, undefined, 2))}\n`);
  switch (action.kind) {
    case "overview": {
      const { lists } = await withLists(settings);
      if (action.format === "text") await text(overviewText(lists));
      else
        await json({
          lists: lists.map((list) => {
            const hosts = hostsOf(list);
            return { ...listJson(list), hosts: hosts.length, over: hosts.filter((host) => overLimit(host).length > 0).length };
          }),
        });
      return 0;
    }
    case "show": {
      const list = listNamed(await withLists(settings), action.list);
      const hosts = hostsOf(list);
      if (action.format === "text") await text(listText(list, hosts));
      else if (action.format === "json") await json({ ...listJson(list), hosts: hosts.map(hostJson) });
      else {
        const clock = await kernelClock();
        await surroundings.writeOutput(hosts.map((host) => recentLine(host, clock)).join(""));
      }
      return 0;
    }
    case "host": {
      const address = readAddress(action.address);
      if (!address) throw new Failure(`"${visible(action.address)}" is no address`);
      const report = hostReport(await readLists(settings), address);
      if (action.format === "text") await text(report.text);
      else await json(report.json);
      return report.held ? 0 : 1;
    }
    case "watch":
      return watch(settings, action, surroundings);
    case "pipes":
      return (await import("./pipes.js")).keepPipes(settings, action, surroundings);
    case "serve":
      return (await import("./serve/serve.js")).serve(settings, action, surroundings);
    default:
      return edit(settings, action, surroundings);
  }
}
