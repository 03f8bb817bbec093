/**
 * The first that runs of the single executable, which `build-single.js` makes: as `start.ts`, but Node.js is in the same file, and so are
 * the parts. Nothing is unpacked. Node.js takes none of the words of the command line for itself there.
 */

import { getAsset, getRawAsset } from "node:sea";
import { ownSender, ownSenderWord } from "../verify/own-packets.js";
import { valueOfScript } from "./compiled-script.js";
import { writeFully } from "./stream.js";
import { isSubcommand } from "./subcommands.js";

type Load = (name: string) => unknown;
/** It knows the modules of Node.js and no files. */
const requireOfNode: Load = require;
type Part = (load: Load, module: { exports: unknown }) => void;

/** Bytes of the file itself, which nobody may write to. */
function bytesOf(name: string): Buffer {
  return Buffer.from(getRawAsset(name) as ArrayBuffer);
}

function run(text: string, name: string, compiled?: Uint8Array): unknown {
  const module = { exports: {} };
  (valueOfScript(text, name, compiled) as Part)(load, module);
  return module.exports;
}

const loaded = new Map<string, unknown>();

/** What a module of Node.js exports, or a part. */
function load(name: string): unknown {
  const [, part] = /^\.\/parts\/(.+)$/.exec(name) ?? [];
  if (part === undefined) return requireOfNode(name);
  // The build writes ASCII only.
  if (!loaded.has(part)) loaded.set(part, run(bytesOf(part).toString("latin1"), part, compiledOf(part)));
  return loaded.get(part);
}

const translation = "translate.cjs";

function compiledOf(part: string): Uint8Array | undefined {
  return part === translation ? bytesOf(`${part}.compiled`) : undefined;
}

async function printLicenses(): Promise<void> {
  try {
    await writeFully(1, getAsset("third-party-licenses.txt", "utf8"));
  } catch (error) {
    await writeFully(2, `ipt2nft-recent: error: ${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}

const [, , first, ...rest] = process.argv;
if (first === "--licenses" && rest.length === 0) void printLicenses();
else if (first === ownSenderWord && rest.length === 0) run(`(function(require){${ownSender}})`, "own-packets");
else load(`./parts/${isSubcommand(first) ? "main.cjs" : translation}`);
