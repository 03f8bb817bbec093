/** What zsh completes the command with. */

import { optionsOf, withChildren, type DescribedArgument, type DescribedCommand, type DescribedOption } from "../../described-commands.js";
import type { Offer } from "../../options/offers.js";

/** The script to be sourced behind `compinit`, or put into a folder of `$fpath` as `_ipt2nft-recent`. */
export function zshCompletion(root: DescribedCommand): string {
  return `#compdef ipt2nft-recent
# zsh completion for ipt2nft-recent, printed by "ipt2nft-recent completion zsh"

_ipt2nft-recent-names() {
  local -a names
  names=("\${(@f)$(_call_program -p lists ipt2nft-recent completion lists -- "\${(@q)\${(@Q)words[2,CURRENT-1]}}" 2>/dev/null)}")
  names=("\${(@)names:#}")
  _wanted lists expl list compadd -a names
}

_ipt2nft-recent-before-file() {
  if compset -P '*='; then
    _files
  else
    compadd -S = -- "$@"
  fi
}

${withChildren(root).map(functionOf).join("\n")}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _ipt2nft-recent "$@"
else
  compdef _ipt2nft-recent ipt2nft-recent
fi
`;
}

const functionName = (path: readonly string[]): string => ["_ipt2nft-recent", ...path].join("_");

function functionOf(command: DescribedCommand): string {
  const specifications = [...optionsOf(command).flatMap(optionSpecifications), ...argumentSpecifications(command.arguments)];
  const options = specifications.map((one) => ` \\\n    ${quoted(one)}`).join("");
  const hasChildren = command.children.length > 0;
  return `${functionName(command.path)}() {
${hasChildren ? childLines(command.children) : ""}  _arguments -s -S${options}${hasChildren ? " && ret=0\n  return ret" : ""}
}
`;
}

function childLines(children: readonly DescribedCommand[]): string {
  const word = (path: readonly string[]): string => path.at(-1)!;
  return `  local ret=1
  local -a children
  if (( CURRENT > 2 )); then
    case $words[2] in
${children.map(({ path }) => `    ${word(path)}) shift words; (( CURRENT-- )); ${functionName(path)}; return ;;\n`).join("")}    esac
  else
    children=(
${children.map(({ path, summary }) => `      ${quoted(`${word(path)}:${summary}`)}\n`).join("")}    )
    _describe -t commands command children && ret=0
  fi
`;
}

function optionSpecifications({ names, summary, value, repeatable }: DescribedOption): string[] {
  const excluded = repeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  return names.map((name) => {
    const attached = value === undefined ? "" : name.startsWith("--") ? "=" : "+";
    const action = value === undefined ? "" : `:${escaped(value.name)}:${actionOf(value.offer)}`;
    return `${excluded}${name}${attached}[${summary.replaceAll(/[[\]\\]/g, "\\$&")}]${action}`;
  });
}

function argumentSpecifications(all: readonly DescribedArgument[]): string[] {
  return all.map(({ name, variadic, offer }) => {
    if (offer === "programs") return `*::${escaped(name)}:_normal`;
    return `${variadic ? "*" : ""}:${escaped(name)}:${actionOf(offer)}`;
  });
}

function actionOf(offer: Offer): string {
  if (typeof offer === "string") {
    return { nothing: " ", files: "_files", folders: "_files -/", programs: "_command_names -e", lists: "_ipt2nft-recent-names" }[offer];
  }
  const words = offer.words.join(" ");
  if (offer.separator) return ` _values -s ${offer.separator} word ${words}`;
  return offer.beforeFile ? ` _ipt2nft-recent-before-file ${words}` : `(${words})`;
}

function escaped(text: string): string {
  return text.replaceAll(/[:\\]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
