// SPDX-License-Identifier: MIT
/** Packets and bytes a cgroup sends: node egress.js CGROUP [SECONDS] */
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BpfObject } from 'ebpf-ts';
import type { Egress } from './egress.gen.js';

using object = BpfObject.open<Egress>(fileURLToPath(new URL('egress.bpf.o', import.meta.url)));
object.load();
object.program('on_packet').attachCgroup(process.argv[2] ?? '/sys/fs/cgroup');
await setTimeout(1000 * Number(process.argv[3] ?? 5));

console.log(`${object.global('packets').get()} packets, ${object.global('bytes').get()} bytes`);
