// SPDX-License-Identifier: MIT
/**
 * Rows of format 1, which had no columns for what writers and holders of locks are about: theirs were packed into the
 * columns of a fault. Priorities and files stood in `pte`, stack ids in `vm_flags`, what a fork copied in addresses.
 */
import { type EventBatch, isLockEvent, isOfNoFault } from '../../core/events/batch.js';
import { UserKind } from '../../core/events/user-rows.js';
import { VlKind, VlLockFlag } from '../../schema/events.gen.js';

const LOW = 0xffff_ffffn;

/** Moves them to columns of their own. `intern`: the index of a text in the batch's strings. */
export function unpackWriters(batch: EventBatch, intern: (text: string) => number): void {
  const n = batch.length;
  batch.kernelStack.fill(-1, 0, n);
  batch.userStack.fill(-1, 0, n);
  for (const column of [batch.prio, batch.holderPrio, batch.file, batch.forkThreads, batch.forkVmas])
    column.fill(0, 0, n);
  batch.forkLocked.fill(0, 0, n);
  batch.forkWait.fill(0, 0, n);
  for (let i = 0; i < n; i++) {
    const kind = batch.kind[i] as number;
    if (isOfNoFault(kind) || kind === UserKind.Lock) unpackRow(batch, i, kind, intern);
  }
}

function unpackRow(batch: EventBatch, i: number, kind: number, intern: (text: string) => number): void {
  const pte = batch.pte[i] as bigint;
  const stacks = batch.vmFlags[i] as bigint;
  batch.pte[i] = 0n;
  batch.vmFlags[i] = 0n;
  if (kind === VlKind.W_ACQUIRED) {
    batch.holderPrio[i] = Number(BigInt.asIntN(16, pte));
    batch.prio[i] = Number(BigInt.asIntN(16, pte >> 16n));
  } else if (isLockEvent(kind) || kind === UserKind.Lock) batch.file[i] = intern(textOf(pte));
  if (kind === VlKind.W_ACQUIRED || isLockEvent(kind)) {
    // ~0, which is none, becomes -1.
    batch.kernelStack[i] = Number(stacks & LOW);
    batch.userStack[i] = Number(stacks >> 32n);
  }
  if (kind !== VlKind.L_HELD) return;
  if (((batch.flags[i] as number) & VlLockFlag.FORK) !== 0) {
    // The low half is the threads, the high half the VMAs that were write-locked.
    const packed = batch.address[i] as number;
    batch.forkThreads[i] = packed % 2 ** 32;
    batch.forkLocked[i] = Math.floor(packed / 2 ** 32);
    batch.forkVmas[i] = batch.vmaStart[i] as number;
    batch.forkWait[i] = batch.vmaEnd[i] as number;
  }
  batch.address[i] = 0;
  batch.vmaStart[i] = 0;
  batch.vmaEnd[i] = 0;
}

/** Up to 8 bytes, the first in the lowest; it ends where one is no printable ASCII. */
function textOf(word: bigint): string {
  let text = '';
  for (let rest = word; rest > 0n; rest >>= 8n) {
    const byte = Number(rest & 0xffn);
    if (byte < 0x20 || byte > 0x7e) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
