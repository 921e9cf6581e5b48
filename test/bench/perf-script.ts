// SPDX-License-Identifier: MIT
/** How long `perf script` takes to read as many events, on the same machine and in the same run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PerfBench {
  readonly events: number;
  readonly eventsPerSec: number;
  readonly bytesPerEvent: number;
}

const ROUNDS = 3;
/** Samples a second asked for; the machine gives as many as it can. */
const FREQUENCY = 20_000;

/**
 * Samples of a busy loop by the cpu-clock, about `events` of them, read back as text; the best round counts. perf's
 * samples are as plain as ours: time, task, one address. A string says why it cannot be measured here.
 */
export function benchPerfScript(events: number): PerfBench | string {
  const dir = mkdtempSync(join(tmpdir(), 'vmalocktop-bench-'));
  try {
    const data = join(dir, 'perf.data');
    const busy = `const end = Date.now() + ${Math.ceil((events / FREQUENCY) * 1000)}; while (Date.now() < end);`;
    const argv = ['record', '-q', '-e', 'cpu-clock', '-F', String(FREQUENCY), '-o', data, '--', process.execPath];
    const recorded = spawnSync('perf', [...argv, '-e', busy], { encoding: 'utf8' });
    if (recorded.error) return 'perf is not installed';
    if (recorded.status !== 0) return `perf record failed here: ${recorded.stderr.trim().split('\n')[0]}`;
    let best = 0;
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const fields = ['script', '-i', data, '-F', 'comm,tid,time,event,ip'];
      const { stdout, status } = spawnSync('perf', fields, { maxBuffer: 2 ** 30 });
      const took = performance.now() - began;
      if (status !== 0) return 'perf script failed here';
      seen = stdout.reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
      best = Math.max(best, (seen * 1000) / took);
    }
    const size = Number(spawnSync('stat', ['-c', '%s', data], { encoding: 'utf8' }).stdout);
    return { events: seen, eventsPerSec: best, bytesPerEvent: size / Math.max(1, seen) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
