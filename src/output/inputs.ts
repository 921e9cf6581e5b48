// SPDX-License-Identifier: MIT
/** What a command reads is never what it writes: compared by device and inode, since one file may have many names. */
import { type BigIntStats, fstatSync, statSync } from 'node:fs';
import { ExitCode, UserError } from '../errors.js';
import { findParts } from '../recording/format/files.js';

type Identity = Pick<BigIntStats, 'dev' | 'ino'>;

function identityOf(file: string | number): Identity | null {
  try {
    const found = typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
    // Two ends of one pipe, or a terminal, may well be both.
    return found.isFile() ? found : null;
  } catch {
    return null; // opening it says what is wrong
  }
}

const isSame = (x: Identity, y: Identity): boolean => x.dev === y.dev && x.ino === y.ino;

/** `-` is standard input, and the name of a rotated recording stands for its parts. */
async function identitiesOf(inputs: readonly string[]): Promise<Identity[]> {
  const files: (string | number)[] = [];
  for (const input of inputs) {
    if (input === '-') files.push(0);
    else files.push(input, ...(await findParts(input).catch(() => [])).map(({ path }) => path));
  }
  return files.map(identityOf).filter((it) => it !== null);
}

/**
 * Rejects with a `UserError` when `output` is one of the files in `inputs`. `-` as the output is standard output: a shell
 * may have put one of them there.
 */
export async function refuseInputs(output: string, inputs: readonly string[]): Promise<void> {
  const target = identityOf(output === '-' ? 1 : output);
  if (target === null) return;
  if (!(await identitiesOf(inputs)).some((input) => isSame(input, target))) return;
  throw new UserError(
    output === '-' ? 'cannot write to standard output' : `cannot write ${output}`,
    'it is the file that is read',
    'name another file; the one that is read was not touched',
    ExitCode.Usage,
  );
}
