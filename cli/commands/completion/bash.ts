// SPDX-License-Identifier: MIT
import { isPath, type TreeCommand, type TreeOption } from '../../common/tree.js';

const flags = ({ short, long }: TreeOption): readonly string[] => (short === null ? [long] : [short, long]);

/** What is offered as the value of an option: its choices, files (bash's default), or nothing. */
function values(command: TreeCommand, option: TreeOption): string {
  const patterns = flags(option).map((flag) => `${command.name}:${flag}`);
  if (option.choices.length > 0) return `    ${patterns.join('|')}) words='${option.choices.join(' ')}' ;;`;
  return `    ${patterns.join('|')}) ${isPath(option.value) ? '' : 'compopt +o default; '}return ;;`;
}

export function bash(program: string, commands: readonly TreeCommand[]): string {
  const names = commands.map(({ name }) => name);
  const wordsOf = ({ name, options, arguments: args }: TreeCommand): string =>
    `      ${name}) words='${[...args.flatMap(({ choices }) => choices), ...options.flatMap(flags)].join(' ')}' ;;`;
  return `# bash completion of ${program}
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=top words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      ((i + 1 < COMP_CWORD)) || mapfile -t COMPREPLY < <(compgen -c -- "$current")
      return
    fi
  done
  if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '${names.join(' ')}' -- "$current")
    return
  fi
  case \${COMP_WORDS[1]} in
    ${names.join('|')}) command=\${COMP_WORDS[1]} ;;
  esac
  case $command:$previous in
${commands.flatMap((command) => command.options.filter(({ value }) => value.startsWith('<')).map((option) => values(command, option))).join('\n')}
  esac
  if [[ -z $words ]]; then
    case $command in
${commands.map(wordsOf).join('\n')}
    esac
    # An argument that is not an option is a file, unless the command has a list of its own.
    [[ $current == -* || $command == completion ]] || return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _${program} ${program}
`;
}
