import { defineConfig } from "vitest/config";

/** Tests on the kernel to which a late packet is no matter: they load scripts, send both sides the same packets at the same moments, or wait. */
const patient = [
  "ansible",
  "capture",
  "capture-scripts",
  "completion",
  "corpus-command",
  "fuzz",
  "geoip",
  "kernel-parts",
  "load",
  "nft-versions",
  "origins",
  "print",
  "restore",
  "review-script",
  "review-soundness",
  "same-rules",
].map((name) => `test/kernel/${name}.test.ts`);

export default defineConfig({
  test: {
    // Without it the style sheet of the review page is read as the empty text.
    css: true,
    // The files of a worker share their modules, which takes a third of the time; no test changes one.
    isolate: false,
    // A second, which is what it is otherwise, is short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        // On two processors vitest would take one.
        test: {
          name: "unit",
          maxWorkers: 2,
          include: ["test/**/*.test.ts"],
          exclude: ["test/kernel/**"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "kernel-patient",
          maxWorkers: 2,
          include: patient,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          exclude: patient,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // They measure windows in real time: one at a time, and after everything that would take the processors from them.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
