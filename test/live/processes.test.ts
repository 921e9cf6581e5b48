// SPDX-License-Identifier: MIT
/** Names of processes, compared with /proc for a process whose threads have names of their own: this one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { PID_OUTSIDE } from '../../src/core/events/session.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { ProcessRows } from '../../src/live/names/processes.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';

describe('ProcessRows', () => {
  const strings = [''];
  const kernel = createBatch(8, strings);
  const user = createBatch(2, strings);
  const faults = (...threads: readonly (readonly [tgid: number, tid: number, comm: string])[]): EventBatch => {
    clearBatch(kernel);
    for (const [tgid, tid, comm] of threads) {
      const i = kernel.length++;
      kernel.kind[i] = VlKind.SWAP_ENTER;
      kernel.flags[i] = VlStepFlag.INFO;
      kernel.tid[i] = tid;
      kernel.tgid[i] = tgid;
      kernel.comm[i] = strings.push(comm) - 1;
    }
    return kernel;
  };
  const rows = (processes: ProcessRows): unknown[] => {
    clearBatch(user);
    processes.emit(user, 4);
    return Array.from({ length: user.length }, (_, i) => {
      assert.equal(user.kind[i], UserKind.Process);
      return [user.a[i], strings[user.comm[i] ?? 0]];
    });
  };

  it('says what ps says, whichever thread faulted', () => {
    const { pid } = process;
    const others = readdirSync(`/proc/${pid}/task`).map(Number);
    const tid = others.find((task) => task !== pid);
    assert.ok(tid !== undefined, 'node has threads');
    const own = readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
    const ps = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const processes = new ProcessRows(strings);
    processes.note(faults([pid, tid, own], [pid, tid, own]));
    assert.deepEqual(rows(processes), [[pid, ps]]);
    processes.note(faults([pid, tid, own]));
    assert.deepEqual(rows(processes), [], 'once');
  });

  it('asks nobody where the row itself is of the leader, nor for processes of another namespace', () => {
    const asked: number[] = [];
    const processes = new ProcessRows(strings, (tgid) => {
      asked.push(tgid);
      return `process ${tgid}`;
    });
    processes.note(faults([10, 10, 'java'], [10, 11, 'Finalizer'], [PID_OUTSIDE + 5, PID_OUTSIDE + 6, 'io']));
    assert.deepEqual([asked, rows(processes)], [[], []]);
    processes.note(faults([20, 21, 'a'], [30, 31, 'b'], [40, 41, 'c']));
    assert.deepEqual(rows(processes), [
      [20, 'process 20'],
      [30, 'process 30'],
    ]);
    assert.deepEqual(rows(processes), [[40, 'process 40']], 'what found no room comes with the next');
    assert.deepEqual(asked, [20, 30, 40]);
  });

  it('has no name for one that is gone, and says none', () => {
    const processes = new ProcessRows(strings, () => {
      throw new Error('ESRCH');
    });
    processes.note(faults([50, 51, 'x']));
    assert.deepEqual(rows(processes), []);
  });
});
