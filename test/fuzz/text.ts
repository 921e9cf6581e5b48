// SPDX-License-Identifier: MIT
/** What people write: configurations, rules, command lines. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { usageError } from '../../cli/common/usage.js';
import { buildProgram, splitArguments, withDefaultCommand } from '../../cli/program.js';
import { compileCondition, ExpressionError, fieldTypes } from '../../src/actions/cel.js';
import { GROUPINGS } from '../../src/core/alerts/event.js';
import { KEYS } from '../../src/daemon/config.js';
import { fileName, parseConfig } from '../../src/daemon/read-config.js';
import { UserError } from '../../src/errors.js';
import { configText, ruleText } from './grammar.js';
import { type CaseRandom, mutateText, oddText } from './random.js';
import { type Prepared, refusal, type Target } from './target.js';

const read = (path: string): string => readFileSync(path, 'utf8');

export const config: Target = {
  name: 'config',
  async prepare(): Promise<Prepared> {
    const daemon = read('share/systemd/daemon.toml').replace(/^#.*\n/gm, '');
    // Few rules: each is compiled.
    const rules = read('share/alerts/default.toml')
      .replace(/^#.*\n/gm, '')
      .split(/(?=\[\[rule\]\])/)
      .filter((rule) => rule.includes('name'));
    const words = Object.entries(KEYS).flatMap(([table, keys]) => [
      `[${table}]\n`,
      ...Object.keys(keys).map((key) => `${fileName(key)} = `),
    ]);
    words.push(
      '[[rule]]\n',
      '[[action]]\ntype = "exec"\nargv = ["/bin/true"]\n',
      'type = "webhook"\nurl = "http://127.0.0.1/"\n',
      'headers = {}',
      '"64K"',
      '"5s"',
      'true',
      '[',
      '{ a = 1 }',
      '1979-05-27T07:32:00Z',
    );
    let used = 0;
    return {
      used: () => used,
      async run(random) {
        const text = `${random.one(3) ? '' : daemon}${random.pick(rules)}`;
        try {
          const own = random.one(2) ? configText(random) : mutateText(random, text, words);
          await parseConfig(random.one(8) ? mutateText(random, own, words) : own, 'it');
          used++;
        } catch (error) {
          refusal(error);
          // The file and what to do are named, whatever stands in it.
          if (error instanceof UserError && (!error.message.includes('it') || error.remedy === '')) throw error;
        }
      },
    };
  },
};

export const rules: Target = {
  name: 'rules',
  async prepare(): Promise<Prepared> {
    const texts = [...read('share/alerts/default.toml').matchAll(/^(?:when|clear) = ["'](.*)["']$/gm)].map(
      (match) => match[1] as string,
    );
    texts.push(
      'comm.startsWith("postgres") && retry_rate > 100',
      '[1, 2, 3].exists(x, x > retry_rate)',
      'cause == "anon_vma" ? rate > 1 : rate < 2',
      'comm.matches("^(a+)+$")',
      '{"a": 1}.a == 1',
      'size(comm) > 3',
      'timestamp("2024-01-01T00:00:00Z") > timestamp("2023-01-01T00:00:00Z")',
    );
    const groups = [null, ...GROUPINGS];
    const words = [
      ...groups.flatMap((group) => [...fieldTypes(group).keys()]),
      '&&',
      '||',
      '!',
      '<',
      '>=',
      '==',
      '+',
      '-',
      '*',
      '/',
      '%',
      '?',
      ':',
      '(',
      ')',
      '[',
      ']',
      'in',
      'has(',
      '.matches("',
      '.map(x, ',
      'duration("',
      'bytes(',
      'dyn(',
      '1u',
      '0x',
      "'",
    ];
    let used = 0;
    return {
      used: () => used,
      run(random) {
        const group = random.pick(groups);
        try {
          const own = random.one(2) ? ruleText(random, group) : random.pick(texts);
          const condition = compileCondition(random.one(3) ? mutateText(random, own, words) : own, group);
          const known = Object.fromEntries(
            [...fieldTypes(group)]
              .filter(() => !random.one(4))
              .map(([name, type]) => [
                name,
                type === 'string' ? oddText(random) : random.pick([0, 1, -1, 0.5, 1e300, Number.MAX_SAFE_INTEGER]),
              ]),
          );
          condition.test(known);
          used++;
        } catch (error) {
          if (!(error instanceof ExpressionError)) refusal(error);
        }
      },
    };
  },
};

/** As main.ts does, with actions that do nothing: what is tried is everything before them. */
async function parse(argv: readonly string[]): Promise<void> {
  const { own, command } = splitArguments(argv);
  const program = buildProgram(command ?? [], () => {});
  program.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const each of program.commands)
    each
      .exitOverride()
      .configureOutput({ writeOut: () => {}, writeErr: () => {} })
      .action(() => {});
  try {
    await program.parseAsync(withDefaultCommand(own) as string[], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(error, own[0]);
  }
}

export const commandLine: Target = {
  name: 'command-line',
  async prepare(): Promise<Prepared> {
    const { commands } = buildProgram([], () => {});
    const flags = commands.map((command) =>
      command.options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined)),
    );
    const values = [
      '1',
      '0',
      '-1',
      '1.5',
      '10s',
      '5m',
      '64M',
      '1e3',
      '0x10',
      'retry',
      'all',
      'kernel,user',
      'a.vmlt',
      '-',
      '',
      '/dev/null',
      '4294967296',
      '9'.repeat(40),
      'NaN',
      '1..2',
      '\x1b[2J',
      'é',
      '10:00:00',
      '+5s',
      '--',
      '--help',
    ];
    let used = 0;
    const word = (random: CaseRandom, at: number): string => {
      if (random.one(2)) return random.pick(values);
      const flag = random.pick(random.one(10) ? flags.flat() : (flags[at] as string[])) ?? '-x';
      return random.one(4) ? mutateText(random, random.one(2) ? `${flag}=${random.pick(values)}` : flag, values) : flag;
    };
    return {
      used: () => used,
      async run(random) {
        const at = random.below(commands.length);
        const argv = Array.from({ length: random.below(7) }, () => word(random, at));
        if (!random.one(8)) argv.unshift(commands[at]?.name() ?? '');
        try {
          await parse(argv);
          used++;
        } catch (error) {
          refusal(error);
        }
      },
    };
  },
};
