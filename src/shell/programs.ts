/** What the programs of a script mean for its rules. */

import type { Family } from "../iptables/ast.js";

export type Program =
  | { readonly kind: "iptables"; readonly family: Family }
  | { readonly kind: "ipset" }
  /** Reads rules; undefined: from elsewhere than its input. */
  | { readonly kind: "restore"; readonly family: Family | undefined }
  /** Prints rules. */
  | { readonly kind: "save" }
  /** Makes no rules by itself; `quiet` ones are nothing to be told of. */
  | { readonly kind: "harmless"; readonly quiet: boolean }
  | { readonly kind: "unknown" };

/** Programs that run the command given to them, with their options that take a word. */
export const wrappers: Readonly<Record<string, RegExp>> = {
  sudo: /^-[ugpCrthRTD]$/,
  doas: /^-[uC]$/,
  command: /^$/,
  exec: /^$/,
  env: /^-u$/,
  nice: /^-n$/,
  nohup: /^$/,
  busybox: /^$/,
};

const quiet: ReadonlySet<string> = new Set(
  (
    "echo printf true false : set exec export readonly unset local declare typeset shopt umask ulimit sleep cat test [ date logger " +
    "trap wait return cd pushd popd exit break continue shift read getopts let mapfile readarray hash type log_daemon_msg " +
    "log_end_msg log_progress_msg log_action_msg log_action_begin_msg log_action_end_msg log_success_msg log_failure_msg " +
    "log_warning_msg clear tput stty basename dirname seq expr pwd times jobs"
  ).split(" "),
);
const harmless: ReadonlySet<string> = new Set(
  (
    "modprobe insmod rmmod lsmod depmod modinfo sysctl ip ifconfig route tc brctl bridge ethtool iw iwconfig systemctl " +
    "service rc-service invoke-rc.d update-rc.d rc-update chkconfig netfilter-persistent conntrack chmod chown chgrp mkdir " +
    "rmdir touch cp mv rm ln tee dd install mktemp grep egrep fgrep awk gawk mawk sed cut tr head tail sort uniq wc ls find " +
    "stat readlink realpath id whoami which hostname uname nproc ping dig host nslookup getent lsof ps pgrep sync restorecon " +
    "md5sum sha1sum sha256sum diff cmp column paste rev tac fold xxd od"
  ).split(" "),
);

/** The program of a name, which may have a path in front. */
export function findProgram(word: string): Program {
  const name = word.slice(word.lastIndexOf("/") + 1);
  if (/^iptables(?:-legacy|-nft)?$/.test(name)) return { kind: "iptables", family: "ipv4" };
  if (/^ip6tables(?:-legacy|-nft)?$/.test(name)) return { kind: "iptables", family: "ipv6" };
  if (name === "ipset") return { kind: "ipset" };
  const restore = /^(x|ip6?)tables(?:-legacy|-nft)?-(restore|apply)$/.exec(name);
  if (restore) {
    const family = restore[2] === "apply" || restore[1] === "x" ? undefined : restore[1] === "ip" ? "ipv4" : "ipv6";
    return { kind: "restore", family };
  }
  if (/^ip6?tables(?:-legacy|-nft)?-save$/.test(name)) return { kind: "save" };
  if (quiet.has(name)) return { kind: "harmless", quiet: true };
  if (harmless.has(name)) return { kind: "harmless", quiet: false };
  return { kind: "unknown" };
}

/** Whether a text is a script and no iptables-save text, by its first line that says anything. */
export function isScript(text: string): boolean {
  if (/^\ufeff?#!/.test(text)) return !/^[^\n]*\bnft\b/.test(text);
  const line = firstLine(text);
  const [first = ""] = line.split(/[ \t;&|\r]/, 1);
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(first) || /^["']?\$[A-Za-z_{]/.test(first)) return true;
  if (/^(?:if|for|while|until|case|function|sudo|doas|source|\.|exec|!)$/.test(first) || /^[A-Za-z_][A-Za-z0-9_]*\(\)/.test(first))
    return true;
  return findProgram(first.replace(/^["']|["']$/g, "")).kind !== "unknown";
}

/**
 * The first line that is neither empty nor a comment, without blanks in front. No regular expression: it would need a stack as deep as
 * the text.
 */
function firstLine(text: string): string {
  for (let start = text.startsWith("\ufeff") ? 1 : 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    while (text[start] === " " || text[start] === "\t") start++;
    const isSaid = text[start] !== "#" && start < end && !(start === end - 1 && text[start] === "\r");
    if (isSaid || newline < 0) return text.slice(start, end);
    start = end + 1;
  }
  return "";
}
