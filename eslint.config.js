/** The house rules that a program can check. `npm run lint` runs them. */

import importX, { createNodeResolver } from "eslint-plugin-import-x";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Stages of the translation: none of them knows what is made of its result. */
const stages = [
  "capture",
  "extensions",
  "captured-file.ts",
  "geoip",
  "ipset",
  "iptables",
  "nft",
  "optimise",
  "rewrite",
  "shell",
  "translate.ts",
  "option-checks.ts",
];

/** What stands on the translation, each for itself. */
const consumers = ["simulate", "verify", "review", "corpus", "lists", "cutover", "snippet"];

/** Doors between consumers: the only files of one that another may import. Data types, and one function that does the work. */
const doors = {
  review: ["simulate/search.ts", "simulate/timeline.ts", "simulate/versions.ts"],
  corpus: ["verify/verify.ts"],
  cutover: ["simulate/models.ts", "simulate/packet.ts", "lists/lists.ts", "lists/hosts.ts"],
};

const inSource = (paths) => paths.map((path) => `./src/${path}`);
const zones = [
  { target: "./grammar", from: "./src", message: "The grammar is syntax only and imports nothing from src/." },
  {
    target: inSource(stages),
    from: inSource([...consumers, "report"]),
    message: "A stage of the translation imports nothing of those that come after it.",
  },
  {
    target: inSource(["extensions", "iptables", "nft"]),
    from: inSource(["rewrite", "translate.ts"]),
    message: "What is rewritten imports nothing of the rewriting.",
  },
  { target: "./src/nft", from: inSource(stages.filter((stage) => stage !== "nft")), message: "The nft side knows nothing of iptables." },
  { target: "./src/report", from: inSource(consumers), message: "Reports know diagnostics, and no consumer of the translation." },
  ...consumers.flatMap((consumer) =>
    consumers
      .filter((other) => other !== consumer)
      .map((other) => ({
        target: `./src/${consumer}`,
        from: `./src/${other}`,
        except: (doors[consumer] ?? []).filter((door) => door.startsWith(`${other}/`)).map((door) => door.replace(other, ".")),
        message: "simulate, verify, review, corpus and cutover know each other by the doors in eslint.config.js only.",
      })),
  ),
  {
    target: [
      "./grammar",
      ...inSource([...stages, ...consumers.filter((consumer) => consumer !== "verify"), "report", "index.ts", "playground"]),
    ],
    from: "./src/run-program.ts",
    message: "Only src/cli and src/verify start programs.",
  },
  {
    target: ["./grammar", ...inSource([...stages, ...consumers, "report", "index.ts", "cli"])],
    from: "./src/playground",
    message: "The playground stands on everything else, and nothing on it.",
  },
  {
    target: ["./grammar", ...inSource([...stages, ...consumers, "report", "index.ts", "playground"])],
    from: "./src/cli",
    message: "Only src/cli imports src/cli.",
  },
];

/** What starts programs is in one file. */
const startsPrograms = ["node:child_process", "child_process", "node:cluster", "cluster"].map((name) => ({
  name,
  message: "Programs are started by src/run-program.ts alone, which closes their environment and ends them.",
}));

const startsProgramsLate = startsPrograms.map(({ name, message }) => ({ selector: `ImportExpression[source.value="${name}"]`, message }));

/** Layouts of lines are prettier's; what it cannot break has a limit all the same. */
const longLines = (ignored) => ["error", { code: 140, ignoreUrls: true, ...ignored }];

export default defineConfig(
  { ignores: ["dist/", "playground/", "release/", "node_modules/", "examples/", "corpus/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts", "src/review/formats/html/page/*.js", "src/cli/commands/lists/serve/page/*.js"],
    ignores: ["vitest.config.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A function may be async because its type asks for a promise, above all the stand-ins of tests.
      "@typescript-eslint/require-await": "off",
      // The compiler says so already, and knows that a name that begins with _ is meant to be unused.
      "@typescript-eslint/no-unused-vars": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/prefer-promise-reject-errors": "error",
      // A walk up the scopes starts at the object itself.
      "@typescript-eslint/no-this-alias": ["error", { allowedNames: ["scope"] }],
      "prefer-const": ["error", { destructuring: "all" }],
      eqeqeq: "error",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      "max-len": longLines({}),
    },
  },
  {
    // One project for each file: which of two is asked first would hang on the order in which files come.
    files: [
      "src/review/formats/html/page/*.js",
      "src/cli/commands/lists/serve/page/*.js",
      "src/playground/page/*.ts",
      "test/browser/**/*.ts",
    ],
    languageOptions: { parserOptions: { project: ["tsconfig.browser.json"] } },
  },
  {
    files: ["src/**/*.ts", "grammar/**/*.ts"],
    plugins: { "import-x": importX },
    settings: {
      "import-x/extensions": [".ts", ".js"],
      "import-x/external-module-folders": ["node_modules"],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
      "import-x/resolver-next": [createNodeResolver({ extensionAlias: { ".js": [".ts", ".js"] } })],
    },
    rules: {
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones }],
      "no-restricted-imports": ["error", { paths: startsPrograms }],
      "no-restricted-syntax": ["error", ...startsProgramsLate],
    },
  },
  {
    // The library runs in browsers, too.
    files: ["src/**/*.ts", "grammar/**/*.ts"],
    ignores: ["src/cli/**", "src/verify/**", "src/run-program.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: startsPrograms,
          patterns: [{ regex: "^node:", message: "Only src/cli and src/verify touch files, processes and the machine." }],
        },
      ],
    },
  },
  // What a bundler makes of `?raw` is its default export.
  { files: ["**/*.d.ts"], rules: { "no-restricted-exports": "off" } },
  { files: ["src/run-program.ts"], rules: { "no-restricted-imports": "off" } },
  {
    files: ["test/**/*.ts"],
    // Types cost a test as much time as the source; what finds faults in one is a promise that nobody waits for.
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "max-len": longLines({ ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }),
    },
  },
);
