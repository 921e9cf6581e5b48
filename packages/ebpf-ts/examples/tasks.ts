// SPDX-License-Identifier: MIT
/** Every task of the host, without /proc: node tasks.js */
import { fileURLToPath } from 'node:url';
import { BpfObject } from 'ebpf-ts';
import type { Tasks } from './tasks.gen.js';

using object = BpfObject.open<Tasks>(fileURLToPath(new URL('tasks.bpf.o', import.meta.url)));
object.load();
using link = object.program('on_task').attachIter();
process.stdout.write(link.text());
