// SPDX-License-Identifier: MIT
/** How long reads take, as a histogram: node readlatency.js [SECONDS] */
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BpfObject } from 'ebpf-ts';
import type { Readlatency } from './readlatency.gen.js';

using object = BpfObject.open<Readlatency>(fileURLToPath(new URL('readlatency.bpf.o', import.meta.url)));
object.load();
for (const program of object.programs.values()) program.attach();
await setTimeout(1000 * Number(process.argv[2] ?? 5));

const slots = object.typed('slots');
const counts = [...slots.keys()].map((slot) => (slots.getAll(slot) ?? []).reduce((sum, count) => sum + count, 0n));
const most = counts.reduce((a, b) => (a > b ? a : b), 1n);
for (const [slot, count] of counts.entries())
  if (count > 0n) console.log(`${2 ** slot} ns\t${count}\t${'*'.repeat(Number((40n * count) / most))}`);
