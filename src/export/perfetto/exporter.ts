// SPDX-License-Identifier: MIT
/** A recording as a Perfetto trace: a track per thread, slices, flows, counters, losses. */

import { Counters } from '../../core/aggregate/counters.js';
import { BoundedMap } from '../../core/bounded/bounded-map.js';
import { type EventBatch, isWriterEvent } from '../../core/events/batch.js';
import { clockOf } from '../../core/events/clocks.js';
import { CounterGroup, UserArgs, UserKind } from '../../core/events/user-rows.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Output } from '../../output/output.js';
import { VlCounter, VlStepFlag } from '../../schema/events.gen.js';
import type { Context } from '../base/context.js';
import type { Exporter } from '../base/exporter.js';
import { describeLosses, type Losses } from '../base/losses.js';
import { CounterUnit } from './fields.js';
import { Packets } from './packets.js';
import { type Cause, type Slice, slicesOf } from './slices.js';
import { StackMarks } from './stack-marks.js';
import { Tracks } from './tracks.js';
import { effectOf } from './writers.js';

/** Packets gather to about this many before they are written. */
const CHUNK_PACKETS = 4096;
const MAX_TRACK_ENDS = 65_536;

const KERNEL_COUNTERS: readonly (readonly [name: string, counter: number])[] = [
  ['faults done under the VMA lock', VlCounter.VMA_OK],
  ['RETRY under the VMA lock', VlCounter.VMA_RETRY],
  ['COMPLETED under the VMA lock', VlCounter.VMA_COMPLETED],
  ['ABORT', VlCounter.ABORT],
  ['attempts done under mmap_lock', VlCounter.MMAP_OK],
  ['kernel-mode faults', VlCounter.KERNEL],
  ['do_swap_page calls', VlCounter.SWAP],
];

export class PerfettoExporter implements Exporter {
  rows = 0;
  readonly #output: Output;
  readonly #context: Context;
  readonly #arch: string;
  readonly #packets: Packets;
  readonly #tracks: Tracks;
  readonly #counters: Counters;
  readonly #stacks: StackMarks = new StackMarks();
  /** When the last slice of a track ended: the next begins no earlier, so that every end closes its own beginning. */
  readonly #ends: BoundedMap<bigint, number> = new BoundedMap(MAX_TRACK_ENDS, (time) => time);
  readonly #shown: number[] = [];
  #sampled = Number.NaN;
  #newest = 0;
  #flows = 0n;
  /** A counter of losses came since the last sample. */
  #lossy = true;

  constructor(context: Context, output: Output) {
    this.#output = output;
    this.#context = context;
    this.#arch = context.session.arch;
    this.#packets = new Packets(context);
    this.#tracks = new Tracks(this.#packets);
    this.#counters = new Counters(context.session);
    const { host, kernel, arch, tool, scope, release, preemption } = context.session;
    const notes = { host, kernel, arch, tool, scope, 'VMA-lock releases': release, preemption };
    this.#packets.instant(this.#tracks.session(), 0, { name: 'recording', category: 'session', notes });
  }

  batch(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      const time = batch.time[i] as number;
      if (time > this.#newest) this.#newest = time;
      const comm = batch.strings[batch.comm[i] as number] ?? '';
      this.#stacks.row(batch, i);
      if (kind === UserKind.Counter) this.#counter(batch, i, time);
      else if (kind === UserKind.Clock) this.#packets.clock(clockOf(batch, i));
      else if (kind === UserKind.Process) {
        const tgid = batch[UserArgs.Process.tgid][i] as number;
        this.#tracks.seen(tgid, tgid, comm);
      } else if (kind < UserKind.Counter && ((batch.flags[i] as number) & VlStepFlag.INFO) !== 0) {
        this.#tracks.seen(batch.tid[i] as number, batch.tgid[i] as number, comm);
        if (isWriterEvent(kind)) this.#writer(batch, i);
      }
    }
  }

  lifecycle(lifecycle: Lifecycle): void {
    this.rows++;
    const { tid, comm, depth } = lifecycle;
    this.#tracks.seen(tid, lifecycle.tgid, comm);
    const { work, locks, causes } = slicesOf(
      lifecycle,
      this.#newest,
      this.#arch,
      this.#nextFlow,
      this.#context.mapping(lifecycle),
    );
    for (const cause of causes) this.#cause(cause);
    const track = depth === 0 ? this.#tracks.thread(tid, comm) : this.#tracks.child('nested', tid, comm, depth);
    this.#slices(track, work);
    if (locks.length > 0) this.#slices(this.#tracks.child('locks', tid, comm, depth), locks);
  }

  async drain(): Promise<void> {
    this.#markStacks();
    if (this.#packets.pending >= CHUNK_PACKETS) await this.#output.write(this.#packets.take());
  }

  async finish(losses: Losses, time: number): Promise<void> {
    this.#sample();
    this.#markStacks(true);
    const { notHooked, truncated, ...figures } = losses;
    this.#packets.instant(this.#tracks.session(), time, {
      name: truncated === null ? 'end of the recording' : 'recording cut off here',
      category: 'losses',
      notes: {
        ...figures,
        'cut off': truncated,
        'not hooked': notHooked.join(', ') || null,
        summary: describeLosses(losses),
      },
    });
    await this.#output.write(this.#packets.take());
  }

  readonly #nextFlow = (): bigint => {
    this.#flows += 1n;
    return this.#flows;
  };

  /** Nested slices, moved behind what the track already has. */
  #slices(track: bigint, slices: readonly Slice[]): void {
    const floor = this.#ends.get(track) ?? Number.NEGATIVE_INFINITY;
    const open: number[] = [];
    let latest = floor;
    for (const slice of slices) {
      const start = Math.max(slice.start, floor);
      while (open.length > 0 && (open.at(-1) as number) <= start) this.#packets.end(track, open.pop() as number);
      this.#packets.begin(track, start, slice);
      const end = Math.max(start, slice.end);
      open.push(end);
      latest = Math.max(latest, end);
    }
    while (open.length > 0) this.#packets.end(track, open.pop() as number);
    this.#ends.set(track, latest);
  }

  #cause(cause: Cause): void {
    // A mark stands at its own time, also within slices of that thread written earlier or later: it has no length.
    this.#packets.instant(this.#tracks.thread(cause.tid, ''), cause.time, cause);
  }

  #markStacks(last = false): void {
    for (const { tid, time, name, kernel, user } of this.#stacks.ready(last)) {
      this.#packets.instant(this.#tracks.thread(tid, ''), time, { name, category: 'stack', stack: { kernel, user } });
    }
  }

  #writer(batch: EventBatch, i: number): void {
    const effect = effectOf(batch, i, this.#arch, this.#nextFlow);
    if (effect === null) return;
    const comm = batch.strings[batch.comm[i] as number] ?? '';
    this.rows++;
    if (effect.cause !== null) this.#cause(effect.cause);
    this.#slices(this.#tracks.child(effect.track, effect.tid, comm), [effect.slice]);
  }

  #counter(batch: EventBatch, i: number, time: number): void {
    // All counters of one sample bear one time.
    if (time !== this.#sampled) this.#sample();
    this.#sampled = time;
    const group = batch[UserArgs.Counter.group][i] as number;
    this.#counters.set(group, batch[UserArgs.Counter.index][i] as number, batch[UserArgs.Counter.value][i] as number);
    if (group === CounterGroup.Dropped || group === CounterGroup.Missed) this.#lossy = true;
  }

  #sample(): void {
    if (Number.isNaN(this.#sampled)) return;
    for (const [index, [name, counter]] of KERNEL_COUNTERS.entries()) {
      this.#show(index, name, this.#counters.kernel[counter] ?? 0);
    }
    if (!this.#lossy) return;
    this.#lossy = false;
    const { dropped, missed } = this.#counters.events(false);
    this.#show(KERNEL_COUNTERS.length, 'events dropped: the ring was full', dropped);
    this.#show(KERNEL_COUNTERS.length + 1, 'program runs missed by the kernel', missed);
  }

  /** Writes a counter whose value changed; a growing loss is marked as well. */
  #show(index: number, name: string, value: number): void {
    const before = this.#shown[index];
    if (before === value) return;
    this.#shown[index] = value;
    this.#packets.counter(this.#tracks.counter(index, name, CounterUnit.COUNT), this.#sampled, value);
    if (index >= KERNEL_COUNTERS.length && value > (before ?? 0)) {
      const notes = { more: value - (before ?? 0), 'in all': value };
      this.#packets.instant(this.#tracks.session(), this.#sampled, { name, category: 'losses', notes });
    }
  }
}
