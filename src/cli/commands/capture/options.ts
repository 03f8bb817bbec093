/** The command line of `capture` as data. */

import { Argument, Command, InvalidArgumentError, Option } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { offering } from "../../options/offers.js";
import { duration, readWords, usageError, wholeNumber } from "../../options/words.js";
import { addressWithLength, isInterfaceName, type Interface } from "./machine.js";

export interface CaptureSettings extends SharedSettings {
  /** The program and its words. */
  readonly command: readonly string[];
  readonly interfaces: readonly Interface[];
  /** The interfaces of this machine are there, too. */
  readonly ownInterfaces: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** Of what the script may write, in megabytes. */
  readonly megabytes: number;
  readonly ignoreStatus: boolean;
  /** Path; standard output if absent. */
  readonly output: string | undefined;
}

const longestTimeout = 86_400;

const details = `
The command runs with an empty firewall in namespaces of its own, which needs no privileges and leaves the firewall and the files of
this machine alone. iptables and ipset are the real ones; what they have made in the end is printed, in one file that all commands of
ipt2nft-recent read. Files that are written are private copies. Programs that act on the machine (modprobe, systemctl, reboot, ip link
set …) succeed without an effect, and are listed; there is no network. This guards against accidents, not against hostile scripts.

Hosts that are written to /proc/net/xt_recent are captured as root only: the kernel lets nobody else write there.

Exit status:
  0  the firewall is printed
  1  the script failed or took too long, or made no rule, and nothing is printed; or it is printed, and a command of the script is not
     in it: refused by iptables or ipset, or of another firewall (nft, ebtables)
  2  bad usage, or the machine lacks something

Examples:
  ipt2nft-recent capture ./firewall.sh start > captured
  ipt2nft-recent captured -o rules.nft
  ipt2nft-recent capture --interface ppp0=198.51.100.7 -- sh -c '. ./settings; . ./rules' > captured
`;

interface RawOptions {
  readonly interface?: readonly Interface[];
  readonly machineInterfaces: boolean;
  readonly timeout: number;
  readonly memory: number;
  readonly ignoreStatus?: true;
  readonly output?: string;
}

/** The command line before any word of it is read. */
export function buildCaptureCommand(): Command {
  return new Command("ipt2nft-recent capture")
    .usage("[options] [--] COMMAND…")
    .description("Runs a script that makes a firewall with iptables where it changes nothing, and prints the firewall.")
    .addArgument(offering(new Argument("<COMMAND...>", "the script with its words; options of capture stand in front"), "programs"))
    .passThroughOptions()
    .addOption(
      new Option(
        "--interface <NAME[=ADDRESS/LEN,…]>",
        "an interface that the script finds, beside those of this machine; may be given several times",
      ).argParser(interfaceOf),
    )
    .option("--no-machine-interfaces", "without the interfaces, addresses and routes of this machine")
    .addOption(
      new Option("--timeout <DURATION>", "end the script after so long, such as 90s or 10m")
        .argParser(duration(longestTimeout))
        .default(60, "60s"),
    )
    .addOption(
      new Option("--memory <MB>", "of memory for the files that the script writes").argParser(wholeNumber(16, 65_536)).default(256, "256"),
    )
    .option("--ignore-status", "print the firewall of a script that failed, too")
    .option("-o, --output <FILE>", 'write to FILE, all of it or nothing ("-" is standard output)')
    .addHelpText("after", details);
}

function interfaceOf(word: string, before: readonly Interface[] | undefined): readonly Interface[] {
  const [name = "", list] = word.split(/=(.*)/s);
  if (!isInterfaceName(name)) throw new InvalidArgumentError("an interface has a name of at most 15 letters, digits and _.@+-");
  if (name === "lo") throw new InvalidArgumentError("the interface lo is there anyway");
  if (before?.some((other) => other.name === name) === true) throw new InvalidArgumentError(`the interface "${name}" is given twice`);
  const addresses = (list === undefined || list === "" ? [] : list.split(",")).map((address) => {
    const found = addressWithLength(address);
    if (found === undefined) throw new InvalidArgumentError(`"${address}" is no address such as 192.0.2.1/24 or 2001:db8::1/64`);
    return found;
  });
  return [...(before ?? []), { name, addresses }];
}

/** Reads the words behind `capture`; prints nothing. */
export function parseCaptureWords(words: readonly string[]): Parsed<CaptureSettings> {
  const command = buildCaptureCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { interface: interfaces = [], machineInterfaces, timeout, memory, ignoreStatus, output } = command.opts<RawOptions>();
  if (command.args[0] === "") return usageError("the command has an empty name");
  return {
    settings: {
      command: command.args,
      interfaces,
      ownInterfaces: machineInterfaces,
      timeout,
      megabytes: memory,
      ignoreStatus: ignoreStatus ?? false,
      output: output === "-" ? undefined : output,
      color: undefined,
    },
  };
}
