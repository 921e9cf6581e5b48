// SPDX-License-Identifier: MIT
/** Runs the built command line as a process of its own: by itself, or bundled, as `make test` has it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN: string = process.env.VMALOCKTOP_MAIN ?? fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string;
  /** Close our end of its stdout after the first bytes. */
  readonly closeAfterFirst?: boolean;
}

export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...argv], { stdio: 'pipe', env: { ...process.env, NO_COLOR: '1' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes) => {
      stdout += String(bytes);
      if (options.closeAfterFirst === true) child.stdout.destroy();
    });
    child.stderr.on('data', (bytes) => {
      stderr += String(bytes);
    });
    // A command that does not read its stdin closes it while we still write.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
