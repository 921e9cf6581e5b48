// SPDX-License-Identifier: MIT
/** Words that are options but not of this use of a command, and commander's errors in our wording. */
import type { Command, CommanderError } from 'commander';
import { CGROUP_FILTERS } from '../../src/core/vocabulary/cgroup-filter.js';
import { ExitCode, UserError } from '../../src/errors.js';
import { PROGRAM } from './process.js';

interface Instead {
  readonly on: string;
  readonly elsewhere: string;
}

const RECORDED: Instead = {
  on: 'on a recording',
  elsewhere: `give it to \`${PROGRAM} record\``,
};
export const CONNECTED: Instead = {
  on: 'on what a daemon observes already',
  elsewhere: "set what it stands for in the daemon's configuration",
};

/** Filters act in the kernel while it is observed: over a recording they would be ignored, so they are refused. */
export function rejectLiveOptions(command: Command, instead: Instead = RECORDED): void {
  const live = [
    'pid',
    'tid',
    'comm',
    ...(instead === CONNECTED ? [] : CGROUP_FILTERS),
    'scope',
    'minUs',
    'ringSize',
    'release',
    'writers',
    'writerMinUs',
    'holdMinUs',
    'stacks',
    'hostRoot',
    'lock',
    'without',
  ];
  for (const name of live) {
    if (command.getOptionValueSource(name) !== 'cli') continue;
    const flag = command.options.find((option) => option.attributeName() === name)?.long ?? name;
    throw new UserError(
      'cannot read the command line',
      `${flag} acts only while the kernel is observed, not ${instead.on}`,
      `leave ${flag} out, or ${instead.elsewhere}`,
      ExitCode.Usage,
    );
  }
}

/** As commander says it of an argument that is not left to choice. */
export function missingFile(): UserError {
  const help = `\`${PROGRAM} replay --help\` shows the usage`;
  return new UserError('cannot read the command line', "missing required argument 'file'", help, ExitCode.Usage);
}

/** What has not been recorded yet has no parts to choose. */
export function rejectTimeRange(command: Command): void {
  for (const name of ['from', 'to']) {
    if (command.getOptionValueSource(name) !== 'cli') continue;
    throw new UserError(
      'cannot read the command line',
      `--${name} chooses a part of a recording, but no recording was named`,
      'name a recording, or end a live session with --duration',
      ExitCode.Usage,
    );
  }
}

/** Commands that run another one after `--`. */
export const TAKES_COMMAND: ReadonlySet<string> = new Set(['stat', 'record', 'check', 'verdict']);

/** commander's `error: unknown option '--foo'\n(Did you mean --bar?)` in our wording. */
export function usageError(error: CommanderError, name: string | undefined): UserError {
  const text = error.message.replace(/^error: /, '');
  const hint = /\(Did you mean (.+)\?\)/s.exec(text)?.[1];
  const where =
    name === undefined || name.startsWith('-') || error.code === 'commander.unknownCommand'
      ? PROGRAM
      : `${PROGRAM} ${name}`;
  const help = `\`${where} --help\` shows the usage`;
  const remedy = hint === undefined ? help : `did you mean ${hint}? ${help}`;
  return new UserError(
    'cannot read the command line',
    text.replace(/\s*\(Did you mean .*$/s, ''),
    remedy,
    ExitCode.Usage,
  );
}
