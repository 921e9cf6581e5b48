// SPDX-License-Identifier: MIT
/** A real recording from which program runs are removed as if they had been missed: their rows leave no gap in the kernel's numbers. */

import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch, type EventBatch, isOfNoFault } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { Random } from './random.js';

const COLUMNS = ['kind', 'flags', 'cpu', 'tid', 'fault', 'faultCpu', 'time', 'a', 'b'] as const;
const WHO = ['acquired', 'mm', 'address', 'vmaStart', 'vmaEnd', 'vmFlags', 'cgroup', 'tgid', 'depth', 'comm'] as const;

export interface Realm {
  readonly session: SessionInfo;
  readonly batches: readonly EventBatch[];
  /** Kinds of the steps of faults in it. */
  readonly kinds: ReadonlySet<number>;
}

const isStep = (kind: number): boolean => kind > 0 && kind < 128 && !isOfNoFault(kind);

export async function rowsOf(path: string): Promise<Realm> {
  const source = await openFile(path);
  const batches: EventBatch[] = [];
  const kinds = new Set<number>();
  for await (const batch of source.batches()) {
    const copy = structuredClone(batch);
    batches.push(copy);
    for (let i = 0; i < copy.length; i++) if (isStep(copy.kind[i] as number)) kinds.add(copy.kind[i] as number);
  }
  await source.close();
  return { session: source.session, batches, kinds };
}

function replay(session: SessionInfo, batches: readonly EventBatch[]): Lifecycle[] {
  const closed: Lifecycle[] = [];
  const pipeline = new Pipeline(session, { onClosed: (life) => closed.push(life) });
  for (const batch of batches) pipeline.push(batch);
  return closed;
}

/** By lifecycle: cause and verdict of its RETRY under the VMA lock, as the whole recording has them. */
export function truthOf({ session, batches }: Realm): ReadonlyMap<number, { cause: string; verdict: string | null }> {
  const truth = new Map<number, { cause: string; verdict: string | null }>();
  for (const life of replay(session, batches)) {
    const vma = life.attempts.find((one) => one.lock === 'vma');
    // What is not known of the whole recording may be known of a part by chance: nothing to hold a part against.
    if (life.lost.length > 0 || vma?.outcome !== 'retry' || vma.cause === null || vma.cause === 'unknown') continue;
    truth.set(life.id, { cause: vma.cause, verdict: vma.verdict?.kind ?? null });
  }
  return truth;
}

/** Without a share of the steps of these kinds; the first step left opens the record, as in the kernel. */
export function missed(realm: Realm, kinds: ReadonlySet<number>, rate: number, seed: number): { closed: Lifecycle[] } {
  const random = new Random(seed);
  const next = new Map<number, number>();
  const opened = new Map<number, { readonly batch: EventBatch; readonly i: number }>();
  const out = realm.batches.map((batch) => {
    const copy = createBatch(Math.max(1, batch.length), [...batch.strings]);
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      if (!isStep(kind)) continue;
      const id = (batch.faultCpu[i] as number) * 2 ** 32 + (batch.fault[i] as number);
      if ((batch.flags[i] as number) & VlStepFlag.INFO) opened.set(id, { batch, i });
      if (kinds.has(kind) && random.chance(rate)) continue;
      const row = copy.length++;
      for (const column of COLUMNS) (copy[column] as unknown as number[])[row] = batch[column][i] as number;
      const step = next.get(id) ?? 0;
      copy.step[row] = step;
      next.set(id, step + 1);
      const first = opened.get(id);
      if (step > 0 || first === undefined) continue;
      copy.flags[row] = (copy.flags[row] as number) | VlStepFlag.INFO;
      for (const column of WHO) (copy[column] as unknown as unknown[])[row] = first.batch[column][first.i];
      // vmf->orig_pte is read where do_swap_page opens the record.
      copy.pte[row] = kind === VlKind.SWAP_ENTER ? (first.batch.pte[first.i] as bigint) : 0n;
    }
    return copy;
  });
  return { closed: replay(realm.session, out) };
}
