// SPDX-License-Identifier: MIT
import { isPath, type TreeCommand, type TreeOption } from '../../common/tree.js';

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

function line(program: string, command: TreeCommand, option: TreeOption): string {
  const words = [`complete -c ${program} -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`];
  if (option.short !== null) words.push(`-s ${option.short.slice(1)}`);
  words.push(`-l ${option.long.slice(2)}`);
  if (option.choices.length > 0) words.push(`-x -a ${quoted(option.choices.join(' '))}`);
  else if (option.value.startsWith('<')) words.push(isPath(option.value) ? '-r -F' : '-x');
  words.push(`-d ${quoted(option.description)}`);
  return words.join(' ');
}

export function fish(program: string, commands: readonly TreeCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const first = quoted(`not __fish_seen_subcommand_from ${names}`);
  return `${[
    `# fish completion of ${program}`,
    ...commands.map(
      ({ name, description }) => `complete -c ${program} -n ${first} -f -a ${name} -d ${quoted(description)}`,
    ),
    ...commands.flatMap((command) => command.options.map((option) => line(program, command, option))),
    ...commands.flatMap((command) =>
      command.arguments
        .filter(({ choices }) => choices.length > 0)
        .map(
          ({ choices }) =>
            `complete -c ${program} -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)} -f -a ${quoted(choices.join(' '))}`,
        ),
    ),
  ].join('\n')}\n`;
}
