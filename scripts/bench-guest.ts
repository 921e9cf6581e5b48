// SPDX-License-Identifier: MIT
/** A guest whose clock counts instructions (QEMU's -icount), for `make bench-vm`. */
import { type GuestOptions, runInGuest } from '../test/vm/guest.js';

/** Some sessions of a program and a start of Node each, at a few hundred million instructions a second. */
const TIMEOUT_S = 3000;

/** What `script` of test/vm/guest prints there, a JSON line a case, and the kernel's release. Throws when the guest fails. */
export async function countInGuest<Line>(
  kernel: string,
  script: string,
  args: readonly string[],
  needs: Pick<GuestOptions, 'swap' | 'mods'> = {},
): Promise<{ release: string; lines: Line[] }> {
  const { code, stdout, stderr } = await runInGuest({
    ...needs,
    kernel,
    argv: ['bash', '-c', `uname -r; exec test/vm/guest/${script} "$@"`, 'bash', ...args],
    smp: 1,
    icount: 'shift=0,sleep=off',
    timeoutS: TIMEOUT_S,
  });
  if (code !== 0) throw new Error(`the guest on ${kernel} ended with ${code}:\n${stdout}${stderr}`);
  const [release = kernel, ...lines] = stdout.trim().split('\n');
  return { release, lines: lines.map((line) => JSON.parse(line) as Line) };
}
