// SPDX-License-Identifier: MIT
/** The command tree. Commands are loaded when they run: `--help` loads commander and nothing else. */
import { Argument, Command, Option } from 'commander';
import { packageVersion, resource } from '../src/resources.js';
import { addCgroupOptions, NO_CGROUPS } from './common/cgroup-options.js';
import { loadSmall } from './common/heap.js';
import {
  addFailOn,
  addLiveOptions,
  addTimeRangeOptions,
  GROUPS,
  intervalOption,
  parseCount,
  parseSize,
  parseSpan,
  parseSpeed,
} from './common/options.js';
import { PROGRAM } from './common/process.js';
import { commandTree } from './common/tree.js';
import { CONNECTED, missingFile, rejectLiveOptions, rejectTimeRange } from './common/usage.js';
import { examplesText } from './examples.js';

/** Words before `--` are ours, words after it are the command to run. commander does not keep them apart. */
export function splitArguments(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly command: readonly string[] | null;
} {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, command: null } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}

const GLOBAL = new Set(['-h', '--help', '-V', '--version']);

const REDACT = 'hash names, paths, host and command line, move addresses: for what is mailed';

/** `top` is the command nobody has to name: no words at all, or options alone. */
export function withDefaultCommand(own: readonly string[]): readonly string[] {
  const [first] = own;
  return first === undefined || (first.startsWith('-') && !GLOBAL.has(first)) ? ['top', ...own] : own;
}

/** Faults of all sorts and writers in their way, on a stock Debian kernel. */
const DEMO = 'share/demo/mixed-7.3.vmlt';

export function buildProgram(command: readonly string[], done: (exitCode: number) => void): Command {
  const program = new Command(PROGRAM)
    .description("What page faults do under Linux's per-VMA locks: every retry, its cause and its cost.")
    .version(packageVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addHelpText(
      'after',
      `${examplesText(PROGRAM, '')}

Without a command: top.
Exit codes: 0 ok, 1 finding, 2 usage or bad input, 3 cannot observe here,
70 internal error, 129/130/131/143 ended by a signal.
Over ssh: ssh HOST sudo ${PROGRAM} record -o - | ${PROGRAM} replay -
Completion: source <(${PROGRAM} completion bash)`,
    );

  addLiveOptions(program.command('top').description('live dashboard'))
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .addOption(new Option('--connect <socket>', 'show what the daemon observes; takes no privilege'))
    .action(async (options, self: Command) => {
      if (options.connect !== undefined) rejectLiveOptions(self, CONNECTED);
      const { top } = await loadSmall(() => import('./commands/top/index.js'));
      done(await top(options));
    });

  addFailOn(
    addTimeRangeOptions(
      addLiveOptions(program.command('stat').description('summary of a session, of a command or of a recording')),
    ),
  )
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to summarise, - for one on standard input')
    .addOption(new Option('--json', 'one JSON document; with --interval one a line').helpGroup(GROUPS.output))
    .addOption(intervalOption('also print the summary so far, this often').helpGroup(GROUPS.output))
    .addOption(
      new Option('-o, --output <file>', 'write the summary there, apart from the output of COMMAND').helpGroup(
        GROUPS.output,
      ),
    )
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      done(await (await import('./commands/stat/index.js')).stat(file, command, options));
    });

  addFailOn(addLiveOptions(program.command('record').description('record to a file or to standard output')))
    .usage('[options] -o FILE|- [-- COMMAND…]')
    .optionsGroup(GROUPS.output)
    .requiredOption('-o, --output <file>', 'file to write, - for standard output')
    .option('--stat <file>', 'write the summary there too, as `stat --json` prints it')
    .option('--redact', REDACT)
    .optionsGroup('Several files:')
    .addOption(new Option('--max-size <size>', 'begin a new file at this size (64M, 1G)').argParser(parseSize))
    .addOption(new Option('--max-age <time>', 'begin a new file after this time (90s, 15m, 2h)').argParser(parseSpan))
    .addOption(new Option('--keep <files>', 'of these files, keep the newest ones').argParser(parseCount))
    .optionsGroup(GROUPS.output)
    .addOption(
      new Option('--fsync <when>', 'force it to the disk: never, once a second, after each batch')
        .choices(['none', 'interval', 'batch'])
        .default('none'),
    )
    .optionsGroup('Flight recorder:')
    .addOption(
      new Option('--flight <time>', 'keep this long in memory only; SIGUSR1 and the end write it').argParser(parseSpan),
    )
    .addOption(
      new Option('--flight-size <size>', 'memory for that, at most').argParser(parseSize).default(64 * 2 ** 20, '64M'),
    )
    .action(async (options) => done(await (await import('./commands/record/index.js')).record(command, options)));

  addCgroupOptions(addTimeRangeOptions(program.command('replay')), 'Which rows:')
    .description('dashboard over a recording; its summary when there is no terminal')
    .argument('[file]', 'recording, - for one on standard input')
    .usage('[options] <file>')
    .addOption(
      new Option('--speed <factor>', 'play at the recorded pace times this; else as fast as it comes').argParser(
        parseSpeed,
      ),
    )
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .addOption(new Option('-f, --follow', 'at the end of the file, wait for more'))
    .addOption(
      new Option('--alerts [file]', 'judge alert rules, of this file or the default ones, and mark what fires').preset(
        true,
      ),
    )
    .action(async (named: string | undefined, { alerts, ...others }) => {
      // `--alerts trace.vmlt`: the one word there is names the recording.
      const file = named ?? (typeof alerts === 'string' ? alerts : undefined);
      if (file === undefined) throw missingFile();
      const options = { ...others, ...(alerts !== undefined && { alerts: named === undefined ? true : alerts }) };
      const load = (): Promise<typeof import('./commands/replay/index.js')> => import('./commands/replay/index.js');
      const { replay } = await (process.stdout.isTTY ? loadSmall(load) : load());
      done(await replay(file, options));
    });

  program
    .command('demo')
    .description('the dashboard over a recording that comes with the program; needs no privilege')
    .addOption(new Option('--speed <factor>', 'play at the recorded pace times this').argParser(parseSpeed))
    .addOption(intervalOption('time between refreshes').default(1, '1'))
    .action(async (options) => {
      const load = (): Promise<typeof import('./commands/replay/index.js')> => import('./commands/replay/index.js');
      const { replay } = await (process.stdout.isTTY ? loadSmall(load) : load());
      done(await replay(resource(DEMO), { ...NO_CGROUPS, ...options }));
    });

  program
    .command('diff')
    .description('two recordings side by side: what differs by more than noise')
    .argument('<a>', 'recording to compare with, - for one on standard input')
    .argument('<b>', 'recording to compare it with')
    .addOption(new Option('--a <files...>', 'further runs of what <a> is a run of; with five a side runs are compared'))
    .addOption(new Option('--b <files...>', 'further runs of what <b> is a run of'))
    .addOption(new Option('--json', 'one JSON document'))
    .action(async (a, b, options) => done(await (await import('./commands/diff/index.js')).diff(a, b, options)));

  addTimeRangeOptions(program.command('report'))
    .description('one self-contained HTML page of a recording')
    .argument('<file>', 'recording, - for one on standard input')
    .requiredOption('-o, --output <file>', 'page to write, - for standard output')
    .addOption(new Option('--against <file>', 'also what differs from this earlier recording'))
    .option('--redact', REDACT)
    .action(async (file, options) =>
      done(await (await import('./commands/report/index.js')).htmlReport(file, options)),
    );

  addTimeRangeOptions(program.command('export'))
    .description('a recording for other tools: Perfetto, DuckDB, pandas, pprof, a flame graph, a spreadsheet')
    .argument('<file>', 'recording, - for one on standard input')
    .addOption(
      new Option('-f, --format <format>', 'format to write')
        .choices(['perfetto', 'parquet', 'jsonl', 'csv', 'folded', 'pprof', 'recording'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('-t, --table <table>', 'what the rows are, of parquet, jsonl and csv (default: lifecycles)').choices([
        'lifecycles',
        'attempts',
        'waits',
        'stacks',
        'events',
      ]),
    )
    .addOption(
      new Option('--weight <weight>', 'what a stack weighs, of folded and pprof (default: count)').choices([
        'count',
        'time',
      ]),
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

  followAll(addTimeRangeOptions(addLiveOptions(program.command('check'))))
    .description('the rules of page-fault locking: held or violated')
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to check, - for one on standard input')
    .addOption(new Option('--json', 'one JSON document'))
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      done(await (await import('./commands/check/index.js')).check(file, command, options));
    });

  addTimeRangeOptions(addLiveOptions(program.command('verdict')))
    .description('drop, retry or keep the VMA lock: what each policy would cost the same faults')
    .usage('[options] [FILE|-] [-- COMMAND…]')
    .argument('[file]', 'recording to judge, - for one on standard input')
    .addOption(new Option('--json', 'one JSON document'))
    .addOption(
      new Option('-o, --output <file>', 'also write an HTML page with distributions; - for that alone on stdout'),
    )
    .action(async (file, options, self: Command) => {
      if (file !== undefined) rejectLiveOptions(self);
      else rejectTimeRange(self);
      done(await (await import('./commands/verdict/index.js')).verdict(file, command, options));
    });

  program
    .command('daemon')
    .description('metrics, alerts and a flight recorder, for as long as the host runs')
    .requiredOption('--config <file>', 'configuration, TOML (docs/daemon.md)')
    .addOption(new Option('--check-config', 'only say whether the configuration can be used'))
    .addOption(new Option('--play <file>', 'play a recording at its pace in place of the kernel, to try things out'))
    .action(async (options) => done(await (await import('./commands/daemon/index.js')).daemon(options)));

  program
    .command('doctor')
    .description('what works on this host, what not, why, and what to do')
    .addOption(new Option('--json', 'one JSON document'))
    .addOption(new Option('-q, --quiet', 'only the verdict, in one line'))
    .addOption(new Option('-v, --verbose', 'also all that the verifier says of a program it refuses'))
    .action(async (options) => done(await (await import('./commands/doctor/index.js')).doctor(options)));

  program
    .command('completion')
    .description('a script that completes commands, options and their values')
    .addArgument(new Argument('<shell>', 'shell to write it for').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) =>
      done(await (await import('./commands/completion/index.js')).completion(shell, commandTree(program))),
    );

  for (const one of program.commands) one.addHelpText('after', examplesText(PROGRAM, one.name()));
  return program;
}

/** Most rules are about every fault, so `check` follows all of them unless told otherwise. */
function followAll(command: Command): Command {
  const scope = command.options.find((option) => option.attributeName() === 'scope');
  scope?.default('all');
  return command.setOptionValueWithSource('scope', 'all', 'default');
}
