/** Every command with its options, as the completions and the manual tell of them: the same tables that read the command lines. */

import type { Command } from "commander";
import { buildCaptureCommand } from "./commands/capture/options.js";
import { buildCompletionCommand } from "./commands/completion/options.js";
import { buildCorpusCommand } from "./commands/corpus/options.js";
import { buildCutoverCommand, cutoverActions } from "./commands/cutover/options.js";
import { buildFleetCommand } from "./commands/fleet/options.js";
import { buildListsCommand, listsActions } from "./commands/lists/options.js";
import { buildReviewCommand } from "./commands/review/options.js";
import { buildSimulateCommand } from "./commands/simulate/options.js";
import { buildSnippetCommand } from "./commands/snippet/options.js";
import { buildTranslateCommand } from "./commands/translate/options.js";
import { buildVerifyCommand } from "./commands/verify/options.js";
import { offerOf, type Offer } from "./options/offers.js";
import { withHelp } from "./options/words.js";
import { subcommands, type SubcommandName } from "./subcommands.js";

/** A command, or an action of one. */
export interface DescribedCommand {
  /** The words behind the program's name. */
  readonly path: readonly string[];
  /** A line without a full stop. */
  readonly summary: string;
  /** Whole sentences. */
  readonly description: string;
  readonly usage: string;
  readonly arguments: readonly DescribedArgument[];
  /** In groups with headings, as the help has them. */
  readonly groups: readonly OptionGroup[];
  /** What the help says behind the options. */
  readonly details: string;
  /** Commands or actions by the word that follows. */
  readonly children: readonly DescribedCommand[];
}

export interface DescribedArgument {
  /** As the help shows it: `FILE`. */
  readonly name: string;
  readonly description: string;
  readonly variadic: boolean;
  readonly offer: Offer;
}

export interface OptionGroup {
  /** Undefined for the options that need no heading. */
  readonly heading: string | undefined;
  readonly options: readonly DescribedOption[];
}

export interface DescribedOption {
  /** The short name, if there is one, and the long one, with their hyphens. */
  readonly names: readonly string[];
  /** What the help says of it. */
  readonly description: string;
  /** The same for a line in a list, without what it is by itself and what it may be. */
  readonly summary: string;
  /** Undefined for a switch. */
  readonly value: { readonly name: string; readonly offer: Offer } | undefined;
  readonly repeatable: boolean;
}

const builders: Readonly<Record<SubcommandName, () => Command>> = {
  simulate: buildSimulateCommand,
  verify: buildVerifyCommand,
  review: buildReviewCommand,
  capture: buildCaptureCommand,
  lists: () => buildListsCommand("overview"),
  cutover: buildCutoverCommand,
  snippet: buildSnippetCommand,
  fleet: buildFleetCommand,
  corpus: buildCorpusCommand,
  completion: buildCompletionCommand,
};

/** The translation, with all others below it. */
export function describedCommands(): DescribedCommand {
  return described(
    [],
    buildTranslateCommand(),
    Object.entries(subcommands).map(([name, summary]) => {
      const actions =
        name === "lists"
          ? listsActions.map((action) => described([name, action], buildListsCommand(action)))
          : name === "cutover"
            ? Object.entries(cutoverActions).map(([action, { summary: what }]) => ({
                ...described([name, action], buildCutoverCommand(action as keyof typeof cutoverActions)),
                summary: what,
              }))
            : [];
      return { ...described([name], builders[name as SubcommandName](), actions), summary };
    }),
  );
}

/** It and all that stand below it. */
export function withChildren(command: DescribedCommand): readonly DescribedCommand[] {
  return [command, ...command.children.flatMap(withChildren)];
}

export function optionsOf({ groups }: DescribedCommand): readonly DescribedOption[] {
  return groups.flatMap(({ options }) => options);
}

function described(path: readonly string[], command: Command, children: readonly DescribedCommand[] = []): DescribedCommand {
  withHelp(command);
  const help = command.createHelp();
  const description = command.description().replaceAll("\n", " ");
  const usual = help.visibleOptions(command);
  return {
    path,
    summary: firstWords(description),
    description,
    usage: command.usage(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      variadic: argument.variadic,
      offer: offerOf(argument, argument.name()),
    })),
    groups: [...help.groupItems([...command.options], usual, (option) => option.helpGroupHeading ?? "Options:")].map(
      ([heading, options]) => ({
        heading: heading === "Options:" ? undefined : heading.replace(/:$/, ""),
        options: options.map((option) => {
          const [, name] = /<(.+)>/.exec(option.flags) ?? [];
          return {
            names: [option.short, option.long].filter((one) => one !== undefined && one !== null),
            description: help.optionDescription(option).replaceAll("\n", " "),
            summary: firstWords(option.description.replaceAll("\n", " ")),
            value: name === undefined ? undefined : { name, offer: offerOf(option, name) },
            // A reader that is given the values before it gathers them.
            repeatable: (option.parseArg?.length ?? 0) > 1,
          };
        }),
      }),
    ),
    details: textAfter(command),
    children,
  };
}

/** What `addHelpText` has put behind the options. */
function textAfter(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help.slice(command.helpInformation().length).trim();
}

/** Enough of a description for a line in a list. */
function firstWords(description: string): string {
  const [sentence = ""] = description.split(/(?<=[^.])\.(?: |$)/, 1);
  const [short = ""] = sentence.length > 60 ? sentence.split(/ \(|[:;] /, 1) : [sentence];
  return short.charAt(0).toLowerCase() + short.slice(1);
}
