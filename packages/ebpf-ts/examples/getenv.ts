// SPDX-License-Identifier: MIT
/** Who calls libc's getenv, and how often: node getenv.js [SECONDS] */
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BpfObject } from 'ebpf-ts';
import type { Getenv } from './getenv.gen.js';

using object = BpfObject.open<Getenv>(fileURLToPath(new URL('getenv.bpf.o', import.meta.url)));
object.load();
object.program('on_getenv').attachUprobe({ path: 'libc.so.6', function: 'getenv' });
await setTimeout(1000 * Number(process.argv[2] ?? 5));

for (const [{ comm }, calls] of object.typed('callers')) console.log(`${comm}\t${calls}`);
