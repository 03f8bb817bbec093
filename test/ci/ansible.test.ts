/** The Ansible collection as it is released: its package, its documents, and what ansible-lint says of it. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { blocksOf, pageText } from "../docs/pages.js";

const root = new URL("../../", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
const modules = readdirSync(join(root, "ansible", "plugins", "modules"))
  .filter((name) => name.endsWith(".py"))
  .map((name) => name.replace(".py", ""));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-ansible-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With CI=true a missing program is a failure. */
function itWith(program: string, title: string, test: () => void): void {
  const isThere = !spawnSync(program, ["--version"]).error;
  if (isThere || process.env["CI"] === "true") it(title, test, 120_000);
  else it.skip(`${title} (skipped: not installed: ${program})`, test);
}

function run(program: string, words: readonly string[], directory: string): { readonly status: number | null; readonly text: string } {
  const environment = { ANSIBLE_COLLECTIONS_PATH: join(folder, "source"), ANSIBLE_HOME: join(folder, "home"), HOME: join(folder, "home") };
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, ...environment, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" },
  });
  return { status, text: `${stdout}${stderr}` };
}

/** The Python that a program is for. */
function pythonOf(program: string): string {
  const path = execFileSync("sh", ["-c", 'command -v "$0"', program], { encoding: "utf8" }).trim();
  return readFileSync(path, "utf8").split("\n")[0]!.replace(/^#! */, "");
}

/** The sources where Ansible looks for a collection. */
function sources(): string {
  const place = join(folder, "source", "ansible_collections", "ipt2nft_recent", "firewall");
  mkdirSync(join(folder, "home"), { recursive: true });
  cpSync(join(root, "ansible"), place, { recursive: true });
  return place;
}

describe("the Ansible collection", () => {
  it("is built the same whenever and wherever, and has all its files", () => {
    const build = (into: string, umask: string): Buffer => {
      const line = `umask ${umask} && exec "$0" build-ansible.js --directory "$1"`;
      execFileSync("sh", ["-c", line, process.execPath, join(folder, into)], {
        cwd: root,
        env: { ...process.env, SOURCE_DATE_EPOCH: "1750000000" },
      });
      return readFileSync(join(folder, into, `ipt2nft_recent-firewall-${version}.tar.gz`));
    };
    expect(build("one", "077").equals(build("two", "022"))).toBe(true);
    const listed = execFileSync("tar", ["tzf", join(folder, "one", `ipt2nft_recent-firewall-${version}.tar.gz`)], { encoding: "utf8" });
    for (const name of modules) expect(listed).toContain(`plugins/modules/${name}.py\n`);
    expect(listed).not.toMatch(/galaxy\.yml|__pycache__/);
  });

  itWith("ansible-lint", "is clean for ansible-lint", () => {
    const { status, text } = run("ansible-lint", ["--offline", "-p", "--nocolor"], sources());
    expect({ status, text: status === 0 ? "" : text }).toEqual({ status: 0, text: "" });
  });

  itWith("ansible-doc", "has documents that say of each module what it takes", () => {
    sources();
    const names = modules.map((name) => `ipt2nft_recent.firewall.${name}`);
    const { status, text } = run("ansible-doc", ["-t", "module", "--json", ...names], folder);
    expect(status, text).toBe(0);
    const documents = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Record<string, Documented>;
    for (const name of names) {
      const { doc, examples } = documents[name]!;
      expect(parse(examples), name).not.toEqual([]);
      const taken = run(pythonOf("ansible-doc"), ["-c", takenByModule, name], folder);
      expect(taken.status, taken.text).toBe(0);
      expect(plainOptions(doc.options), name).toEqual(plainOptions(JSON.parse(taken.text) as Options));
    }
  });

  it("has a page that names all settings, with examples that can be read", () => {
    const table = [...pageText("docs/ansible.md").matchAll(/^\| (`ipt2nft_recent_.*?) \|/gm)].flatMap(([, cell]) => {
      const [first, ...others] = [...cell!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
      return [first!, ...others.map((word) => word.replace("…", first!.replace(/_[^_]+$/, "")))];
    });
    const defaults = Object.keys(parse(readFileSync(join(root, "ansible/roles/ipt2nft_recent/defaults/main.yml"), "utf8")) as object);
    expect(table.filter((word) => !/_(?:hosts|serial)$/.test(word))).toEqual(expect.arrayContaining(defaults));
    expect(defaults).toEqual(expect.arrayContaining(table.filter((word) => !/_(?:hosts|serial)$/.test(word))));
    const examples = blocksOf("docs/ansible.md").filter(({ info }) => info === "yaml");
    expect(examples.length).toBeGreaterThan(2);
    for (const { text } of examples) expect(Array.isArray(parse(text)), text).toBe(true);
  });
});

interface Option {
  readonly type?: string;
  readonly elements?: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly required?: boolean;
  readonly suboptions?: Options;
  readonly options?: Options;
}
type Options = Readonly<Record<string, Option>>;
interface Documented {
  readonly doc: { readonly options: Options };
  readonly examples: string;
}

/** What both sides say, in one form. */
function plainOptions(options: Options): unknown {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, elements, default: value = null, choices = [], required = false, ...more }]) => {
      const inner = more.suboptions ?? more.options;
      return [name, { type, elements, value, choices: [...choices].sort(), required, ...(inner && { inner: plainOptions(inner) }) }];
    }),
  );
}

/** A program of Python: what the module that is named takes, as JSON. */
const takenByModule = `
import importlib, json, os, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[os.environ["ANSIBLE_COLLECTIONS_PATH"]])._install()
import ansible.module_utils.basic as basic
class Taken(Exception): pass
def taken(argument_spec, **_): raise Taken(json.dumps(argument_spec))
basic.AnsibleModule = taken
namespace, name, module = sys.argv[1].split(".")
try: importlib.import_module("ansible_collections.%s.%s.plugins.modules.%s" % (namespace, name, module)).main()
except Taken as found: print(found)
`;
