/** What action.yml, .pre-commit-hooks.yaml and the files of examples/ci do, run the way their platforms run them. */

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCommand } from "../review/formats/runner.js";
import { evaluate, readYaml, runAction, type Action, type ActionRun, type Workflow } from "./github-runner.js";
import { install, type Installed } from "./installed.js";
import { harmless, loosened, makeRepository, rules, rulesIpv6, writeFiles, type Repository } from "./repository.js";

let installed: Installed;
beforeAll(() => {
  installed = install();
});
afterAll(() => installed.remove());

const files = "firewall/rules.v4\nfirewall/rules.v6\n";

let number = 0;

/** A checkout of a change of the IPv4 rules. */
function checkout(change: string): Repository {
  return makeRepository(
    join(installed.folder, `repository-${++number}`),
    { "firewall/rules.v4": rules, "firewall/rules.v6": rulesIpv6 },
    { "firewall/rules.v4": change },
  );
}

describe("action.yml", () => {
  const action = readYaml<Action>("action.yml");
  const pullRequest = { GITHUB_EVENT_NAME: "pull_request", GITHUB_BASE_REF: "main", GITHUB_HEAD_REF: "change" };

  function review(
    repository: Repository,
    inputs: Readonly<Record<string, string>> = {},
    environment: Readonly<Record<string, string>> = pullRequest,
  ): ActionRun {
    return runAction(
      action,
      { files, ...inputs },
      {
        actionPath: installed.checkout,
        workspace: repository.folder,
        temporary: join(installed.folder, `temporary-${++number}`),
        environment,
      },
    );
  }

  function annotations({ log }: ActionRun): string[] {
    return log
      .split("\n")
      .map(readCommand)
      .flatMap((command) => (command ? [`${command.name} ${command.properties["file"]}:${command.properties["line"]}`] : []));
  }

  it("annotates what a pull request opens, says it on the page of the job, and fails", () => {
    const run = review(checkout(loosened), { format: "sarif" });
    expect(run).toMatchObject({ status: 1, error: "" });
    expect(run.outputs["findings"]).toBe("true");
    expect(annotations(run)).toContain("warning firewall/rules.v4:10");
    expect(run.summary).toMatch(/port 23|telnet/);
    expect(JSON.parse(readFileSync(run.outputs["report"]!, "utf8"))).toMatchObject({ version: "2.1.0" });
  });

  it("passes a change that changes nothing", () => {
    const run = review(checkout(harmless));
    expect(run).toMatchObject({ status: 0, error: "", outputs: { findings: "false", report: "" } });
    expect(annotations(run).filter((line) => !line.startsWith("notice"))).toEqual([]);
    expect(run.summary).not.toBe("");
  });

  it("reviews the rules alone outside pull requests, and where it is told to", () => {
    for (const run of [review(checkout(loosened), {}, { GITHUB_EVENT_NAME: "push" }), review(checkout(loosened), { "base-ref": "none" })]) {
      expect(run.status).toBe(0);
      expect(annotations(run)).not.toContain("warning firewall/rules.v4:10");
    }
  });

  it("takes a threshold and further options", () => {
    expect(review(checkout(loosened), { "fail-on": "never" })).toMatchObject({ status: 0, outputs: { findings: "false" } });
    expect(review(checkout(loosened), { options: "--table\nedge\n" }).error).toBe("");
    expect(review(checkout(loosened), { options: "--no-such-option" })).toMatchObject({ status: 2, outputs: { findings: "" } });
  });

  it("fails with another status where it cannot review", () => {
    expect(review(checkout(loosened), { "base-ref": "no-such-branch" })).toMatchObject({ status: 2, summary: "" });
    expect(review(checkout(loosened), { files: "no-such-file" })).toMatchObject({ status: 2 });
  });

  it("runs nothing that an input holds", () => {
    const repository = checkout(loosened);
    const hostile = '"; touch broken-out; $(touch broken-out) `touch broken-out`';
    for (const input of ["files", "base-ref", "script", "baseline", "fail-on", "format", "options"])
      expect(review(repository, { [input]: hostile }).status).not.toBe(0);
    expect(existsSync(join(repository.folder, "broken-out"))).toBe(false);
  });

  it("builds the command where the checkout has none", () => {
    const [dist, away, programs] = [join(installed.checkout, "dist"), join(installed.folder, "dist-away"), join(installed.folder, "npm")];
    renameSync(dist, away);
    mkdirSync(programs);
    writeFileSync(join(programs, "npm"), `#!/bin/sh\n[ "$1" = ci ] && [ "$PWD" = "${installed.checkout}" ] && mv "${away}" dist\n`);
    chmodSync(join(programs, "npm"), 0o755);
    expect(review(checkout(harmless), {}, { ...pullRequest, PATH: `${programs}:${process.env["PATH"]}` }).status).toBe(0);
    expect(existsSync(dist)).toBe(true);
  });
});

describe("examples/ci/github", () => {
  const action = readYaml<Action>("action.yml");
  const workflow = readYaml<Workflow>("examples/ci/github/firewall-review.yml");
  const caller = readYaml<Workflow>("examples/ci/github/pull-request.yml");

  it("names every other action by a commit", () => {
    const uses = Object.values(workflow.jobs)
      .flatMap(({ steps = [] }) => steps)
      .flatMap((step) => step.uses ?? []);
    expect(uses).toHaveLength(3);
    for (const one of uses) expect(one).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it("reviews what the pull request changes, and keeps the page", () => {
    const { uses, with: given = {} } = caller.jobs["firewall"]!;
    expect(uses).toBe("./.github/workflows/firewall-review.yml");
    const inputs = Object.entries(workflow.on.workflow_call!.inputs).map(([name, { default: ours = "" }]) => [
      `inputs.${name}`,
      given[name] ?? ours,
    ]);
    const [, review, upload] = workflow.jobs["review"]!.steps!;
    const words = Object.entries(review!.with!).map(([name, value]) => [
      name,
      evaluate(String(value), Object.fromEntries(inputs) as Record<string, string>),
    ]);
    const repository = checkout(loosened);
    writeFiles(repository.folder, { "firewall/accepted.json": emptyBaseline(repository) });
    const run = runAction(action, Object.fromEntries(words) as Record<string, string>, {
      actionPath: installed.checkout,
      workspace: repository.folder,
      temporary: join(installed.folder, `temporary-${++number}`),
      environment: { GITHUB_EVENT_NAME: "pull_request", GITHUB_BASE_REF: "main" },
    });
    expect(run).toMatchObject({ status: 1, error: "" });
    const path = evaluate(String(upload!.with!["path"]), { "steps.review.outputs.report": run.outputs["report"]! });
    expect(readFileSync(path, "utf8")).toMatch(/^<!doctype html>/);
  });
});

/** A baseline that accepts nothing. */
function emptyBaseline({ folder }: Repository): string {
  const path = join(folder, "baseline.json");
  shell(`ipt2nft-recent review --update-baseline --baseline "$1" firewall/rules.v6`, folder, {}, [path]);
  return readFileSync(path, "utf8");
}

interface ShellRun {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/** Runs the script with the installed command, which `npm install` is taken to have installed. */
function shell(script: string, folder: string, environment: Readonly<Record<string, string>>, words: readonly string[] = []): ShellRun {
  const env = { PATH: `${installed.programs}:${process.env["PATH"]}`, HOME: installed.folder, CI: "true", ...environment };
  const { status, stdout, stderr } = spawnSync("bash", ["-eo", "pipefail", "-c", script, "bash", ...words], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return { status, output: stdout, error: stderr };
}

describe("examples/ci/gitlab", () => {
  interface Job {
    readonly before_script: readonly string[];
    readonly script: readonly string[];
    readonly variables: Readonly<Record<string, string>>;
    readonly artifacts: { readonly paths: readonly string[]; readonly reports: Readonly<Record<string, string>> };
  }
  const job = readYaml<Readonly<Record<string, Job>>>("examples/ci/gitlab/.gitlab-ci.yml")["firewall review"]!;

  function run(change: string): ShellRun & { readonly repository: Repository } {
    const repository = checkout(change);
    const environment = {
      ...job.variables,
      GITLAB_CI: "true",
      CI_PIPELINE_SOURCE: "merge_request_event",
      CI_MERGE_REQUEST_DIFF_BASE_SHA: repository.base,
      CI_PROJECT_DIR: repository.folder,
      PACKAGE: installed.tarball,
    };
    // npm writes into the folder that holds the installed command, and not into this machine's.
    const before = `export npm_config_prefix="${installed.folder}/prefix" npm_config_offline=true npm_config_ignore_scripts=true`;
    return { ...shell([before, ...job.before_script, ...job.script].join("\n"), repository.folder, environment), repository };
  }

  it("fails for a change that opens something, with its reports", () => {
    const { status, output, repository } = run(loosened);
    expect(status).toBe(1);
    expect(output).toContain("firewall/rules.v4:10");
    const artifact = (path: string): string => readFileSync(join(repository.folder, path), "utf8");
    expect(JSON.parse(artifact(job.artifacts.reports["codequality"]!))).toContainEqual(
      expect.objectContaining({ location: { path: "firewall/rules.v4", lines: { begin: 10, end: 10 } } }),
    );
    expect(artifact(job.artifacts.reports["junit"]!)).toMatch(/<failure /);
    expect(artifact(job.artifacts.paths[0]!)).toMatch(/^<!doctype html>/);
  });

  it("passes a change that changes nothing", () => {
    expect(run(harmless).status).toBe(0);
  });
});

describe(".pre-commit-hooks.yaml", () => {
  interface Hook {
    readonly entry: string;
    readonly files: string;
    readonly language: string;
  }
  const [hook] = readYaml<readonly Hook[]>(".pre-commit-hooks.yaml");

  /** pre-commit splits the entry as a shell does, and puts the paths behind it. */
  function commit(change: Readonly<Record<string, string>>): ShellRun {
    const { folder } = checkout(rules);
    writeFiles(folder, change);
    const paths = Object.keys(change).filter((path) => new RegExp(hook!.files).test(path));
    return shell('eval "set -- $ENTRY $QUOTED"; exec "$@"', folder, {
      ENTRY: hook!.entry,
      QUOTED: paths.map((path) => `'${path}'`).join(" "),
    });
  }

  it("chooses dumps by their names", () => {
    const chosen = (path: string): boolean => new RegExp(hook!.files).test(path);
    expect(["rules.v4", "fw/edge.v6", "etc/iptables.rules", "ip6tables-edge.save"].filter((path) => !chosen(path))).toEqual([]);
    expect(["rules.nft", "README.md", "rules.v4.bak", "iptables.py"].filter(chosen)).toEqual([]);
    expect(hook!.language).toBe("node");
  });

  it("passes a harmless change, and a new file", () => {
    expect(commit({ "firewall/rules.v4": harmless, "fw/new.v6": rulesIpv6 })).toMatchObject({ status: 0 });
  });

  it("stops a change that opens something, each file being a machine of its own", () => {
    const run = commit({ "firewall/rules.v6": rulesIpv6, "firewall/rules.v4": loosened, "other.v4": rules });
    expect(run.status).toBe(1);
    expect(run.output).toContain("firewall/rules.v4:10");
  });

  it("tells a failure from findings", () => {
    expect(commit({ "firewall/rules.v4": loosened, "other.v4": "\u0000" }).status).toBeGreaterThan(0);
  });
});
