// SPDX-License-Identifier: MIT
/** What a map operation costs beside libbpf in C: node dist/test/bench.js (needs the right to make maps, gcc and libbpf-dev). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpfMap, BpfObject, MapType } from '../src/index.js';

const N = 10_000;
const ROUNDS = 20;
const C = `
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
int main(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "bench", 4, 8, ${2 * N}, NULL);
	unsigned key, *keys = calloc(${2 * N}, 4); unsigned long long value = 1, *values = calloc(${2 * N}, 8);
	double best[4] = { 1e18, 1e18, 1e18, 1e18 };
	for (int round = 0; round < ${ROUNDS}; round++) {
		double t = now(); for (key = 0; key < ${N}; key++) bpf_map_update_elem(fd, &key, &value, 0);
		double u = now(); if (u - t < best[0]) best[0] = u - t;
		for (key = 0; key < ${N}; key++) bpf_map_lookup_elem(fd, &key, &value);
		t = now(); if (t - u < best[1]) best[1] = t - u;
		unsigned *prev = NULL, next, cur; while (bpf_map_get_next_key(fd, prev, &next) == 0) { cur = next; prev = &cur; bpf_map_lookup_elem(fd, &cur, &value); }
		u = now(); if (u - t < best[2]) best[2] = u - t;
		unsigned in, out, count = ${N}; int first = 1, rc;
		do { count = 4096; rc = bpf_map_lookup_batch(fd, first ? NULL : &in, &out, keys, values, &count, NULL); in = out; first = 0; } while (rc == 0);
		t = now(); if (t - u < best[3]) best[3] = t - u;
	}
	for (int i = 0; i < 4; i++) printf("%.0f ", best[i] / ${N});
}`;

function best(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work();
    least = Math.min(least, Number(process.hrtime.bigint() - start));
  }
  return Math.round(least / N);
}

const dir = mkdtempSync(join(tmpdir(), 'bench-'));
execFileSync('gcc', ['-O2', '-x', 'c', '-', '-o', join(dir, 'bench'), '-lbpf'], { input: C });
const [set, get, walk, batch] = execFileSync(join(dir, 'bench'), { encoding: 'utf8' }).trim().split(' ');
rmSync(dir, { recursive: true });

using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 8, maxEntries: 2 * N, name: 'bench' });
const value = new Uint8Array(8);
const key = new Uint8Array(4);
const words = new DataView(key.buffer);
const rows: readonly (readonly [string, string | undefined, number])[] = [
  [
    'set',
    set,
    best(() => {
      for (let i = 0; i < N; i++) {
        words.setUint32(0, i, true);
        map.set(key, value);
      }
    }),
  ],
  [
    'get',
    get,
    best(() => {
      for (let i = 0; i < N; i++) {
        words.setUint32(0, i, true);
        map.get(key);
      }
    }),
  ],
  [
    'walk',
    walk,
    best(() => {
      for (const _ of map);
    }),
  ],
  [
    'batches',
    batch,
    best(() => {
      for (const _ of map.batches({ size: 4096 }));
    }),
  ],
];
console.log('ns an element\tC\tebpf-ts');
for (const [name, c, js] of rows) console.log(`${name}\t${c}\t${js}`);

const elf = readFileSync(new URL('kinds.bpf.o', import.meta.url));
const start = process.hrtime.bigint();
for (let i = 0; i < 200; i++) BpfObject.open(elf).close();
console.log(`open, 18 programs\t\t${Number((process.hrtime.bigint() - start) / 200n / 1000n)} µs`);
