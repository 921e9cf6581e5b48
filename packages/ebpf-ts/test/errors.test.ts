// SPDX-License-Identifier: MIT
/** What an errno is called, what of libbpf's log becomes of an error, and signals that wait for a call to end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { errnoName, loadError, VerifierError } from '../src/errors.js';
import { withSignalsHeld } from '../src/signals.js';

/** libbpf 1.1 when the verifier answered `errno` and had said `lines`. */
const log = (errno: string, ...lines: readonly string[]): string =>
  [
    `libbpf: prog 'all': BPF program load failed: ${errno}`,
    "libbpf: prog 'all': -- BEGIN PROG LOAD LOG --",
    ...lines,
    'processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
    '-- END PROG LOAD LOG --',
    "libbpf: prog 'all': failed to load: -11",
    "libbpf: failed to load object 'core'",
  ].join('\n');

describe('errors', () => {
  it('an errno has the name that the kernel gives it', () => {
    assert.deepEqual([1, 11, 95, 524, 9999].map(errnoName), [
      'EPERM',
      'EAGAIN',
      'EOPNOTSUPP',
      'ENOTSUPP',
      'errno 9999',
    ]);
  });

  it('a load that was interrupted is not called refused', () => {
    const said = log('Resource temporarily unavailable', '0: (b7) r0 = 0');
    const error = loadError('load BPF programs', constants.errno.EAGAIN, said);
    assert.ok(!(error instanceof VerifierError));
    assert.deepEqual([error.code, error.log], ['EAGAIN', said]);
    assert.match(error.why, /interrupted by a signal/);
    assert.match(error.remedy, /profiler/);
  });

  it('a load that the verifier refused is', () => {
    const error = loadError('load', constants.errno.EACCES, log('Permission denied', "R1 invalid mem access 'scalar'"));
    assert.ok(error instanceof VerifierError);
    assert.deepEqual([error.program, error.code], ['all', 'EACCES']);
    assert.equal(error.message, "load: the verifier refused all: R1 invalid mem access 'scalar'");
  });
});

describe('signals', () => {
  const blocked = (): bigint =>
    BigInt(`0x${/^SigBlk:\s+(\w+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1]}`);
  const bit = (name: keyof typeof constants.signals): bigint => 1n << BigInt(constants.signals[name] - 1);

  it('are held back during a call and not after, whether it throws or not', () => {
    const before = blocked();
    const during = withSignalsHeld(blocked);
    for (const name of ['SIGPROF', 'SIGALRM', 'SIGUSR2', 'SIGINT', 'SIGCHLD'] as const)
      assert.ok((during & bit(name)) !== 0n, name);
    // What a thread does to itself ends it at once, blocked or not; a handler of it must still run.
    for (const name of ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP'] as const)
      assert.ok((during & bit(name)) === 0n, name);
    assert.equal(blocked(), before);
    assert.throws(() =>
      withSignalsHeld(() => {
        throw new Error();
      }),
    );
    assert.equal(blocked(), before);
  });
});
