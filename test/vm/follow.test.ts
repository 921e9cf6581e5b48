// SPDX-License-Identifier: MIT
/** Sessions that follow some processes only: by pid, of a command, inside PID and time namespaces. Counts, never times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEW_TASK } from '../../src/live/hooks.js';
import { kernels, matrixOnly, oneKernel, runInGuest } from './guest.js';
import type { Stat } from './session.js';

interface Run {
  run: string;
  code: number;
  truth: { pid: number; truth: number } | null;
  stat: Stat | null;
  words: string;
  /** The process observed, or the observer. */
  pid?: number;
  reused?: number;
  /** What another workload of the session says. */
  own?: { pid: number; truth: number };
  /** Lifecycles by process. */
  faults?: Record<string, number>;
  /** Holds of mmap_lock, by comm. */
  holds?: Record<string, number>;
  uptime?: number;
  info?: { session: { baseNs: string } };
}

/** PID_MAX_LIMIT: added to the pids of processes outside the namespace. */
const OUTSIDE = 2 ** 22;
const skip = await matrixOnly();

async function follow(kernel: string, ...names: string[]): Promise<Map<string, Run>> {
  const result = await runInGuest({ kernel, timeoutS: 1500, argv: ['test/vm/guest/follow', ...names] });
  assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
  const runs = result.stdout.trim().split('\n');
  return new Map(runs.map((line) => JSON.parse(line) as Run).map((run) => [run.run, run]));
}

/** Exactly the pages touched; short of them by no more than the runs the kernel says it skipped. */
function assertTruth(runs: ReadonlyMap<string, Run>, name: string): Run {
  const run = runs.get(name);
  assert.ok(run, `${name} did not run`);
  assert.equal(run.code, 0, `${name}: ${run.words}`);
  assert.ok(run.truth && run.stat, `${name}: ${run.words}`);
  const { faults } = run.stat.counts;
  const { truth } = run.truth;
  assert.ok(
    faults <= truth && faults >= truth - run.stat.events.missed,
    `${name}: ${faults} faults of ${truth}, ${run.stat.events.missed} missed`,
  );
  return run;
}

for (const kernel of oneKernel) {
  test(`${kernel}: any number of children is followed`, { skip }, async () => {
    assertTruth(await follow(kernel, 'forks'), 'forks');
  });

  test(`${kernel}: either hook of new tasks shows them alone`, { skip }, async () => {
    const names = NEW_TASK.map((hook) => `one-witness-${hook}`);
    const runs = await follow(kernel, ...names);
    for (const name of names) assertTruth(runs, name);
  });

  test(`${kernel}: who gets the pid of a followed process is a stranger`, { skip }, async () => {
    const runs = await follow(kernel, 'pid-reuse', 'command-reuse', 'absent');
    assert.equal(assertTruth(runs, 'pid-reuse').reused, 1, 'no stranger got the pid: nothing was tested');
    assertTruth(runs, 'command-reuse');
    const absent = runs.get('absent');
    assert.equal(absent?.code, 2, absent?.words);
    assert.match(absent?.words ?? '', /cannot follow process \d+: there is none of that pid/);
  });

  test(`${kernel}: whose mm lies where one of a followed process lay is a stranger`, { skip }, async () => {
    const run = (await follow(kernel, 'mm-reuse')).get('mm-reuse');
    assert.equal(run?.code, 0, run?.words);
    assert.ok((run.holds?.follower ?? 0) > 100, JSON.stringify(run.holds));
    assert.equal(run.holds?.stranger, 0, JSON.stringify(run.holds));
  });

  test(`${kernel}: in a time namespace`, { skip }, async () => {
    const run = assertTruth(await follow(kernel, 'time-ns'), 'time-ns');
    // The kernel's clock, which is no older than the guest; the namespace's is ten days ahead.
    assert.ok(Number(run.info?.session.baseNs) / 1e9 <= (run.uptime ?? 0), `zero at ${run.info?.session.baseNs}`);
  });
}

for (const kernel of kernels) {
  test(`${kernel}: a cgroup and what lies below it, and no other`, { skip }, async () => {
    const runs = await follow(kernel, 'cgroups');
    const run = runs.get('cgroups');
    assert.equal(run?.code, 0, run?.words);
    const truths = [run.truth, run.own].map((one) => one?.truth ?? 0);
    assert.deepEqual(truths, [900, 500]);
    const { faults } = run.stat?.counts ?? { faults: 0 };
    const missed = run.stat?.events.missed ?? 0;
    // Strangers, and the cgroup above, touch 700 and 300 pages under the same name.
    assert.ok(faults <= 1400 && faults >= 1400 - missed, `${faults} faults of 1400, ${missed} missed`);
    const followed = [run.truth?.pid, run.own?.pid].map(String).sort();
    assert.deepEqual(Object.keys(run.faults ?? {}).sort(), followed);
    assert.equal(run.stat?.filters.cgroup, '/followed/deep');
    const absent = runs.get('cgroup-absent');
    assert.equal(absent?.code, 2, absent?.words);
    assert.match(absent?.words ?? '', /cannot follow cgroup \/nowhere: there is none on this host\n→ systemd-cgls/);
    assertTruth(runs, 'namespaced-cgroup');
  });

  test(`${kernel}: in a PID namespace`, { skip }, async () => {
    const runs = await follow(kernel, 'pid-ns', 'host-proc', 'no-proc');
    for (const name of ['pid-ns-command', 'pid-ns-pid', 'host-proc-command']) assertTruth(runs, name);
    const lost = runs.get('no-proc-command');
    assert.equal(lost?.code, 3, lost?.words);
    assert.match(lost.words, /: find out whose pids these are: .*\n→ mount the \/proc of this PID namespace/);
    const all = runs.get('pid-ns-all');
    assert.equal(all?.code, 0, all?.words);
    // Its pid as the process itself says it.
    const ofLast = all.faults?.[all.truth?.pid ?? 0] ?? 0;
    assert.ok(ofLast >= (all.truth?.truth ?? 0) - (all.stat?.events.missed ?? 0), `${ofLast} faults of the last child`);
    const everyone = runs.get('pid-ns-everyone');
    assert.equal(everyone?.code, 0, everyone?.words);
    const pids = Object.keys(everyone.faults ?? {}).map(Number);
    assert.equal(pids.includes(everyone.pid ?? 0), false, 'it observed itself');
    assert.ok(
      pids.some((pid) => pid < OUTSIDE),
      'processes of the namespace were seen',
    );
  });
}
