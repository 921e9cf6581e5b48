// SPDX-License-Identifier: MIT
import { isPath, type TreeCommand, type TreeOption } from '../../common/tree.js';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** Inside a spec of _arguments brackets and colons have a meaning. */
const escaped = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

function action(name: string, choices: readonly string[]): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  return isPath(name) ? '_files' : ' ';
}

function spec(option: TreeOption): readonly string[] {
  const words = `[${escaped(option.description)}]`;
  const value = option.value.startsWith('<')
    ? `:${escaped(option.value.replace(/[<>.]/g, ''))}:${action(option.value, option.choices)}`
    : '';
  const both = [option.short, option.long].filter((flag) => flag !== null);
  return both.map((flag) => quoted(`*${flag}${words}${value}`));
}

export function zsh(program: string, commands: readonly TreeCommand[]): string {
  const cases = commands.map((command) => {
    const args = command.arguments.map(({ name, choices }) =>
      quoted(`*:${escaped(name)}:${action(`file ${name}`, choices)}`),
    );
    const specs = [...command.options.flatMap(spec), ...args.slice(0, 1)];
    return `    ${command.name})\n      _arguments ${specs.join(' \\\n        ')} ;;`;
  });
  return `#compdef ${program}
_${program}() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${escaped(description)}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
# Sourced it only declares itself; autoloaded it is the function that compinit calls.
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}
