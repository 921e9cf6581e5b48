#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** Where the process begins and ends: words in, exit code out. */
import { CommanderError } from 'commander';
import { ExitCode, UserError } from '../src/errors.js';
import { guardDebugger, guardDefects, guardStandardStreams, refuseMangled, report } from './common/process.js';
import { TAKES_COMMAND, usageError } from './common/usage.js';
import { buildProgram, splitArguments, withDefaultCommand } from './program.js';

async function main(argv: readonly string[]): Promise<number> {
  guardDefects();
  guardDebugger();
  guardStandardStreams();
  const { own, command } = splitArguments(argv);
  const words = withDefaultCommand(own);
  let exitCode: number = ExitCode.Ok;
  try {
    refuseMangled(argv);
    if (command !== null && !TAKES_COMMAND.has(words[0] ?? '')) {
      throw new UserError(
        'cannot read the command line',
        `${words[0]} runs no command`,
        '`stat`, `record` and `check` take one after --',
        ExitCode.Usage,
      );
    }
    if (command?.length === 0) {
      throw new UserError(
        'cannot read the command line',
        'no command after --',
        'name one: vmalocktop stat -- make -j8',
        ExitCode.Usage,
      );
    }
    const program = buildProgram(command ?? [], (code) => {
      exitCode = code;
    });
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error);
    return error.exitCode === 0 ? ExitCode.Ok : report(usageError(error, words[0]));
  }
  return exitCode;
}

// Where nothing else keeps the event loop, as while WebAssembly is compiled to read a recording, Node 20 waits for its own threads,
// and for ever if one of them optimises a function and waits for this one to collect garbage (nodejs/node issue 54918).
setInterval(() => {}, 2 ** 30);
const code = await main(process.argv.slice(2));
process.exitCode = code;
// What could not be written, help among it, is said by the stream's own event, which comes before this.
await new Promise((resolve) => process.stdout.write('', resolve));
// stdin or a handle of a failed source may still be open: everything was awaited, so nothing is lost by leaving.
process.exit(code);
