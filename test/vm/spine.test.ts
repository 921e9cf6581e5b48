// SPDX-License-Identifier: MIT
/**
 * The tool against truths known beforehand, on real kernels: what `stat --json` says of a workload must be what the
 * workload made, to the event. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GuestOptions, guestImpossible, kernels, runInGuest } from './guest.js';

const skip = (await guestImpossible()) ?? false;
const DISK = ['512M'];

interface Address {
  address: string;
  lifecycles: number;
  retries: number;
  joined: number;
  byCause: Record<string, number>;
  byEnd: Record<string, number>;
}
interface Rule {
  count: number;
  unbounded: number;
  width: { count: number; p50Ns: number | null; p99Ns: number | null; maxNs: number | null };
  checked: number;
  outside: number;
}
interface Stat {
  ended: boolean;
  preemption: string;
  release: string;
  counts: { vmaLock: { retry: number } };
  events: {
    emitted: number;
    decoded: number;
    dropped: number;
    missed: number;
    perKind: Record<string, Record<string, number>>;
  };
  lifecycles: { total: number; incomplete: number; byEnd: Record<string, number> };
  retry: { total: number; byCause: Record<string, number> };
  swap: { faults: number };
  releaseRules: Record<string, Rule>;
  addresses: Address[];
}
interface Run {
  run: string;
  code: number;
  truth: { address?: string; truth?: number } | null;
  stat: Stat | null;
  words: string;
}

async function runs(mode: string, options: Omit<GuestOptions, 'argv'>): Promise<Run[]> {
  const result = await runInGuest({ timeoutS: 900, ...options, argv: ['test/vm/guest/spine', mode] });
  assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
}

function statOf(run: Run): Stat {
  assert.equal(run.code, 0, `${run.run}: ${run.words}`);
  assert.ok(run.stat, `${run.run}: no summary; ${run.words}`);
  return run.stat;
}

/** emitted = decoded + dropped, in all and kind by kind. */
function assertConserved(name: string, { events }: Stat): void {
  assert.equal(events.emitted, events.decoded + events.dropped, `${name}: the law of conservation`);
  for (const [kind, { emitted, decoded, dropped }] of Object.entries(events.perKind))
    assert.equal(emitted, (decoded ?? 0) + (dropped ?? 0), `${name}: ${kind}`);
}

/** Retries of a cause and of its finer ones: `folio locked` is `folio locked: own read` as well. */
function ofCause(byCause: Record<string, number>, cause: string): number {
  return Object.entries(byCause)
    .filter(([name]) => name === cause || name.startsWith(`${cause}:`))
    .reduce((sum, [, n]) => sum + n, 0);
}

/** Exactly the waiters' retries, each whole; short of that by no more than the runs the kernel says it skipped. */
function assertGate(run: Run, cause: string): string {
  const stat = statOf(run);
  const { truth, address } = run.truth ?? {};
  assert.ok(truth !== undefined && address !== undefined, `${run.run}: the workload said no truth; ${run.words}`);
  const gate = stat.addresses.find((row) => row.address === address);
  assert.ok(gate, `${run.run}: ${address} is not among the addresses`);
  assertConserved(run.run, stat);
  assert.equal(stat.events.dropped, 0, run.run);
  assert.equal(stat.ended, true, run.run);
  const { missed } = stat.events;
  const whole = gate.byEnd['ok-mmap'] ?? 0;
  if (missed === 0) {
    assert.equal(gate.retries, truth, `${run.run}: retries`);
    assert.equal(ofCause(gate.byCause, cause), truth, `${run.run}: ${cause}`);
    assert.equal(gate.joined, truth, `${run.run}: joined to their mmap_lock attempt`);
    assert.deepEqual(gate.byEnd, { 'ok-mmap': truth }, `${run.run}: ends`);
    assert.equal(stat.lifecycles.incomplete, 0, run.run);
  } else {
    for (const [what, n] of Object.entries({
      retries: gate.retries,
      cause: ofCause(gate.byCause, cause),
      joined: gate.joined,
      whole,
    })) {
      assert.ok(n <= truth, `${run.run}: ${what} ${n} exceeds the truth ${truth}`);
      assert.ok(truth - n <= missed, `${run.run}: ${what} ${n} is short of ${truth} by more than the ${missed} missed`);
    }
  }
  return `${run.run}: truth ${truth}, retries ${gate.retries}, ${cause} ${ofCause(gate.byCause, cause)}, joined ${gate.joined}, whole ${whole}, missed ${missed}`;
}

const configurations = kernels.flatMap((kernel) => [
  { kernel, name: kernel, append: '' },
  { kernel, name: `${kernel} preempt=full`, append: 'preempt=full' },
]);

for (const { kernel, name, append } of configurations) {
  test(`${name}: every waiter at a gate is one retry with its cause, its fallback and its end`, { skip }, async (t) => {
    const all = await runs('gates', { kernel, swap: 'gate', disks: DISK, ...(append === '' ? {} : { append }) });
    assert.deepEqual(
      all.map(({ run }) => run),
      [8, 32, 128].flatMap((n) => [`gate-${n}`, `uffd-gate-${n}`]),
    );
    for (const run of all) t.diagnostic(assertGate(run, run.run.startsWith('uffd') ? 'userfault' : 'folio locked'));
  });
}

test('6.12: the exact release lies inside the derived interval of every lifecycle', { skip }, async (t) => {
  const [run] = await runs('release', { kernel: '6.12', swap: 'disk', disks: DISK });
  assert.ok(run);
  const stat = statOf(run);
  assertConserved(run.run, stat);
  assert.equal(stat.release, 'observed');
  assert.ok(stat.swap.faults >= 5000, `only ${stat.swap.faults} swap faults`);
  let checked = 0;
  for (const [rule, { count, unbounded, width, checked: both, outside }] of Object.entries(stat.releaseRules)) {
    t.diagnostic(
      `${rule}: ${count} releases, ${both} with both times, ${outside} outside, ${unbounded} without upper bound; ` +
        `hi - lo of ${width.count}: p50 ${width.p50Ns} ns, p99 ${width.p99Ns} ns, max ${width.maxNs} ns`,
    );
    checked += both;
    assert.equal(outside, 0, `${rule}: exact releases outside the derived interval`);
  }
  assert.ok(
    checked + stat.events.missed >= 5000,
    `only ${checked} releases had both times, missed ${stat.events.missed}`,
  );
});

for (const kernel of kernels) {
  test(`${kernel}: a ring of one page loses events, and every one of them is counted`, { skip }, async (t) => {
    const [run] = await runs('ring', { kernel, swap: 'disk', disks: DISK });
    assert.ok(run);
    const stat = statOf(run);
    assertConserved(run.run, stat);
    assert.ok(stat.events.dropped > 0, 'nothing was dropped: the ring is not small enough to show anything');
    t.diagnostic(
      `emitted ${stat.events.emitted} = decoded ${stat.events.decoded} + dropped ${stat.events.dropped}, missed ${stat.events.missed}`,
    );
  });
}

test('6.1 is refused with the reason: it has no per-VMA locks', { skip }, async () => {
  const script = `for c in 'stat -d 1' doctor; do node dist/cli/main.js $c >/tmp/out 2>&1; echo "$c: $?"; grep -m2 -e 'per-VMA' /tmp/out; done`;
  const result = await runInGuest({ kernel: '6.1', argv: ['bash', '-c', script] });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /stat -d 1: 3\n.*no per-VMA locks/);
  assert.match(result.stdout, /doctor: 3\n.*per-VMA/);
});

for (const kernel of kernels) {
  test(`${kernel}: the dashboard draws real faults in a terminal`, { skip }, async () => {
    const result = await runInGuest({
      kernel,
      swap: 'disk',
      disks: DISK,
      timeoutS: 1200,
      argv: ['test/vm/guest/dashboard'],
    });
    assert.equal(result.code, 0, `${result.stderr}\n${result.stdout}`);
    const screens = JSON.parse(result.stdout) as { size: string; screen: string; after: string }[];
    assert.deepEqual(
      screens.map(({ size }) => size),
      ['80x24', '160x45'],
    );
    for (const { size, screen, after } of screens) {
      const columns = Number(size.split('x')[0]);
      assert.match(screen, /vmalocktop/, size);
      assert.match(screen, /swapload/, `${size}: the workload is not on the screen:\n${screen}`);
      assert.match(screen, /emitted/, size);
      for (const line of screen.split('\n'))
        assert.ok([...line].length <= columns, `${size}: a line is wider than the screen`);
      assert.match(after, /the shell is back/, `${size}: the terminal was not given back:\n${after}`);
    }
  });
}
