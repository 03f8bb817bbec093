/** The pages that users read, and the commands in them. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

export interface Block {
  readonly page: string;
  /** Of its first line, from 1. */
  readonly line: number;
  /** What stands behind the opening fence; empty for a block that is indented. */
  readonly info: string;
  readonly text: string;
}

/** README.md, and the pages of docs/. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export function pageText(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The blocks of code of a page, fenced and indented ones. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = pageText(page).split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^ *```(.*)$/.exec(lines[at]!);
    const isInside = fence ? (line: string) => !/^ *```$/.test(line) : (line: string) => /^ {4}/.test(line);
    if (!fence && !(isInside(lines[at]!) && (lines[at - 1] ?? "") === "")) continue;
    const begin = fence ? at + 1 : at;
    let end = begin;
    while (end < lines.length && isInside(lines[end]!)) end += 1;
    blocks.push({ page, line: begin + 1, info: fence?.[1] ?? "", text: lines.slice(begin, end).join("\n") });
    at = end;
  }
  return blocks;
}

/** Blocks of these are commands; `sh root` wants a kernel and its root. */
export const commandBlocks: readonly string[] = ["sh", "sh root"];

/** Lines that are not run as they stand, by their exact text, with what is run in their place and why. */
export const notRun: Readonly<Record<string, { readonly instead: string; readonly why: string }>> = {
  "npm ci && npm start -s -- < corpus/machine/small-server/rules.v4": {
    instead: "npm start -s -- < corpus/machine/small-server/rules.v4",
    why: "the packages are installed where tests run",
  },
  "npm ci && npm test": { instead: ":", why: "these are the tests" },
  "npm pack && npm install -g ./ipt2nft-recent-0.1.0.tgz": {
    instead: ":",
    why: "it installs for the whole machine; test/ci does the same in a folder of its own",
  },
  "npm run -s build:deb && apt-get install ./dist/ipt2nft-recent_0.1.0_all.deb": {
    instead: ":",
    why: "it installs for the whole machine; test/ci builds the package and unpacks it in a folder of its own",
  },
  "npm run -s build:single -- --archive": { instead: ":", why: "it takes long, and test/ci does the same in a folder of its own" },
  "tar -C /usr/local --strip-components=1 -xzf dist/ipt2nft-recent-0.1.0-linux-x64.tar.gz": {
    instead: ":",
    why: "it installs for the whole machine; test/ci unpacks it in a folder of its own",
  },
  "cp rules.nft /etc/nftables.conf": { instead: ":", why: "it writes a file of the machine" },
  "systemctl enable nftables.service": { instead: ":", why: "a network namespace has no services of its own" },
  "systemctl disable netfilter-persistent.service": { instead: ":", why: "a network namespace has no services of its own" },
};

/**
 * What plays packets in real time, ten seconds at least, is stopped once it has begun: that its words are right and its files there is
 * known by then, and the rest is tested elsewhere. With DOCS_AS_WRITTEN=1 it runs to its end.
 */
function shortened(command: string): string {
  const isLong = /^ipt2nft-recent (?:verify .*|corpus .* --kernel)$/.test(command) && !process.env["DOCS_AS_WRITTEN"];
  return isLong ? `status=0; timeout 1.5 ${command} || status=$?; [ $status = 0 ] || [ $status = 124 ]` : command;
}

/**
 * The commands for users of a page as one script of bash, which ends at the first line whose status is not 0, or what a comment at its
 * end says.
 */
export function userScript(page: string, before: readonly string[] = []): string {
  return scriptOf(
    blocksOf(page).filter(({ info }) => info === "sh"),
    before,
  );
}

/** The commands for root likewise, with what the others bring to the files that they need. */
export function rootScript(page: string, before: readonly string[] = []): string {
  return scriptOf(
    blocksOf(page)
      .filter(({ info }) => commandBlocks.includes(info))
      .map((block) =>
        block.info === "sh" ? { ...block, text: block.text.replaceAll(/^(?:ipt2nft-recent|npm|wc|diff) .*$/gm, ":") } : block,
      ),
    before,
  );
}

function scriptOf(blocks: readonly Block[], before: readonly string[]): string {
  return [
    "set -euo pipefail",
    ...before,
    ...blocks.flatMap(({ page, line, text }) => [
      `trap 'echo "${page}, the block at line ${line}: $BASH_COMMAND: exit status $?" >&2' ERR`,
      ...text.split("\n").map((one) => {
        const [, command, status] = /^(.*\S) +# exit status ([1-9])$/.exec(one) ?? [];
        if (command === undefined) return notRun[one]?.instead ?? shortened(one);
        return `status=0; ${command} || status=$?; [ "$status" = ${status} ]`;
      }),
    ]),
    "",
  ].join("\n");
}
