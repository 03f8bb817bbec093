/** Reading the dumps. */

import { readFileSync } from "node:fs";
import type { Family } from "../iptables/ast.js";
import type { JsonMessage } from "../report/json.js";
import type { Source } from "../translate.js";
import { Failure, systemReason } from "./failure.js";

/** How standard input is called in diagnostics. */
export const standardInputName = "<stdin>";

interface Input {
  readInput(): Promise<Uint8Array>;
  inputIsTerminal(): Promise<boolean>;
  writeError(text: string): Promise<void>;
}

/** Reads the files in order, `-` being standard input; no file at all means standard input too. Throws a Failure. */
export async function readSources(
  files: readonly string[],
  family: Family | undefined,
  messages: JsonMessage[],
  input: Input,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of files.length === 0 ? ["-"] : files) {
    const file = name === "-" ? standardInputName : name;
    const bytes = name === "-" ? await readInput(input) : readFile(name);
    const { text, encoding } = decode(bytes);
    if (encoding === "latin1") {
      messages.push({ severity: "note", message: `${file} is not valid UTF-8 and was read as ISO 8859-1` });
    }
    sources.push(family ? { file, text, family } : { file, text });
  }
  return sources;
}

async function readInput(input: Input): Promise<Uint8Array> {
  if (await input.inputIsTerminal()) {
    await input.writeError("ipt2nft-recent: reading an iptables-save dump from the terminal; Ctrl-D ends it, --help says more\n");
  }
  return input.readInput();
}

function readFile(name: string): Uint8Array {
  try {
    return readFileSync(name);
  } catch (error) {
    throw new Failure(`${JSON.stringify(name)} cannot be read: ${systemReason(error)}`);
  }
}

/**
 * Decodes UTF-8, without its byte order mark. Bytes that are no UTF-8 have no declared encoding (comments come from any
 * editor): ISO 8859-1 gives every byte a character of its own, so that nothing is lost.
 */
export function decode(bytes: Uint8Array): { text: string; encoding: "utf8" | "latin1" } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf8" };
  } catch {
    return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"), encoding: "latin1" };
  }
}
