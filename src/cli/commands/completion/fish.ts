/** What fish completes the command with. */

import { optionsOf, withChildren, type DescribedCommand, type DescribedOption } from "../../described-commands.js";
import type { Offer } from "../../options/offers.js";

/** The script for a folder of completions. */
export function fishCompletion(root: DescribedCommand): string {
  const commands = withChildren(root);
  return `# fish completion for ipt2nft-recent, printed by "ipt2nft-recent completion fish"

# The options of a command that take the next word.
function __ipt2nft_recent_takes_value
    switch $argv[1]
${commands.map(valueLines).join("")}    end
    return 1
end

# The words that may follow a command in place of an argument.
function __ipt2nft_recent_children
    switch $argv[1]
${commands.map(childLines).join("")}    end
end

# Whether the words so far are the command, and as many arguments; how many does not matter unless it is given.
function __ipt2nft_recent_at -a wanted position
    set -l words (commandline -opc)[2..]
    set -l command
    set -l count 0
    set -l skip 0
    set -l only_arguments 0
    set -l index 0
    for word in $words
        set index (math $index + 1)
        if test $skip = 1
            set skip 0
        else if test $only_arguments = 0; and test "$word" = --
            set only_arguments 1
        else if test $only_arguments = 0; and string match -q -- '-?*' $word
            __ipt2nft_recent_takes_value "$command" "$word"; and set skip 1
        else if test $index = (math (count $command) + 1); and contains -- "$word" (__ipt2nft_recent_children "$command")
            set -a command $word
        else
            set count (math $count + 1)
            # What is behind a program belongs to it.
            test "$command" = capture; and set only_arguments 1
        end
    end
    test "$command" = "$wanted"; and begin
        test -z "$position"; or test $count = "$position"
    end
end

# Whether the words so far are the command and no more, so that one of its own commands may follow.
function __ipt2nft_recent_is -a wanted
    set -l words (commandline -opc)[2..]
    test "$words" = "$wanted"
end

# Several of the words with commas between them.
function __ipt2nft_recent_several
    set -l before (string match -r -- '.*,' (commandline -ct | string replace -r -- '^--[^=]*=' ''))
    for word in $argv
        echo "$before$word"
    end
end

complete -c ipt2nft-recent -f
${commands.map(completions).join("")}`;
}

function valueLines(command: DescribedCommand): string {
  const names = optionsOf(command).flatMap((option) => (option.value ? option.names : []));
  if (names.length === 0) return "";
  return `        case ${quoted(command.path.join(" "))}
            contains -- $argv[2] ${names.join(" ")}; and return 0
`;
}

function childLines({ path, children }: DescribedCommand): string {
  if (children.length === 0) return "";
  return `        case ${quoted(path.join(" "))}
            string split ' ' -- ${quoted(children.map((child) => child.path.at(-1)).join(" "))}
`;
}

function completions(command: DescribedCommand): string {
  const name = command.path.join(" ");
  const here = (position = ""): string => `complete -c ipt2nft-recent -n ${quoted(`__ipt2nft_recent_at ${quoted(name)}${position}`)}`;
  const lines = command.children.map(
    ({ path, summary }) =>
      `complete -c ipt2nft-recent -n ${quoted(`__ipt2nft_recent_is ${quoted(name)}`)} -a ${path.at(-1)} -d ${quoted(summary)}`,
  );
  command.arguments.forEach(({ variadic, offer }, index) => {
    const only = ` ${index}`;
    if (offer === "programs") lines.push(`${here(only)} -a '(__fish_complete_command)'`, `${here()} -F`);
    else lines.push(...settingOf(offer).map((setting) => `${here(variadic && index === 0 ? "" : only)} ${setting}`));
  });
  for (const option of optionsOf(command)) lines.push(`${here()} ${optionWords(option)}`);
  return `\n# ${name === "" ? "translate" : name}\n${lines.map((line) => `${line}\n`).join("")}`;
}

function optionWords({ names, summary, value }: DescribedOption): string {
  const words = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  // -r: a value must follow; -x: and it is no file.
  const setting =
    value === undefined ? [] : [value.offer === "files" ? "-r -F" : "-x", ...settingOf(value.offer).filter((one) => one !== "-F")];
  return [...words, ...setting, "-d", quoted(summary)].join(" ");
}

function settingOf(offer: Offer): string[] {
  if (typeof offer === "string") {
    switch (offer) {
      case "nothing":
        return [];
      case "files":
        return ["-F"];
      case "folders":
        return ["-a '(__fish_complete_directories (commandline -ct))'"];
      case "programs":
        return ["-a '(__fish_complete_command)'"];
      case "lists":
        return ["-a '(ipt2nft-recent completion lists -- (commandline -opc)[2..] 2>/dev/null)'"];
    }
  }
  const { words, separator, beforeFile } = offer;
  if (separator) return [`-a '(__ipt2nft_recent_several ${words.join(" ")})'`];
  return [`-a ${quoted(words.map((word) => word + (beforeFile ?? "")).join(" "))}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
