// SPDX-License-Identifier: MIT
/** `completion`: a script for a shell. It holds the whole tree: at a Tab nothing of ours runs. */
import { textOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { print } from '../../common/process.js';
import type { TreeCommand } from '../../common/tree.js';
import { bash } from './bash.js';
import { fish } from './fish.js';
import { zsh } from './zsh.js';

export const SHELLS: Readonly<Record<string, (program: string, commands: readonly TreeCommand[]) => string>> = {
  bash,
  zsh,
  fish,
};

/** The text of the script; `shell` is one of `SHELLS`. */
export function completionScript(shell: string, [root, ...commands]: readonly [TreeCommand, ...TreeCommand[]]): string {
  return SHELLS[shell]?.(root.name, commands) ?? '';
}

export async function completion(shell: string, tree: readonly [TreeCommand, ...TreeCommand[]]): Promise<number> {
  await print(textOf(completionScript(shell, tree).trimEnd().split('\n')));
  return ExitCode.Ok;
}
