/** All extensions, in one list each, sorted by file name. */

import type { MatchExtension, TargetExtension } from "./extension.js";
import { addrtype } from "./matches/addrtype.js";
import { ah } from "./matches/ah.js";
import { bpf } from "./matches/bpf.js";
import { cgroup } from "./matches/cgroup.js";
import { cluster } from "./matches/cluster.js";
import { comment } from "./matches/comment.js";
import { connbytes } from "./matches/connbytes.js";
import { connlabel } from "./matches/connlabel.js";
import { connlimit } from "./matches/connlimit.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { cpu } from "./matches/cpu.js";
import { dccp } from "./matches/dccp.js";
import { devgroup } from "./matches/devgroup.js";
import { dscp } from "./matches/dscp.js";
import { dst } from "./matches/dst.js";
import { ecn } from "./matches/ecn.js";
import { esp } from "./matches/esp.js";
import { eui64 } from "./matches/eui64.js";
import { frag } from "./matches/frag.js";
import { geoip } from "./matches/geoip.js";
import { hashlimit } from "./matches/hashlimit.js";
import { hbh } from "./matches/hbh.js";
import { helper } from "./matches/helper.js";
import { hl } from "./matches/hl.js";
import { icmp } from "./matches/icmp.js";
import { icmp6 } from "./matches/icmp6.js";
import { ipcomp } from "./matches/ipcomp.js";
import { iprange } from "./matches/iprange.js";
import { ipv6header } from "./matches/ipv6header.js";
import { ipvs } from "./matches/ipvs.js";
import { l2tp } from "./matches/l2tp.js";
import { length } from "./matches/length.js";
import { limit } from "./matches/limit.js";
import { mac } from "./matches/mac.js";
import { mark } from "./matches/mark.js";
import { mh } from "./matches/mh.js";
import { multiport } from "./matches/multiport.js";
import { nfacct } from "./matches/nfacct.js";
import { osf } from "./matches/osf.js";
import { owner } from "./matches/owner.js";
import { physdev } from "./matches/physdev.js";
import { pkttype } from "./matches/pkttype.js";
import { policy } from "./matches/policy.js";
import { quota } from "./matches/quota.js";
import { rateest } from "./matches/rateest.js";
import { realm } from "./matches/realm.js";
import { recent } from "./matches/recent.js";
import { rpfilter } from "./matches/rpfilter.js";
import { rt } from "./matches/rt.js";
import { sctp } from "./matches/sctp.js";
import { setMatch } from "./matches/set.js";
import { socket } from "./matches/socket.js";
import { srh } from "./matches/srh.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { stringMatch } from "./matches/string.js";
import { tcp } from "./matches/tcp.js";
import { tcpmss } from "./matches/tcpmss.js";
import { time } from "./matches/time.js";
import { tos } from "./matches/tos.js";
import { ttl } from "./matches/ttl.js";
import { u32 } from "./matches/u32.js";
import { udp } from "./matches/udp.js";
import { unavailableMatches } from "./matches/unavailable.js";
import { acceptTarget } from "./targets/accept.js";
import { auditTarget } from "./targets/audit.js";
import { checksumTarget } from "./targets/checksum.js";
import { classifyTarget } from "./targets/classify.js";
import { clusteripTarget } from "./targets/clusterip.js";
import { connmarkTarget } from "./targets/connmark.js";
import { connsecmarkTarget } from "./targets/connsecmark.js";
import { ctTarget } from "./targets/ct.js";
import { dnatTarget } from "./targets/dnat.js";
import { dnptTarget } from "./targets/dnpt.js";
import { dropTarget } from "./targets/drop.js";
import { dscpTarget } from "./targets/dscp.js";
import { ecnTarget } from "./targets/ecn.js";
import { hlTarget } from "./targets/hl.js";
import { hmarkTarget } from "./targets/hmark.js";
import { idletimerTarget } from "./targets/idletimer.js";
import { ledTarget } from "./targets/led.js";
import { logTarget } from "./targets/log.js";
import { markTarget } from "./targets/mark.js";
import { masqueradeTarget } from "./targets/masquerade.js";
import { netmapTarget } from "./targets/netmap.js";
import { nflogTarget } from "./targets/nflog.js";
import { nfqueueTarget } from "./targets/nfqueue.js";
import { notrackTarget } from "./targets/notrack.js";
import { queueTarget } from "./targets/queue.js";
import { rateestTarget } from "./targets/rateest.js";
import { redirectTarget } from "./targets/redirect.js";
import { rejectTarget } from "./targets/reject.js";
import { returnTarget } from "./targets/return.js";
import { secmarkTarget } from "./targets/secmark.js";
import { setTarget } from "./targets/set.js";
import { snatTarget } from "./targets/snat.js";
import { snptTarget } from "./targets/snpt.js";
import { synproxyTarget } from "./targets/synproxy.js";
import { tcpmssTarget } from "./targets/tcpmss.js";
import { tcpoptstripTarget } from "./targets/tcpoptstrip.js";
import { teeTarget } from "./targets/tee.js";
import { tosTarget } from "./targets/tos.js";
import { tproxyTarget } from "./targets/tproxy.js";
import { traceTarget } from "./targets/trace.js";
import { ttlTarget } from "./targets/ttl.js";
import { unavailableTargets } from "./targets/unavailable.js";

export const matches: readonly MatchExtension[] = [
  addrtype,
  ah,
  bpf,
  cgroup,
  cluster,
  comment,
  connbytes,
  connlabel,
  connlimit,
  connmark,
  conntrack,
  cpu,
  dccp,
  devgroup,
  dscp,
  dst,
  ecn,
  esp,
  eui64,
  frag,
  geoip,
  hashlimit,
  hbh,
  helper,
  hl,
  icmp,
  icmp6,
  ipcomp,
  iprange,
  ipv6header,
  ipvs,
  l2tp,
  length,
  limit,
  mac,
  mark,
  mh,
  multiport,
  nfacct,
  osf,
  owner,
  physdev,
  pkttype,
  policy,
  quota,
  rateest,
  realm,
  recent,
  rpfilter,
  rt,
  sctp,
  setMatch,
  socket,
  srh,
  state,
  statistic,
  stringMatch,
  tcp,
  tcpmss,
  time,
  tos,
  ttl,
  u32,
  udp,
  ...unavailableMatches,
];

export const targets: readonly TargetExtension[] = [
  acceptTarget,
  auditTarget,
  checksumTarget,
  classifyTarget,
  clusteripTarget,
  connmarkTarget,
  connsecmarkTarget,
  ctTarget,
  dnatTarget,
  dnptTarget,
  dropTarget,
  dscpTarget,
  ecnTarget,
  hlTarget,
  hmarkTarget,
  idletimerTarget,
  ledTarget,
  logTarget,
  markTarget,
  masqueradeTarget,
  netmapTarget,
  nflogTarget,
  nfqueueTarget,
  notrackTarget,
  queueTarget,
  rateestTarget,
  redirectTarget,
  rejectTarget,
  returnTarget,
  secmarkTarget,
  setTarget,
  snatTarget,
  snptTarget,
  synproxyTarget,
  tcpmssTarget,
  tcpoptstripTarget,
  teeTarget,
  tosTarget,
  tproxyTarget,
  traceTarget,
  ttlTarget,
  ...unavailableTargets,
];

function byName<Extension extends { readonly name: string; readonly aliases?: readonly string[] }>(
  list: readonly Extension[],
): ReadonlyMap<string, Extension> {
  return new Map(list.flatMap((extension) => [extension.name, ...(extension.aliases ?? [])].map((name) => [name, extension] as const)));
}

const matchesByName = byName(matches);
const targetsByName = byName(targets);

export function findMatch(name: string): MatchExtension | undefined {
  return matchesByName.get(name);
}

export function findTarget(name: string): TargetExtension | undefined {
  return targetsByName.get(name);
}

/** Names of all matches that can be written. */
export const matchNames: readonly string[] = [...matchesByName.keys()];
export const targetNames: readonly string[] = [...targetsByName.keys()];

/** Full names of the options of all extensions, with the extensions that have them as they are written: `-m multiport`. */
export const optionOwners: ReadonlyMap<string, readonly string[]> = ownersOf([
  ...matches.map((extension) => [extension, `-m ${extension.name}`] as const),
  ...targets.map((extension) => [extension, `-j ${extension.name}`] as const),
]);

function ownersOf(all: readonly (readonly [MatchExtension | TargetExtension, string])[]): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const [{ options = {} }, written] of all) {
    for (const name of Object.entries(options).flatMap(([full, { aliases = [] }]) => [full, ...aliases])) {
      owners.set(name, [...(owners.get(name) ?? []), written]);
    }
  }
  return owners;
}

/** As they are written: `--seconds`. */
export const optionNames: readonly string[] = [...optionOwners.keys()].map((name) => `--${name}`);
