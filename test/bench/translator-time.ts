/** Time and memory of the published command, beside `iptables-restore-translate` and a bare `node -e 0`, in turns. */

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { generatedFiles } from "../generators/all.js";
import { kubeProxy, kubeServices } from "../generators/kube-proxy.js";
import { bigRuleset } from "./big-ruleset.js";
import { compare, peakMemory, withCommand, type Run } from "./command-time.js";

const turns = 5;

const smallDump = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --set --name SSH --mask 255.255.255.255 --rsource
-A INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --update --seconds 60 --hitcount 4 --name SSH --mask 255.255.255.255 --rsource -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

/**
 * Builds the command, measures, and returns tables as Markdown: the generated rulesets of the corpus, a larger one, random ones, and the
 * dumps named.
 */
export function measureTranslator(files: readonly string[] = []): string {
  return withCommand((ours, directory) => {
    const lines = [
      "| ruleset | rules | iptables-restore-translate: s, MB | ours: s, MB | ratio of processor time |",
      "|---|---|---|---|---|",
    ];
    const random = [1_000, 10_000, 100_000].map((rules) => {
      const file = join(directory, `random-${rules}.v4`);
      writeFileSync(file, bigRuleset(rules));
      return file;
    });
    const kube = join(directory, "kube-proxy-2000-services.v4");
    writeFileSync(kube, kubeProxy(kubeServices(2_000)));
    for (const file of [...generatedFiles().map(({ path }) => path), kube, ...random, ...files]) {
      const upstreamCommand = `${file.endsWith("6") ? "ip6tables" : "iptables"}-restore-translate -f ${file}`;
      const ourCommand = `${ours} ${file}`;
      const rules = readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("-A")).length;
      const [upstream, own] = compare([upstreamCommand, ourCommand], turns) as [Run, Run];
      const cell = ({ clock, processor }: Run, memory: string): string =>
        `${clock.toFixed(2)} (processor ${processor.toFixed(2)}), ${memory}`;
      const name = file.startsWith("corpus/") ? file.split("/").slice(-2).join("/") : basename(file);
      lines.push(
        `| ${name} | ${rules} | ${cell(upstream, peakMemory(upstreamCommand))} | ${cell(own, peakMemory(ourCommand))} | ${(own.processor / upstream.processor).toFixed(1)} |`,
      );
    }
    const small = join(directory, "small.v4");
    writeFileSync(small, smallDump);
    const [bare, translation] = compare(["node -e 0", `${ours} ${small}`], 21) as [Run, Run];
    const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(0);
    lines.push(
      "",
      `A small file: ${milliseconds(translation.clock)} ms (processor ${milliseconds(translation.processor)}), a bare node -e 0 ` +
        `${milliseconds(bare.clock)} ms (${milliseconds(bare.processor)}): ${(translation.clock / bare.clock).toFixed(2)} times (${(translation.processor / bare.processor).toFixed(2)}).`,
    );
    return lines.join("\n");
  });
}
