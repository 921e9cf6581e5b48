// SPDX-License-Identifier: MIT
/** Commands that observe the running kernel; `stat`, `check` and `verdict` read a recording too. */
import { type Command, Option } from 'commander';
import { loadSmall } from './common/heap.js';
import { addFailOn, addLiveOptions, addTimeRangeOptions, GROUPS, intervalOption, REDACT } from './common/options.js';
import { parseCount, parseSize, parseSpan } from './common/parse.js';
import { CONNECTED, rejectLiveOptions, rejectTimeRange } from './common/usage.js';

/** Gives the exit code of the command that ran. */
export type Done = (exitCode: number) => void;

/** `top`, `stat` and `record`; `command` is what stands behind `--`. */
export function addSessionCommands(program: Command, command: readonly string[], done: Done): void {
  addLiveOptions(program.command('top').description('live dashboard'))
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .addOption(new Option('--connect <socket>', 'show what the daemon observes; takes no privilege'))
    .action(async (options, self: Command) => {
      if (options.connect !== undefined) rejectLiveOptions(self, CONNECTED);
      const { top } = await loadSmall(() => import('./commands/top/index.js'), true);
      done(await top(options));
    });

  addFailOn(
    addTimeRangeOptions(
      addLiveOptions(program.command('stat').description('summary of a session, of a command or of a recording')),
    ),
  )
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to summarise, - for standard input')
    .addOption(new Option('--json', 'one JSON document; with --interval one on each line').helpGroup(GROUPS.output))
    .addOption(intervalOption('also print the summary so far, every so many seconds').helpGroup(GROUPS.output))
    .addOption(
      new Option('-o, --output <file>', 'write the summary to this file, apart from the output of COMMAND').helpGroup(
        GROUPS.output,
      ),
    )
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      const stays = file === undefined || options.interval !== undefined;
      const { stat } = await loadSmall(() => import('./commands/stat/index.js'), stays);
      done(await stat(file, command, options));
    });

  addFailOn(addLiveOptions(program.command('record').description('record to a file or to standard output')))
    .usage('[options] -o FILE|- [-- COMMAND…]')
    .optionsGroup(GROUPS.output)
    .requiredOption('-o, --output <file>', 'file to write, - for standard output')
    .option('--stat <file>', 'also write the summary to this file, as `stat --json` prints it')
    .option('--redact', REDACT)
    .optionsGroup('Several files:')
    .addOption(new Option('--max-size <size>', 'begin a new file at this size (64M, 1G)').argParser(parseSize))
    .addOption(new Option('--max-age <time>', 'begin a new file after this time (90s, 15m, 2h)').argParser(parseSpan))
    .addOption(new Option('--keep <files>', 'keep only so many of the newest files').argParser(parseCount))
    .optionsGroup(GROUPS.output)
    .addOption(
      new Option('--fsync <when>', 'when to flush it to disk: never, once a second, after each batch')
        .choices(['none', 'interval', 'batch'])
        .default('none'),
    )
    .optionsGroup('Flight recorder:')
    .addOption(
      new Option('--flight <time>', 'keep only the last so much in memory; SIGUSR1 and the end write it').argParser(
        parseSpan,
      ),
    )
    .addOption(
      new Option('--flight-size <size>', 'most memory it may take').argParser(parseSize).default(64 * 2 ** 20, '64M'),
    )
    .action(async (options) => done(await (await import('./commands/record/index.js')).record(command, options)));
}

/** `check` and `verdict`. */
export function addJudgingCommands(program: Command, command: readonly string[], done: Done): void {
  followAll(addTimeRangeOptions(addLiveOptions(program.command('check'))))
    .description('whether the rules of page-fault locking were kept')
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to check, - for standard input')
    .addOption(new Option('--json', 'one JSON document'))
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      done(await (await import('./commands/check/index.js')).check(file, command, options));
    });

  addTimeRangeOptions(addLiveOptions(program.command('verdict')))
    .description('drop, retry or keep the VMA lock: what each policy would cost the same faults')
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to judge, - for standard input')
    .addOption(new Option('--json', 'one JSON document'))
    .addOption(
      new Option('-o, --output <file>', 'also write an HTML page with distributions; -: only that, to standard output'),
    )
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      done(await (await import('./commands/verdict/index.js')).verdict(file, command, options));
    });
}

/** Most rules are about every fault, so `check` follows all of them unless an option says otherwise. */
function followAll(command: Command): Command {
  const scope = command.options.find((option) => option.attributeName() === 'scope');
  scope?.default('all');
  return command.setOptionValueWithSource('scope', 'all', 'default');
}
