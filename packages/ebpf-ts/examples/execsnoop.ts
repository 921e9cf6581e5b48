// SPDX-License-Identifier: MIT
/** Every program as it is executed: node execsnoop.js [SECONDS] */
import { fileURLToPath } from 'node:url';
import { BpfObject, decodeWith, RingBuffer } from 'ebpf-ts';
import type { Execsnoop } from './execsnoop.gen.js';

using object = BpfObject.open<Execsnoop>(fileURLToPath(new URL('execsnoop.bpf.o', import.meta.url)));
object.load();
using ring = RingBuffer.open(object.map('events'));
object.program('on_exec').attach();
const event = object.codec('event');

setTimeout(() => ring.close(), 1000 * Number(process.argv[2] ?? 5)); // what holds the process open
for await (const record of ring) {
  const { pid, comm, filename } = decodeWith(event, record);
  console.log(`${pid}\t${comm}\t${filename}`);
}
