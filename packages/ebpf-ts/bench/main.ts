// SPDX-License-Identifier: MIT
/**
 * What the binding costs beside others, on work that is the same: node dist/bench/main.js [PROGRAM...]
 * PROGRAMs are other libraries' (bench/libbpf.c, bench/cilium.go, bench/rust), which get the same two objects. Needs the right to make
 * maps and to load programs of type raw_tp; nothing is attached.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BpfObject, RingBuffer } from '../src/index.js';

const N = 10_000;
/** Few enough to be done before something else gets the CPU; the fastest chunk counts. */
const CHUNK = 100;
const RECORDS = 100_000;
/** BENCH_ROUNDS, which the other programs get as well. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 20);
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const WORK = file('work.bpf.o');
const CORE = file('../test/core.bpf.o');

const best = new Map<string, number>();
function took<T>(what: string, n: number, work: () => T): T {
  const start = process.hrtime.bigint();
  const result = work();
  const each = Number(process.hrtime.bigint() - start) / n;
  best.set(what, Math.min(best.get(what) ?? Number.POSITIVE_INFINITY, each));
  return result;
}

using object = BpfObject.open(WORK);
object.load();
const map = object.map('numbers');
const typed = object.typed('numbers');
using ring = RingBuffer.open(object.map('ring'));
const fill = (): void => void object.program('fill').testRun();
const value = new Uint8Array(8);
const key = new Uint8Array(4);
const words = new DataView(key.buffer);
let sum = 0n;

/** The way of a loop that calls nothing: headers and payloads through the ring's views. */
function drainRaw(): number {
  const { start, end } = ring.begin();
  const { u32, u64, mask } = ring;
  let [at, n, low] = [start, 0, 0n];
  while (at !== end) {
    const offset = at & mask;
    const header = Atomics.load(u32, offset >>> 2) | 0;
    if (header < 0) break;
    low += u64[(offset + 8) >>> 3] as bigint;
    at = (at + (((header & 0x3fff_ffff) + 15) & ~7)) >>> 0;
    n++;
  }
  ring.commit(at);
  sum += low;
  return n;
}

for (let round = 0; round < ROUNDS; round++) {
  for (let from = 0; from < N; from += CHUNK)
    took('set', CHUNK, () => {
      for (let i = from; i < from + CHUNK; i++) {
        words.setUint32(0, i, true);
        map.set(key, value);
      }
    });
  for (let from = 0; from < N; from += CHUNK)
    took('get', CHUNK, () => {
      for (let i = from; i < from + CHUNK; i++) {
        words.setUint32(0, i, true);
        map.get(key);
      }
    });
  for (let from = 0; from < N; from += CHUNK)
    took('get, typed', CHUNK, () => {
      for (let i = from; i < from + CHUNK; i++) typed.get(i);
    });
  const entries = map.entries();
  for (let from = 0; from < N; from += CHUNK)
    took('walk', CHUNK, () => {
      for (let i = 0; i < CHUNK; i++) entries.next();
    });
  took('batch', N, () => {
    for (const _ of map.batches({ size: 4096 }));
  });
  fill();
  const visited = took('ring', RECORDS, () =>
    ring.drain((offset) => {
      sum += ring.u64[offset >>> 3] as bigint;
    }),
  );
  fill();
  const raw = took('ring, raw', RECORDS, drainRaw);
  if (visited !== RECORDS || raw !== RECORDS) throw new Error(`${visited} and ${raw} of ${RECORDS} records`);
  // Of CPU: it takes long enough for others to get in between.
  const used = process.cpuUsage();
  const core = BpfObject.open(CORE);
  core.load();
  core.close();
  const { user, system } = process.cpuUsage(used);
  best.set('load', Math.min(best.get('load') ?? Number.POSITIVE_INFINITY, 1000 * (user + system)));
}
const elf = readFileSync(file('../test/kinds.bpf.o'));
for (let round = 0; round < ROUNDS; round++) took('open, 20 programs', 1, () => BpfObject.open(elf).close());

// `sum` is what the loops are for.
console.log(`${sum > 0n ? 'ns' : ''}\tset\tget\twalk\tbatch\tring\tload`);
const columns = ['set', 'get', 'walk', 'batch', 'ring', 'load'].map((what) => Math.round(best.get(what) ?? 0));
for (const program of process.argv.slice(2)) {
  const { stdout, status } = spawnSync(program, [WORK, CORE], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  console.log(`${program}\t${status === 0 ? stdout.trim().split(' ').join('\t') : `failed (${status})`}`);
}
console.log(`ebpf-ts\t${columns.join('\t')}`);
for (const what of ['get, typed', 'ring, raw', 'open, 20 programs'])
  console.log(`ebpf-ts: ${what}\t${(best.get(what) ?? 0).toFixed(1)}`);
