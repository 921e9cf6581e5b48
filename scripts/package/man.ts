// SPDX-License-Identifier: MIT
/** Man pages from the command tree: vmalocktop(8), and a page for each command. */

import type { TreeCommand, TreeOption } from '../../cli/common/tree.js';
import { EXAMPLES, type Example } from '../../cli/examples.js';

/** Text as roff prints it: a backslash, a hyphen and a dot that begins a line have a meaning there. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('→', '\\(->')
    .replace(/^(['.])/gm, '\\&$1');
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

function flags({ short, long, value }: TreeOption): string {
  const name = value === '' ? '' : ` ${italic(value.replace(/[<>]/g, ''))}`;
  return [short, long].flatMap((flag) => (flag === null ? [] : [bold(flag)])).join(', ') + name;
}

function options(all: readonly TreeOption[]): string {
  const groups = new Map<string, TreeOption[]>();
  for (const option of all) groups.set(option.group, [...(groups.get(option.group) ?? []), option]);
  return [...groups]
    .map(([group, members]) => {
      const rows = members.map((option) => {
        const facts = [
          option.choices.length > 0 ? `one of ${option.choices.join(', ')}` : '',
          option.default === '' ? '' : `default: ${option.default}`,
          option.required ? 'required' : '',
        ].filter((fact) => fact !== '');
        const words = facts.length === 0 ? option.description : `${option.description} (${facts.join('; ')})`;
        return `.TP\n${flags(option)}\n${roff(words)}`;
      });
      return `.SS ${roff(group)}\n${rows.join('\n')}`;
    })
    .join('\n');
}

function examples(program: string, rows: readonly Example[]): string {
  return rows.map(({ words, says }) => `.TP\n${bold(`${program} ${words}`)}\n${roff(says)}`).join('\n');
}

const EXIT = `.SH EXIT STATUS
.TP
.B 0
ok
.TP
.B 1
a finding: a rule violated, an alert fired
.TP
.B 2
usage, or bad input
.TP
.B 3
this host cannot be observed
.TP
.B 70
an error of the program's own
.TP
.B 129, 130, 131, 143
ended by SIGHUP, SIGINT, SIGQUIT, SIGTERM`;

/** By file name. `date` as the page shows it, YYYY-MM-DD. */
export function manPages(
  [program, ...commands]: readonly [TreeCommand, ...TreeCommand[]],
  version: string,
  date: string,
): ReadonlyMap<string, string> {
  const name = program.name;
  const head = (title: string, says: string): string =>
    `.TH ${roff(title.toUpperCase())} 8 ${date} "${name} ${version}" "System Administration"\n.SH NAME\n${roff(title)} \\- ${roff(says)}`;
  const others = (but: string): string =>
    `.SH SEE ALSO\n${[name, ...commands.map((command) => `${name}-${command.name}`)]
      .filter((title) => title !== but)
      .map((title) => `.BR ${roff(title)} (8)`)
      .join(' ,\n')}\n.PP\nThe pages in /usr/share/doc/${name}.`;
  const pages = new Map<string, string>();
  const list = commands.map(
    (command) => `.TP\n.BR ${roff(`${name}-${command.name}`)} (8)\n${roff(command.description)}`,
  );
  pages.set(
    `${name}.8`,
    [
      head(name, 'what page faults do under per-VMA locks'),
      `.SH SYNOPSIS\n${bold(name)} [${italic('command')}] [${italic('options')}]`,
      `.SH DESCRIPTION\n${roff(program.description)}\n.PP\nWithout a command: ${bold('top')}.`,
      `.SH COMMANDS\n${list.join('\n')}`,
      `.SH OPTIONS\n${options(program.options)}`,
      `.SH EXAMPLES\n${examples(name, EXAMPLES[''] ?? [])}`,
      EXIT,
      others(name),
      '',
    ].join('\n'),
  );
  for (const command of commands) {
    const title = `${name}-${command.name}`;
    const args = command.arguments.map((one) => `.TP\n${italic(one.name)}\n${roff(one.description)}`);
    pages.set(
      `${title}.8`,
      [
        head(title, command.description),
        `.SH SYNOPSIS\n${bold(`${name} ${command.name}`)} ${roff(command.usage)}`,
        ...(args.length === 0 ? [] : [`.SH ARGUMENTS\n${args.join('\n')}`]),
        `.SH OPTIONS\n${options(command.options)}`,
        `.SH EXAMPLES\n${examples(name, EXAMPLES[command.name] ?? [])}`,
        EXIT,
        others(title),
        '',
      ].join('\n'),
    );
  }
  return pages;
}
