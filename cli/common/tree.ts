// SPDX-License-Identifier: MIT
/** The command tree as plain data: what man pages and completions are made from. */
import type { Argument, Command, Option } from 'commander';

export interface TreeOption {
  readonly short: string | null;
  readonly long: string;
  /** `<file>`, `[file]`, or '' where it takes no value. */
  readonly value: string;
  readonly choices: readonly string[];
  /** In words; '' when there is none, or none worth a word. */
  readonly default: string;
  readonly description: string;
  readonly group: string;
  readonly required: boolean;
}

export interface TreeCommand {
  readonly name: string;
  readonly description: string;
  /** What follows the name: `[options] [FILE|-]`. */
  readonly usage: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly choices: readonly string[];
  }[];
  readonly options: readonly TreeOption[];
}

/** Values and arguments that name something in the file system. */
export function isPath(name: string): boolean {
  return /file|socket|^<?[ab]>?$/.test(name);
}

function ofOption(option: Option): TreeOption {
  const { defaultValueDescription: words, defaultValue: value } = option;
  return {
    short: option.short ?? null,
    long: option.long ?? option.flags,
    value: /[<[].*$/.exec(option.flags)?.[0] ?? '',
    choices: option.argChoices ?? [],
    default: words ?? (value === undefined || option.negate ? '' : String(value)),
    description: option.description,
    group: (option.helpGroupHeading ?? 'Options:').replace(/:$/, ''),
    required: option.mandatory,
  };
}

function ofCommand(command: Command): TreeCommand {
  return {
    name: command.name(),
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((argument: Argument) => ({
      name: argument.name(),
      description: argument.description,
      choices: argument.argChoices ?? [],
    })),
    options: command.createHelp().visibleOptions(command).map(ofOption),
  };
}

/** The program itself, then its commands in their order. */
export function commandTree(program: Command): readonly [TreeCommand, ...TreeCommand[]] {
  return [ofCommand(program), ...program.commands.map(ofCommand)];
}
