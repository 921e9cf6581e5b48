// SPDX-License-Identifier: MIT
/** The command tree. Commands are loaded when they run: `--help` loads commander and nothing else. */
import { Argument, Command, Option } from 'commander';
import { packageVersion } from '../src/resources.js';
import { PROGRAM } from './common/process.js';
import { commandTree } from './common/tree.js';
import { examplesText } from './examples.js';
import { addJudgingCommands, addSessionCommands, type Done } from './live-commands.js';
import { addRecordingCommands } from './recording-commands.js';

/** Words before `--` are ours, words after it are the command to run. commander does not keep them apart. */
export function splitArguments(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly command: readonly string[] | null;
} {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, command: null } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}

const GLOBAL = new Set(['-h', '--help', '-V', '--version']);

/** `top` is the command nobody has to name: no words at all, or options alone. */
export function withDefaultCommand(own: readonly string[]): readonly string[] {
  const [first] = own;
  return first === undefined || (first.startsWith('-') && !GLOBAL.has(first)) ? ['top', ...own] : own;
}

export function buildProgram(command: readonly string[], done: Done): Command {
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

  addSessionCommands(program, command, done);
  addRecordingCommands(program, done);
  addJudgingCommands(program, command, done);

  program
    .command('daemon')
    .description('metrics, alerts and a flight recorder, for as long as the host runs')
    .requiredOption('--config <file>', 'configuration in TOML (docs/daemon.md)')
    .addOption(new Option('--check-config', 'only check whether the configuration can be used'))
    .addOption(
      new Option('--play <file>', 'observe a recording, played at its pace, instead of the kernel, to try things out'),
    )
    .action(async (options) => done(await (await import('./commands/daemon/index.js')).daemon(options)));

  program
    .command('doctor')
    .description('what works on this host, what does not, why, and what to do')
    .addOption(new Option('--json', 'one JSON document'))
    .addOption(new Option('-q, --quiet', 'only the result, on one line'))
    .addOption(new Option('-v, --verbose', "also print the verifier's whole log of each program it refuses"))
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
