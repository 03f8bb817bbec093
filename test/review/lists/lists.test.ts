import { describe, expect, it } from "vitest";
import { dump, review } from "../dumps.js";

const ssh = "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW";
const set = `${ssh} -m recent --set --name x`;
const check = (options: string, action = "-j DROP"): string => `${ssh} -m recent ${options} --name x ${action}`;

const sentence = (...rules: string[]): string | undefined => review(dump(...rules)).lists[0]?.sentence;

describe("a list in words", () => {
  it.each<[rules: string[], words: string]>([
    [[set, check("--update --seconds 60 --hitcount 4")], 'SSH (list "x"): 4 hits in 60 s from one address are dropped'],
    [
      [set, check("--rcheck --seconds 60", "-j REJECT")],
      'SSH (list "x"): packets from one address that was seen in the last 60 s are rejected',
    ],
    [[set, check("--rcheck", "-j ACCEPT")], 'SSH (list "x"): packets from one address that was seen before are let through'],
    [
      [set, check("--update --seconds 60 --hitcount 4", "-j LOG"), check("--update --seconds 60 --hitcount 4")],
      'SSH (list "x"): 4 hits in 60 s from one address are logged and dropped',
    ],
    [
      [set, `${ssh} -m recent ! --rcheck --seconds 60 --hitcount 4 --name x -j ACCEPT`],
      'SSH (list "x"): packets from one address without 4 hits in 60 s are let through',
    ],
    [
      [set, check("--update --seconds 60 --hitcount 4", "-j BAN"), "-A BAN -j DROP"],
      'SSH (list "x"): 4 hits in 60 s from one address are stopped',
    ],
    [
      [set, check("--update --seconds 60 --hitcount 4", "-j SEE"), "-A SEE -j LOG"],
      'SSH (list "x"): 4 hits in 60 s from one address are sent to chain "SEE"',
    ],
    [
      [`${set} --mask 255.255.255.0`, check("--update --seconds 60 --hitcount 4")],
      'SSH (list "x"): 4 hits in 60 s from one /24 network are dropped',
    ],
    [[`${set} --rdest`, check("--update --seconds 60 --hitcount 4 --rdest")], 'SSH (list "x"): 4 hits in 60 s to one address are dropped'],
    [[set], 'SSH (list "x"): hosts are recorded, and nothing asks for them'],
    [
      ["-A INPUT -m recent --rcheck --name x -j DROP"],
      'List "x": packets from one address that was seen before are dropped; no rule records hosts on it',
    ],
    [
      [
        "-A INPUT -p tcp --dport 22 -j LOGIN",
        "-A LOGIN -m recent --set --name x",
        "-A LOGIN -m recent --update --seconds 60 --hitcount 4 --name x -j DROP",
      ],
      'SSH (list "x"): 4 hits in 60 s from one address are dropped',
    ],
    [
      ["-A INPUT -m recent --set --name x", "-A INPUT -m recent --update --seconds 60 --hitcount 4 --name x -j DROP"],
      'List "x": 4 hits in 60 s from one address are dropped',
    ],
  ])("%j", (rules, words) => {
    expect(sentence(...rules)).toBe(words);
  });
});

describe("a change of a list", () => {
  const window = (seconds: number, hits: number): string[] => [set, check(`--update --seconds ${seconds} --hitcount ${hits}`)];
  const late = (seconds: number, hits: number): string[] => [check(`--update --seconds ${seconds} --hitcount ${hits}`), set];

  it.each<[before: string[], after: string[], direction: string, words: string]>([
    [
      window(60, 4),
      window(10, 4),
      "opens",
      "window shortened from 60 s to 10 s, so an attacker gets 6 times the attempts (3 in 60 s before, 3 in 10 s now)",
    ],
    [
      window(10, 4),
      window(60, 4),
      "closes",
      "window lengthened from 10 s to 60 s, so an attacker gets 17 % of the attempts (3 in 10 s before, 3 in 60 s now)",
    ],
    [
      window(60, 4),
      window(60, 7),
      "opens",
      "hit count raised from 4 to 7, so an attacker gets 2 times the attempts (3 in 60 s before, 6 in 60 s now)",
    ],
    [
      window(60, 4),
      window(120, 7),
      "both",
      "window lengthened from 60 s to 120 s, hit count raised from 4 to 7, so an attacker gets as many attempts in the long run, in other bursts (3 in 60 s before, 6 in 120 s now)",
    ],
    [
      window(60, 4),
      late(60, 4),
      "opens",
      "a packet's own hit no longer counts, so an attacker gets 1.3 times the attempts (3 in 60 s before, 4 in 60 s now)",
    ],
    [window(60, 4), [set, check("--rcheck --seconds 60 --hitcount 4")], "opens", expect.stringContaining("let in again") as string],
    [
      window(60, 4),
      [set, check("--update --seconds 60 --hitcount 4", "-j LOG")],
      "opens",
      "a match stopped packets before and decided nothing by itself now",
    ],
    [
      [check("--update --seconds 60 --hitcount 4"), set],
      [check("--update --seconds 60 --hitcount 4 --rttl"), set],
      "opens",
      expect.stringContaining("--rttl") as string,
    ],
    [
      window(60, 4),
      [check("--update --seconds 60 --hitcount 4")],
      "opens",
      "no rule records hosts on it any more, so its checks never match",
    ],
    [window(60, 4), [set], "opens", "no rule asks for it any more"],
    [
      [check("--rcheck --seconds 60", "-j ACCEPT"), set, "-A INPUT -j DROP"],
      [check("--rcheck --seconds 600", "-j ACCEPT"), set, "-A INPUT -j DROP"],
      "opens",
      "window lengthened from 60 s to 600 s",
    ],
  ])("%j to %j", (before, after, direction, words) => {
    const [list] = review(dump(...after), dump(...before)).lists;
    expect({ status: list?.status, direction: list?.direction, change: list?.change }).toEqual({
      status: "changed",
      direction,
      change: words,
    });
  });

  it("is a finding when it lets more through", () => {
    const { findings } = review(dump(...window(10, 4)), dump(...window(60, 4)));
    expect(findings.filter(({ severity }) => severity === "warning").map(({ code, span }) => [code, span.line])).toContainEqual([
      "list-opens",
      6,
    ]);
  });

  it("is none but in name where only that is another", () => {
    const { lists, changes, opens, closes } = review(
      dump(...window(60, 4).map((rule) => rule.replace("--name x", "--name y"))),
      dump(...window(60, 4)),
    );
    expect({ changes, opens, closes }).toEqual({ changes: [], opens: [], closes: [] });
    expect(lists).toMatchObject([{ name: "y", status: "changed", change: 'called "x" before; it begins empty', direction: "neither" }]);
  });

  it("is told of lists that come and go", () => {
    const { lists } = review(dump(...window(10, 4).map((rule) => rule.replace("--name x", "--name y"))), dump(...window(60, 4)));
    expect(lists.map(({ name, status }) => [name, status])).toEqual([
      ["y", "added"],
      ["x", "removed"],
    ]);
  });
});

describe("the form of a list", () => {
  it("is exact, or what the translator says", () => {
    const rules = dump(set, check("--update --seconds 60 --hitcount 4"));
    expect(review(rules).lists[0]?.form).toBe("exact");
    expect(review(rules, undefined, { options: { recent: "limit" } }).lists[0]?.form).toMatch(/^approximated: written as a limit/);
  });

  it("comes with what a search found", () => {
    const rules = dump(set, check("--update --seconds 60 --hitcount 4"));
    const exact = review(rules, undefined, { search: { schedules: 200 } });
    expect(exact.lists[0]?.searched).toMatch(/^no difference in \d+ schedules/);
    const limit = review(rules, undefined, { options: { recent: "limit" }, search: { schedules: 2_000 } });
    expect(limit.lists[0]?.searched).toMatch(/^a difference found/);
    expect(limit.findings.find(({ code }) => code === "recent-limit-form")?.timeline?.events.length).toBeGreaterThan(0);
    expect(limit.findings.map(({ code }) => code)).not.toContain("difference-found");
  });
});

describe("a limit that a sender gets round by changing the TTL", () => {
  const evaded = (...rules: readonly string[]): boolean => review(dump(...rules)).findings.some(({ code }) => code === "rttl-evaded");
  const limit = check("--update --seconds 60 --hitcount 4 --rttl");

  it("is none where the packet's own hit has just been recorded with its TTL", () => {
    expect(evaded(set, limit)).toBe(false);
  });

  it("is one where the hit is recorded later, or of other packets", () => {
    expect(evaded(limit, set)).toBe(true);
    expect(evaded(set.replace("-m recent", "-s 192.0.2.0/24 -m recent"), limit)).toBe(true);
  });
});
