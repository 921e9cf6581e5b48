// SPDX-License-Identifier: MIT
/** Runs a command on a stock kernel in a virtual machine (test/vm/run-in-vm), for node:test suites. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paceHere } from '../pace.js';

/** The repository's root: this file runs as dist/test/vm/guest.js, and the guest sees the same path. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

const chosen = (process.env.VM_KERNELS ?? '').split(/\s+/).filter((name) => name !== '');

/** Series to test: VM_KERNELS, or one whose VMA lock is an rw_semaphore and one where it is a reference count. */
export const kernels: readonly string[] = chosen.length > 0 ? chosen : ['6.12', '7.3'];

/** `make test-matrix`: every kernel for every test, and each way of preempting it. */
export const matrix: boolean = process.env.VM_MATRIX === '1';

/** For tests of the user side, to which one kernel is like another: the last one; all of them in the matrix. */
export const oneKernel: readonly string[] = matrix ? kernels : kernels.slice(-1);

/** For what takes minutes, beside what `oneKernel` has: the first one, so that both are met; all of them in the matrix. */
export const firstKernel: readonly string[] = matrix ? kernels : kernels.slice(0, 1);

/** PREEMPT_RT: spinlocks sleep there, so that a thread's voluntary context switches are no count of its waits. */
export const isRealTime = (kernel: string): boolean => /-rt\b/.test(kernel);

export const isArm64 = (kernel: string): boolean => /-arm64\b/.test(kernel);

/** What run-in-vm exits with when it is not the command that exits. */
export const GUEST_TIMED_OUT = 124;
export const GUEST_DIED = 125;
export const GUEST_IMPOSSIBLE = 126;

export interface GuestOptions {
  /** A series ('6.12') or a cached version ('6.12.95+deb12-amd64'). */
  kernel: string;
  /** Command and arguments; runs as root in the repository's root. */
  argv: readonly string[];
  /** Kind of swap to set up, with a memory cgroup in $CG: see test/vm/guest/swap-setup. 'disk' and 'gate' need a disk. */
  swap?: 'disk' | 'gate' | 'slow' | 'zram';
  /** Sizes of /dev/vda, /dev/vdb…, with QEMU's drive options: '512M', '512M,throttling.iops-total=400'. */
  disks?: readonly string[];
  /** Modules to load first. */
  mods?: readonly string[];
  /** More kernel command line, such as 'preempt=full'. */
  append?: string;
  /** Memory, as QEMU takes it. Default '2G'. */
  mem?: string;
  /** Number of CPUs, all on one host thread. Default: VM_SMP, else 2. */
  smp?: number;
  /** A directory of the host the guest may write to, at the same path. */
  share?: string;
  /**
   * Seconds for boot and command together, on a machine four times as slow as a quiet one; on one that is slower still as many
   * more (test/pace.ts). Default: 300, times the pace.
   */
  timeoutS?: number;
  /** One host thread a CPU, whose clock is then the host's. Default: all CPUs on one. */
  threads?: 'multi';
  /** QEMU's -icount: 'shift=0,sleep=off' makes a guest nanosecond an instruction. */
  icount?: string;
  /** A plugin of TCG: 'FILE.so,name=value'. */
  plugin?: string;
}

export interface GuestResult {
  /** The command's exit status, or one of GUEST_*. */
  code: number;
  stdout: string;
  stderr: string;
  /** The kernel's console. */
  log: string;
}

function limitOf({ timeoutS }: GuestOptions): number {
  return Math.ceil(timeoutS === undefined ? 300 * paceHere() : timeoutS * Math.max(1, paceHere() / 4));
}

function runInVmArgs(options: GuestOptions, log: string): string[] {
  const args = ['--retry', '--cwd', root, '--log', log, '--timeout', String(limitOf(options))];
  for (const disk of options.disks ?? []) args.push('--disk', disk);
  if (options.mods !== undefined) args.push('--mods', options.mods.join(' '));
  if (options.append !== undefined) args.push('--append', options.append);
  if (options.mem !== undefined) args.push('--mem', options.mem);
  const smp = options.smp ?? process.env.VM_SMP;
  if (smp !== undefined) args.push('--smp', String(smp));
  if (options.share !== undefined) args.push('--share', options.share);
  if (options.threads !== undefined) args.push('--threads', options.threads);
  if (options.icount !== undefined) args.push('--icount', options.icount);
  if (options.plugin !== undefined) args.push('--plugin', options.plugin);
  const swap = options.swap === undefined ? [] : ['test/vm/guest/swap-setup', options.swap];
  return [...args, options.kernel, '--', ...swap, ...options.argv];
}

/**
 * Boots, runs, returns when the guest is gone. A guest that dies is started once more, and stderr says so.
 * Never rejects over what happens in the guest; rejects when run-in-vm itself cannot be started.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestResult> {
  const directory = await mkdtemp(join(tmpdir(), 'guest-'));
  const log = join(directory, 'console');
  try {
    const child = spawn(join(root, 'test/vm/run-in-vm'), runInVmArgs(options, log), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve(status ?? GUEST_DIED));
    });
    return {
      code,
      stdout: Buffer.concat(chunks.stdout).toString(),
      stderr: Buffer.concat(chunks.stderr).toString(),
      log: await readFile(log, 'utf8').catch(() => ''),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Kernels of another architecture that `make test-matrix` fetches, and builds for: pages of 4 KiB, and of 16. */
export const armKernels: readonly string[] = ['7.3-arm64', '7.3-arm64-16k'];

/**
 * Why no guest can run here, or undefined when one can: for node:test's `skip`, which prints it.
 * Only QEMU itself being impossible counts; a kernel that is not cached, or a guest that fails, is a failing test.
 */
export async function guestImpossible(qemu: string = 'qemu-system-x86_64'): Promise<string | undefined> {
  if (process.arch !== 'x64') return `test kernels are booted on x86-64, this machine is ${process.arch}`;
  const found = await new Promise<boolean>((resolve) => {
    const child = spawn(qemu, ['--version'], { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('close', (status) => resolve(status === 0));
  });
  return found ? undefined : `${qemu} does not run here: see make setup`;
}

/** For `skip` of what the short form of a test leaves out. */
export const ONLY_IN_MATRIX = 'only in make test-matrix';

/** For tests that take long, or are new and have not yet been seen on every kernel. */
export async function matrixOnly(qemu?: string): Promise<string | false> {
  return (await guestImpossible(qemu)) ?? (matrix ? false : ONLY_IN_MATRIX);
}
