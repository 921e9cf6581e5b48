// SPDX-License-Identifier: MIT
/** System calls of all processes over a time: node counter.js [SECONDS] */
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BpfObject } from 'ebpf-ts';
import type { Counter } from './counter.gen.js';

using object = BpfObject.open<Counter>(fileURLToPath(new URL('counter.bpf.o', import.meta.url)));
object.load();
object.program('on_call').attach();
await setTimeout(1000 * Number(process.argv[2] ?? 5));

const rows = [...object.typed('by_process')].sort(([, a], [, b]) => Number(b - a));
for (const [tgid, calls] of rows.slice(0, 10)) console.log(`${tgid}\t${calls}`);
console.log(`all\t${object.global('calls').get()}`);
