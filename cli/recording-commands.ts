// SPDX-License-Identifier: MIT
/** Commands that read recordings. */
import { type Command, Option } from 'commander';
import { TABLES, WEIGHTS } from '../src/export/base/choices.js';
import { FORMAT_NAMES } from '../src/export/formats.js';
import { resource } from '../src/resources.js';
import { addCgroupOptions, NO_CGROUPS } from './common/cgroup-options.js';
import { loadSmall } from './common/heap.js';
import { addTimeRangeOptions, intervalOption, REDACT } from './common/options.js';
import { parseSpeed } from './common/parse.js';
import { missingFile } from './common/usage.js';
import type { Done } from './live-commands.js';

/** Faults of all sorts and writers in their way, on a stock Debian kernel. */
const DEMO = 'share/demo/mixed-7.3.vmlt';

/** `replay`, `demo`, `diff`, `report`, `export` and `info`. */
export function addRecordingCommands(program: Command, done: Done): void {
  addCgroupOptions(addTimeRangeOptions(program.command('replay')), 'Which rows:')
    .description('dashboard over a recording; its summary when there is no terminal')
    .argument('[file]', 'recording, - for standard input')
    .usage('[options] <file>')
    .addOption(
      new Option(
        '--speed <factor>',
        'play at this multiple of the recorded pace (default: as fast as possible)',
      ).argParser(parseSpeed),
    )
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .addOption(new Option('-f, --follow', 'at the end of the file wait for more'))
    .addOption(
      new Option(
        '--alerts [file]',
        'evaluate alert rules, of this file or the built-in ones, and mark where they fire',
      ),
    )
    .action(async (named: string | undefined, { alerts, ...others }) => {
      // `--alerts trace.vmlt`: the one word there is names the recording.
      const file = named ?? (typeof alerts === 'string' ? alerts : undefined);
      if (file === undefined) throw missingFile();
      const options = { ...others, ...(alerts !== undefined && { alerts: named === undefined ? true : alerts }) };
      const { replay } = await loadSmall(() => import('./commands/replay/index.js'), process.stdout.isTTY);
      done(await replay(file, options));
    });

  program
    .command('demo')
    .description('the dashboard over a recording that comes with the program; needs no privilege')
    .addOption(new Option('--speed <factor>', 'play at this multiple of the recorded pace').argParser(parseSpeed))
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .action(async (options) => {
      const { replay } = await loadSmall(() => import('./commands/replay/index.js'), process.stdout.isTTY);
      done(await replay(resource(DEMO), { ...NO_CGROUPS, ...options }));
    });

  program
    .command('diff')
    .description('two recordings compared: what differs by more than noise')
    .argument('<a>', 'recording to compare with, - for standard input')
    .argument('<b>', 'recording to compare it with')
    .addOption(new Option('--a <files...>', 'further runs like <a>; with five on each side, runs are compared'))
    .addOption(new Option('--b <files...>', 'further runs like <b>'))
    .addOption(new Option('--json', 'one JSON document'))
    .action(async (a, b, options) => done(await (await import('./commands/diff/index.js')).diff(a, b, options)));

  addTimeRangeOptions(program.command('report'))
    .description('one self-contained HTML page of a recording')
    .argument('<file>', 'recording, - for standard input')
    .requiredOption('-o, --output <file>', 'page to write, - for standard output')
    .addOption(new Option('--against <file>', 'also what differs from this earlier recording'))
    .option('--redact', REDACT)
    .action(async (file, options) =>
      done(await (await import('./commands/report/index.js')).htmlReport(file, options)),
    );

  addTimeRangeOptions(program.command('export'))
    .description('a recording for other tools: Perfetto, DuckDB, pandas, pprof, a flame graph, a spreadsheet')
    .argument('<file>', 'recording, - for standard input')
    .addOption(new Option('-f, --format <format>', 'format to write').choices(FORMAT_NAMES).makeOptionMandatory())
    .addOption(
      new Option('-t, --table <table>', 'which table, in parquet, jsonl and csv (default: lifecycles)').choices(TABLES),
    )
    .addOption(
      new Option('--weight <weight>', 'what stacks are weighted by, in folded and pprof (default: count)').choices(
        WEIGHTS,
      ),
    )
    .requiredOption('-o, --output <file>', 'file to write, - for standard output')
    .option('--redact', REDACT)
    .action(async (file, options) =>
      done(await (await import('./commands/export/index.js')).exportRecording(file, options)),
    );

  program
    .command('info')
    .description('what a recording holds, its losses first')
    .argument('<file>', 'recording')
    .addOption(new Option('--json', 'one JSON document'))
    .action(async (file, options) => done(await (await import('./commands/info/index.js')).info(file, options)));
}
