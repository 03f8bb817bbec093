/** `--check`: what nft and this kernel say about the script, in a network namespace of its own. */

import { Failure } from "../../../failure.js";
import type { NftTable } from "../../../nft/ast.js";
import { emit } from "../../../nft/emit.js";
import { dispensableParts, modulesOf, sampleOf, type KernelPartName } from "../../../nft/kernel-parts.js";
import { kernelPartsOf } from "../../../nft/requirements.js";

/** Seconds: more than the largest script takes. */
const patience = 300;

/** Bytes. */
const mostOutput = 16 * 1024 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/** What nft said; nothing where it accepts the script. */
type Complaint = { readonly status: string; readonly said: string } | undefined;

/** A network namespace that ends with nft: made with the rights that there are, or with those of a user namespace. */
const ways: readonly (readonly string[])[] = [["--net"], ["--user", "--map-root-user", "--net"]];

/**
 * Gives the script to `nft -c -f -`, which loads nothing, and never sees the machine's own firewall. Throws a Failure if nft cannot be
 * asked or refuses the script, with the parts that the kernel lacks.
 */
export async function checkScript(text: string, tables: readonly NftTable[], environment: Environment): Promise<void> {
  const complaint = await ask(text, environment);
  if (complaint === undefined) return;
  if (complaint.said.includes("Message too long")) {
    throw new Failure("--check cannot ask nft: without root's rights the kernel takes no script of this length at once; run it as root");
  }
  const lacking = await lackingParts(tables, environment);
  if (lacking.length === 0) throw new Failure(`nft does not accept the script (${complaint.status}):\n${complaint.said}`);
  const names = lacking.map(({ part, modules }) => `${part} (${modules.join(", ")})`).join("; ");
  const dispensable = lacking.map(({ part }) => part).filter((part) => dispensableParts.includes(part));
  const remedy =
    dispensable.length === 0
      ? ""
      : `\n--without ${dispensable.join(",")} makes a script without: it refuses the rules that need that, and says what it opens`;
  throw new Failure(`this kernel lacks what the script needs: ${names}${remedy}\n${complaint.said}`);
}

interface Lacking {
  readonly part: KernelPartName;
  readonly modules: readonly string[];
}

async function lackingParts(tables: readonly NftTable[], environment: Environment): Promise<readonly Lacking[]> {
  const found = new Map<KernelPartName, readonly string[]>();
  for (const table of tables) {
    for (const part of kernelPartsOf(table)) {
      if (!found.has(part) && (await ask(emit(sampleOf(part, table.family, table.helpers)), environment)) !== undefined) {
        found.set(part, modulesOf(part, table.family, table.helpers));
      }
    }
  }
  return [...found].map(([part, modules]) => ({ part, modules }));
}

async function ask(text: string, environment: Environment): Promise<Complaint> {
  // Loaded when asked for: translating must start fast.
  const { runProgram } = await import("../../../run-program.js");
  let refusal = "";
  for (const way of ways) {
    const outcome = await runProgram({
      program: "unshare",
      arguments: [...way, "nft", "-c", "-f", "-"],
      searchPath: environment["PATH"] ?? "",
      input: text,
      seconds: patience,
      mostOutput,
    });
    if (outcome.kind === "missing") throw new Failure("--check needs the program unshare (util-linux), which is not installed here");
    const said = `${outcome.stdout.toString("utf8")}${outcome.stderr.toString("utf8")}`.trimEnd();
    if (outcome.kind === "stopped") throw new Failure(`--check cannot run nft: ${outcome.reason}${said === "" ? "" : `\n${said}`}`);
    if (outcome.status === 0) return undefined;
    if (/^unshare: failed to execute nft\b/m.test(said)) throw new Failure("--check needs the program nft, which is not installed here");
    if (!/^unshare: /m.test(said)) {
      return { status: outcome.status === null ? `ended by ${outcome.signal}` : `exit status ${outcome.status}`, said };
    }
    refusal = said;
  }
  throw new Failure(
    `--check cannot ask nft: it takes a network namespace of its own, as root or where user namespaces are allowed:\n${refusal}`,
  );
}
