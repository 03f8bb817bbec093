/** What bash completes the command with. Needs bash 4.4, and nothing else. */

import { optionsOf, withChildren, type DescribedCommand } from "../../described-commands.js";
import type { Offer } from "../../options/offers.js";

/** The script to be sourced, or put into a folder of completions. */
export function bashCompletion(root: DescribedCommand): string {
  const commands = withChildren(root);
  return `# bash completion for ipt2nft-recent, printed by "ipt2nft-recent completion bash"

# Words and kinds for a command: what it consists of so far.
_ipt2nft_recent_command() {
  options='' children='' arguments=() rest=nothing
  case $1 in
${commands.map(commandLines).join("")}  esac
}

# What an option of the command takes.
_ipt2nft_recent_value() {
  kind='' separator='' ending=''
  case "$1 $2" in
${valueLines(commands)}  esac
}

# Of the words given, those that begin as what is typed.
_ipt2nft_recent_words() {
  local word
  for word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$before$word$ending")
  done
  [[ -z $separator$ending ]] || compopt -o nospace
}

_ipt2nft_recent_lists() {
  local name typed=$cur open=''
  case $cur in
  [\\"\\']*) open=1 typed=\${cur:1} ;;
  *) typed=\${cur//\\\\/} ;;
  esac
  while IFS= read -r name; do
    [[ $name == "$typed"* ]] || continue
    if [[ $open ]]; then
      # In quotes only what means itself there.
      [[ $name == *[\\"\\'\\\\\\$\\\`!]* ]] && continue
    else
      printf -v name %q "$name"
      # Signs at which bash would take the rest for a word of its own.
      name=\${name//:/\\\\:} name=\${name//=/\\\\=}
    fi
    COMPREPLY+=("$name")
  done < <(command ipt2nft-recent completion lists -- "\${words[@]}" 2>/dev/null)
}

_ipt2nft_recent() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' option='' only_arguments='' before=''
  local options children arguments rest kind separator ending word index position=0 depth=0
  local -a words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  COMPREPLY=()
  _ipt2nft_recent_command ''
  for ((index = 0; index < \${#words[@]}; index++)); do
    word=\${words[index]}
    if [[ $option ]]; then
      [[ $word == = ]] || option=''
    elif [[ ! $only_arguments && $word == -- ]]; then
      only_arguments=1
    elif [[ ! $only_arguments && $word == -?* ]]; then
      _ipt2nft_recent_value "$command" "$word"
      [[ $kind ]] && option=$word
    elif [[ $position == 0 && " $children " == *" $word "* && $index == "$depth" ]]; then
      command="$command\${command:+ }$word" depth=$((depth + 1))
      _ipt2nft_recent_command "$command"
    elif [[ $word != = ]]; then
      position=$((position + 1))
      # What is behind a program belongs to it.
      [[ \${arguments[0]-} == programs ]] && only_arguments=1
    fi
  done
  if [[ ! $option && ! $only_arguments && $cur == --*=* ]]; then
    option=\${cur%%=*} before=\${cur%%=*}= cur=\${cur#*=}
  fi
  [[ $cur == = ]] && cur=''
  separator='' ending=''
  if [[ $option ]]; then
    _ipt2nft_recent_value "$command" "$option"
  elif [[ ! $only_arguments && $cur == -* ]]; then
    _ipt2nft_recent_words $options
    return
  else
    (( \${#words[@]} == depth )) && _ipt2nft_recent_words $children
    kind=\${arguments[position]-$rest}
  fi
  case $kind in
  files)
    # Beside commands that match; where none does, bash does it better itself.
    if ((\${#COMPREPLY[@]})); then
      mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
      compopt -o filenames
    else
      compopt -o default
    fi
    ;;
  folders) compopt -o dirnames ;;
  programs) mapfile -t COMPREPLY < <(compgen -c -- "$cur"); compopt -o default ;;
  lists) _ipt2nft_recent_lists ;;
  words:*)
    if [[ $separator && $cur == *"$separator"* ]]; then
      before=$before\${cur%"$separator"*}$separator cur=\${cur##*"$separator"}
    fi
    _ipt2nft_recent_words \${kind#words:}
    ;;
  esac
}

complete -F _ipt2nft_recent ipt2nft-recent
`;
}

function commandLines(command: DescribedCommand): string {
  const kinds = command.arguments.map(({ offer }) => kindOf(offer));
  const last = command.arguments.at(-1);
  const words = optionsOf(command).flatMap(({ names }) => names);
  return `  ${quoted(command.path.join(" "))})
    options=${quoted(words.join(" "))}
    children=${quoted(command.children.map(({ path }) => path.at(-1)).join(" "))}
    arguments=(${kinds.map(quoted).join(" ")})
    rest=${quoted(last?.variadic ? kindOf(last.name === "COMMAND" ? "files" : last.offer) : "nothing")}
    ;;
`;
}

/** A line for each kind of value, with all the options that take it. */
function valueLines(commands: readonly DescribedCommand[]): string {
  const places = new Map<string, string[]>();
  for (const command of commands) {
    for (const { names, value } of optionsOf(command)) {
      if (!value) continue;
      const { offer } = value;
      const more = typeof offer === "string" ? "" : wordsSettings(offer);
      const setting = `kind=${quoted(kindOf(offer))}${more}`;
      const known = places.get(setting) ?? [];
      places.set(setting, [...known, ...names.map((name) => quoted(`${command.path.join(" ")} ${name}`))]);
    }
  }
  return [...places].map(([setting, patterns]) => `  ${patterns.join(" | \\\n    ")})\n    ${setting} ;;\n`).join("");
}

function wordsSettings({ separator, beforeFile }: Extract<Offer, object>): string {
  return (separator ? ` separator=${quoted(separator)}` : "") + (beforeFile ? ` ending=${quoted(beforeFile)}` : "");
}

function kindOf(offer: Offer): string {
  return typeof offer === "string" ? offer : `words:${offer.words.join(" ")}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
