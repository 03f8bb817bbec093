/** The examples of the playground. */

import knocking from "../../corpus/idiom/port-knocking-one-shot/rules.v4?raw";
import throttle from "../../corpus/idiom/ssh-throttle-set-then-update/rules.v4?raw";
import exceptions from "../../corpus/ipset/network-with-exceptions/rules.v4?raw";
import exceptionSets from "../../corpus/ipset/network-with-exceptions/sets.ipset?raw";
import serverIpv6 from "../../corpus/machine/small-server/rules.v6?raw";
import server from "../../corpus/machine/small-server/rules.v4?raw";
import blocked from "../../corpus/optimize/block-list/rules.v4?raw";
import loosened from "../../examples/changes/loosened/rules.v4?raw";
import repository from "../../examples/repository/rules.v4?raw";
import { emptyState, type PlaygroundState } from "./state.js";

interface Example {
  readonly title: string;
  readonly state: PlaygroundState;
}

function example(title: string, texts: Partial<PlaygroundState["texts"]>, more: Partial<PlaygroundState> = {}): Example {
  return { title, state: { ...emptyState, ...more, texts: { ...emptyState.texts, ...texts } } };
}

/** The first is shown at the start. */
export const examples: readonly Example[] = [
  example("A small server that keeps scanners out", { rules: server }),
  example("SSH throttle, exact", { rules: throttle }),
  example("SSH throttle, short form", { rules: throttle }, { options: { recent: "ban" } }),
  example("SSH throttle as a limit, which differs", { rules: throttle }, { options: { recent: "limit" } }),
  example("Port knocking", { rules: knocking }),
  example("Both families in one table", { rules: server, second: serverIpv6 }, { options: { inet: true } }),
  example("Sets of ipset", { rules: exceptions, sets: exceptionSets }),
  example("A long list of addresses, as one look-up", { rules: blocked }, { options: { optimize: true } }),
  example("A change to review", { rules: loosened, before: repository }, { view: "review" }),
];
