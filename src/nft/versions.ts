/**
 * Since which version nft and the kernel load what a script of ours may hold.
 *
 * A source that tells only the release by which a thing was there dates it to that release: a version may be later than the
 * true one, never earlier. Where no source was found, it is the version on which the script was measured.
 */

import type { KernelPartName } from "./kernel-parts.js";

export interface Feature {
  /** Within a sentence. */
  readonly name: string;
  readonly nft: string;
  /** Of Linux, as released by kernel.org. */
  readonly kernel: string;
  /** The part of the kernel that has it, where that is a module of its own. */
  readonly part?: KernelPartName;
  /** Where the versions come from; announcements are those of the nftables releases. */
  readonly source: string;
}

const kernelList = "wiki.nftables.org, List of updates since Linux kernel 3.13";
const releaseList = "wiki.nftables.org, List of updates in the nft command line tool";
const meters = "wiki.nftables.org, Meters, revisions of August 2019";

/** Everything beside what every script holds, which is `base`. */
export const features = {
  base: {
    name: "base chains with named priorities",
    nft: "0.9.1",
    kernel: "3.18",
    source: `nftables commit c8a0e8c90e2d (names of priorities); ${kernelList} (deleting a table with what it holds)`,
  },
  inetChain: {
    name: "nat and route chains of both families",
    nft: "0.9.1",
    kernel: "5.2",
    source: "kernel commits d164385ec572 and c1deb065cf3b, 2019, and the nft release after them",
  },
  natChain: { name: "a nat chain beside those of iptables", nft: "0.9.1", kernel: "4.18", part: "nat-chain", source: kernelList },

  // sets
  dynamicSet: {
    name: "sets filled by rules",
    nft: "0.9.1",
    kernel: "4.18",
    source: `${meters} ("flags dynamic"); kernel commit "nft_dynset: do not reject set updates with NFT_SET_EVAL", 12 June 2018`,
  },
  setDeletion: { name: "rules that delete from a set", nft: "0.9.3", kernel: "5.4", source: `changes-nftables-0.9.3; ${kernelList}` },
  setTypeof: {
    name: "sets typed by expressions",
    nft: "0.9.5",
    kernel: "5.7",
    source: `announcement of 0.9.5; kernel of that release by ${releaseList}`,
  },
  setCounter: { name: "counters of a set's elements", nft: "0.9.5", kernel: "5.7", source: `announcement of 0.9.5; ${kernelList}` },
  mapCounter: {
    name: "counters of a map's elements",
    nft: "1.0.6",
    kernel: "5.7",
    source: "measured: nft 0.9.8 refuses it; kernel as for counters of a set's elements",
  },
  elementExpiry: {
    name: "elements with the time they have left",
    nft: "0.9.2",
    kernel: "5.3",
    source:
      "changes-nftables-0.9.2 (enable set expiration date for set elements); kernel commit 79ebb5bb4e38, 2019, and the release after it",
  },
  concatenation: { name: "concatenations", nft: "0.9.1", kernel: "4.1", source: `announcement of 0.5; ${kernelList}` },
  concatenatedIntervals: {
    name: "intervals within concatenations",
    nft: "0.9.5",
    kernel: "5.6",
    source: `announcement of 0.9.5; ${kernelList}`,
  },
  boxes: {
    name: "counted intervals within concatenations",
    nft: "1.0.6",
    kernel: "5.7",
    source: "measured: nft 0.9.8 ends with a segmentation fault when it lists them; kernel as for counters of a set's elements",
  },
  connectionCount: {
    name: "ct count in a set",
    nft: "0.9.1",
    kernel: "4.18",
    part: "connlimit",
    source: `announcement of 0.9.0; ${kernelList}`,
  },
  lengthlessKey: {
    name: "a TTL in a concatenation",
    nft: "1.0.6",
    kernel: "4.1",
    source: "measured: nft 0.9.8 refuses it; kernel as for concatenations",
  },
  setComment: {
    name: "comments of sets",
    nft: "0.9.7",
    kernel: "4.6",
    source: 'changes-nftables-0.9.7; kernel commit "Add new attributes into nft_set to store user data", 5 January 2016',
  },
  ruleComment: { name: "comments of a rule", nft: "0.9.1", kernel: "3.15", source: kernelList },

  // expressions
  conntrack: { name: "ct", nft: "0.9.1", kernel: "3.13", part: "conntrack", source: kernelList },
  conntrackAddress: {
    name: "addresses of a connection",
    nft: "0.9.2",
    kernel: "4.18",
    source: `changes-nftables-0.9.2 (lengths of ip and ip6 keys); ${releaseList}`,
  },
  conntrackValue: { name: "zone, bytes and packets of a connection", nft: "0.9.1", kernel: "4.14", source: "announcement of 0.8" },
  conntrackLabel: { name: "ct label", nft: "0.9.1", kernel: "4.14", source: "announcement of 0.8" },
  controlGroup: { name: "meta cgroup", nft: "0.9.1", kernel: "4.2", source: "announcement of 0.5" },
  deviceOrProcessor: { name: "device groups, processors and packet types", nft: "0.9.1", kernel: "3.18", source: kernelList },
  bridgeName: { name: "names of bridges", nft: "0.9.1", kernel: "4.18", source: "announcement of 0.8.4, before Linux 4.18" },
  existence: { name: "tests for the existence of a header", nft: "0.9.1", kernel: "4.14", source: "announcement of 0.8" },
  fib: { name: "fib", nft: "0.9.1", kernel: "4.10", part: "fib", source: `announcement of 0.7; ${kernelList}` },
  generator: { name: "numgen", nft: "0.9.1", kernel: "4.10", part: "numgen", source: "announcement of 0.7" },
  hash: { name: "jhash", nft: "0.9.1", kernel: "4.10", part: "hash", source: "announcement of 0.7" },
  innerHeader: { name: "payload behind the transport header", nft: "1.0.6", kernel: "6.18", source: "measured" },
  transportOfAny: { name: "ports of any protocol", nft: "0.9.2", kernel: "5.3", source: `changes-nftables-0.9.2; ${kernelList}` },
  invertedLookup: { name: "values outside of a set", nft: "0.9.1", kernel: "4.8", source: "kernel commit 0071e184a535, 23 June 2016" },
  invertedRange: {
    name: "values outside of a range",
    nft: "0.9.1",
    kernel: "4.9",
    source: "kernel commit 0f3cd9b36977, 23 September 2016",
  },
  rangeOfOne: { name: "a range of one value", nft: "1.0.6", kernel: "4.9", source: "measured: nft 0.9.8 refuses it; kernel as for ranges" },
  ipsec: { name: "ipsec", nft: "0.9.1", kernel: "5.0", part: "ipsec", source: `announcement of 0.9.1; ${kernelList}` },
  ipsecPolicy: { name: "meta ipsec", nft: "0.9.1", kernel: "4.16", source: "announcements of 0.8.2 (February 2018) and 0.9.1" },
  osf: { name: "osf", nft: "0.9.1", kernel: "5.2", part: "osf", source: "announcement of 0.9.1" },
  routeClass: { name: "rt classid", nft: "0.9.1", kernel: "4.10", source: kernelList },
  routeMtu: { name: "rt mtu", nft: "0.9.1", kernel: "4.14", source: `wiki.nftables.org, Mangling packet headers; ${kernelList}` },
  sctpChunk: {
    name: "sctp chunk",
    nft: "1.0.0",
    kernel: "5.14",
    source: 'kernel commit "nft_exthdr: Support SCTP chunks", 28 May 2021, and the nft release after it',
  },
  segmentRouting: { name: "the segment routing header", nft: "0.9.1", kernel: "4.18", source: "announcement of 0.8.4, before Linux 4.18" },
  shift: {
    name: "shifts",
    nft: "0.9.4",
    kernel: "5.6",
    source: `kernel commit "bitwise: add support for shifts", 16 January 2020; ${releaseList}`,
  },
  socket: { name: "socket transparent", nft: "0.9.1", kernel: "4.18", part: "socket", source: `announcement of 0.9.0; ${releaseList}` },
  socketMark: {
    name: "socket mark",
    nft: "0.9.1",
    kernel: "4.19",
    part: "socket",
    source: 'kernel commit "nft_socket: Expose socket mark", 18 July 2018, and the nft release after it',
  },
  socketWildcard: {
    name: "socket wildcard",
    nft: "0.9.7",
    kernel: "5.10",
    part: "socket",
    source: "changes-nftables-0.9.7; kernel commit 67407a406db3, 29 August 2020",
  },
  socketGroup: {
    name: "socket cgroupv2",
    nft: "1.0.0",
    kernel: "5.13",
    part: "socket",
    source: "kernel commit e0bb96db96f8, 26 April 2021",
  },
  tcpOption: { name: "TCP options", nft: "0.9.1", kernel: "4.14", source: "announcement of 0.8" },
  tcpOptionByNumber: { name: "TCP options by number", nft: "0.9.8", kernel: "4.14", source: "changes-nftables-0.9.8; announcement of 0.8" },
  time: { name: "meta time, day and hour", nft: "0.9.3", kernel: "5.4", source: `changes-nftables-0.9.3; ${kernelList}` },

  // statements
  auditLog: { name: "log level audit", nft: "0.9.1", kernel: "4.18", part: "log", source: `announcement of 0.9.0; ${kernelList}` },
  duplicate: { name: "dup", nft: "0.9.1", kernel: "4.3", part: "dup", source: kernelList },
  headerChange: { name: "changes of header fields", nft: "0.9.1", kernel: "4.10", source: "wiki.nftables.org, Mangling packet headers" },
  helper: { name: "ct helper", nft: "0.9.1", kernel: "4.14", part: "ct-helper", source: "announcement of 0.8" },
  conntrackObject: {
    name: "ct timeout and ct expectation",
    nft: "0.9.2",
    kernel: "5.3",
    source: 'kernel commit "nft_ct: add ct expectations support", 17 June 2019, and the nft release after it',
  },
  zeroBurst: {
    name: "a limit of bytes without a burst",
    nft: "1.0.6",
    kernel: "4.3",
    source: "measured: nft 0.9.8 refuses it; kernel as for limits",
  },
  logging: { name: "log", nft: "0.9.1", kernel: "3.17", part: "log", source: kernelList },
  masquerade: { name: "masquerade", nft: "0.9.1", kernel: "3.18", part: "masquerade", source: kernelList },
  nat: { name: "snat and dnat", nft: "0.9.1", kernel: "3.13", part: "nat", source: kernelList },
  networkMap: {
    name: "network address mapping",
    nft: "0.9.5",
    kernel: "5.8",
    source: "changes-nftables-0.9.5; kernel commit 3ff7ddb1353d, 28 April 2020",
  },
  translationMap: {
    name: "new addresses and ports from a map",
    nft: "0.9.8",
    kernel: "4.1",
    source: "measured on nft 0.9.8; kernel as for concatenations",
  },
  valueMap: {
    name: "marks and classes from a map",
    nft: "0.9.8",
    kernel: "4.1",
    source: "measured on nft 0.9.8; kernel as for concatenations",
  },
  notrack: { name: "notrack", nft: "0.9.1", kernel: "4.10", part: "conntrack", source: kernelList },
  queue: { name: "queue", nft: "0.9.1", kernel: "3.14", part: "queue", source: kernelList },
  quota: { name: "quota", nft: "0.9.1", kernel: "4.10", part: "quota", source: "announcement of 0.7" },
  limit: { name: "limits with a burst, or of bytes", nft: "0.9.1", kernel: "4.3", part: "limit", source: kernelList },
  redirect: { name: "redirect", nft: "0.9.1", kernel: "3.18", part: "redirect", source: kernelList },
  reject: { name: "reject", nft: "0.9.1", kernel: "3.18", part: "reject", source: kernelList },
  segmentSize: { name: "changes of TCP options", nft: "0.9.1", kernel: "4.14", source: `announcement of 0.8; ${kernelList}` },
  synproxy: { name: "synproxy", nft: "0.9.2", kernel: "5.3", part: "synproxy", source: `changes-nftables-0.9.2; ${kernelList}` },
  tcpOptionRemoval: {
    name: "reset tcp option",
    nft: "1.0.3",
    kernel: "5.18",
    source: 'kernel commit "exthdr: add support for tcp option removal", 4 February 2022, and the first nft release that is surely later',
  },
  tproxy: { name: "tproxy", nft: "0.9.1", kernel: "4.19", part: "tproxy", source: kernelList },

  /** What no source was looked up for. */
  other: { name: "a statement that was measured only", nft: "1.0.6", kernel: "6.18", source: "measured" },
} as const satisfies Record<string, Feature>;

export type FeatureName = keyof typeof features;

/** No script of ours loads into an older nft. */
export const oldestNft = features.base.nft;

/** Whether a text is a version that `isOlder` can compare: two or three numbers. */
export function isVersion(text: string): boolean {
  return /^[0-9]{1,4}(\.[0-9]{1,4}){1,2}$/.test(text);
}

export function isOlder(version: string, than: string): boolean {
  const [ours, theirs] = [version, than].map((text) => text.split(".").map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (ours?.[part] ?? 0) - (theirs?.[part] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Whether a script for this nft may hold it; without a version, it may. */
export function isLoadable(feature: FeatureName, targetNft: string | undefined): boolean {
  return targetNft === undefined || !isOlder(targetNft, features[feature].nft);
}
