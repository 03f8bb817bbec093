/** The generated rulesets on the kernel: packets through each under iptables and through its script, fate by fate. */

import { beforeAll, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { differs, toleranceFor } from "../../src/verify/compare.js";
import { describeDifferences } from "../../src/verify/fate.js";
import { replay } from "../../src/verify/lab.js";
import { tcp, udp, type Packet } from "../../src/verify/packet.js";
import { verify, type VerifyReport } from "../../src/verify/verify.js";
import { generatedFiles } from "../generators/all.js";
import { kubeServices, type Service } from "../generators/kube-proxy.js";
import { describeOnKernel } from "./requirements.js";

const files = generatedFiles().map(({ path, text }) => [path.split("/").slice(2).join("/"), text] as const);
const isKubeProxy = (name: string): boolean => name.startsWith("kube-proxy");

/** The chosen endpoint is chance, which no two runs have alike: both firewalls take the endpoints in turn instead. */
function inTurn(dump: string): string {
  return dump.replace(
    /--mode random --probability ([\d.]+)/g,
    (_, share: string) => `--mode nth --every ${Math.round(1 / Number(share))} --packet 0`,
  );
}

/** The firewall's own address, where node ports are asked for. */
const node = "192.0.2.1";
const outside = ["203.0.113.210", "198.51.100.20", "192.0.2.70"];
/** With a route back, and a pod as far as its address says. */
const pod = "198.19.200.9";

/** What clients of a service send: connections enough for every endpoint, from outside and from pods, its own too, and to a wrong port. */
function packetsTo(service: Service, index: number): Packet[] {
  const send = service.protocol === "tcp" ? tcp : udp;
  const doors = [
    [service.address, service.port] as const,
    ...(service.nodePort === undefined ? [] : [[node, service.nodePort] as const, [node, service.nodePort + 1] as const]),
    ...(service.balancer ? [[service.balancer.address, service.port] as const] : []),
  ];
  let sourcePort = 20_000 + 200 * index;
  const ask = (source: string, address: string, port: number): Packet => send(source, address, port, { sourcePort: sourcePort++ });
  const pods = service.endpoints.map((endpoint) => endpoint.split(":")[0]!);
  return [
    ...doors.flatMap(([address, port]) => [
      ...Array.from({ length: pods.length + 2 }, (_, number) => ask(outside[number % outside.length]!, address, port)),
      ask(pod, address, port),
      ask(outside[0]!, address, port + 1),
    ]),
    // In turn, each comes to itself.
    ...pods.flatMap((source) => pods.map(() => ask(source, service.address, service.port))),
  ];
}

describeOnKernel("generated rulesets", () => {
  const played = files.filter(([name]) => !isKubeProxy(name));
  const verified = process.env["CORPUS_LOADS"] === "all" ? played : played.slice(0, 1);
  const reports = new Map<string, VerifyReport>();

  beforeAll(async () => {
    const waiting = [...verified];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [name, text] = next;
        reports.set(name, await verify({ sources: [{ file: name, text }], packets: 1000, budget: 90 }));
      }
    };
    // One ruleset's packets are found while the other's are played.
    await Promise.all([work(), work()]);
  }, 600_000);

  it.each(verified)("%s: packets for every rule meet the same fate", (name) => {
    const report = reports.get(name)!;
    console.log(`${name}: ${report.coverage.hit} of ${report.coverage.rules} rules hit by ${report.packets} packets`);
    expect(report.differences).toEqual([]);
    expect([report.packets > 700, report.coverage.hit > report.coverage.rules / 4]).toEqual([true, true]);
  });

  it.each(files.filter(([name]) => isKubeProxy(name)))(
    "%s: clients of every service reach the same endpoints",
    { timeout: 300_000 },
    async (name, text) => {
      const dump = inTurn(text);
      const { script, iptables } = translate(dump);
      const packets = kubeServices().flatMap(packetsTo);
      const report = await replay({
        dumps: { ipv4: dump },
        script: script!,
        frames: packets.map((packet, index) => ({ at: index * 0.001, packet })),
      });
      const tolerance = toleranceFor(iptables, true);
      const differing = report.outcomes.filter((outcome) => differs(outcome, tolerance));
      const hits = [...report.after.dump.matchAll(/^\[(\d+):\d+\] -A/gm)].map(([, count]) => count !== "0");
      console.log(`${name}: ${hits.filter(Boolean).length} of ${hits.length} rules hit by ${packets.length} packets`);
      expect(differing.length, describeDifferences({ ...report, differing })).toBe(0);
      expect([packets.length > 1000, hits.filter(Boolean).length > hits.length / 2]).toEqual([true, true]);
    },
  );
});
