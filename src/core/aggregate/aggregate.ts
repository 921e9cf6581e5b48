// SPDX-License-Identifier: MIT
/** Sums over lifecycles: per process, per retrying address, per cause, end, wait, release rule and swap device. */

import type { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import { ProcessNames } from '../events/process-names.js';
import { isHooked, type SessionInfo } from '../events/session.js';
import { CountedField, NO_DEVICE, UserArgs } from '../events/user-rows.js';
import type { AttemptRecord, WaitRecord } from '../lifecycle/attempt-record.js';
import { copyLifecycle } from '../lifecycle/copy-lifecycle.js';
import { ENDS, type End, type Lifecycle } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import type { RecordPool } from '../lifecycle/record-pool.js';
import type { FoldSink } from '../lifecycle/step.js';
import type { Cause } from '../vocabulary/causes.js';
import { Addresses } from './addresses.js';
import { Blockers } from './blockers.js';
import { CauseCosts } from './cause-costs.js';
import { CauseCounts } from './cause-counts.js';
import { CauseStacks } from './cause-stacks.js';
import { CountedFaults } from './counted.js';
import { Counterfactual } from './counterfactual.js';
import { Devices } from './devices.js';
import { Examples } from './examples.js';
import { Handlers } from './handlers.js';
import { MMAP_LOCK_HOOK, VMA_WRITE_HOOK } from './mmap-lock.js';
import { Owners } from './owners.js';
import { Progress } from './progress.js';
import { Latest, Slowest } from './recent.js';
import { Releases } from './releases.js';
import { SecondTries } from './second-tries.js';
import type { AddressSums, CgroupSums, ProcessSums } from './sums.js';
import { TimelineSums } from './timeline.js';
import { VmaKeys } from './vma-keys.js';
import { VmaSums } from './vmas.js';
import { WaitSums } from './wait-sums.js';
import { Writers } from './writers.js';

export class Aggregate implements FoldSink {
  opens = 0;
  /** Faults on an entry of a swap device. */
  swapFaults = 0;
  readonly byEnd: Record<End, number> = Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>;
  retries = 0;
  joins = 0;
  readonly secondTries: SecondTries = new SecondTries();
  aborts = 0;
  readonly causes: CauseCounts = new CauseCounts();
  readonly waits: WaitSums = new WaitSums();
  readonly releases: Releases = new Releases();
  readonly devices: Devices = new Devices();
  readonly counted: CountedFaults = new CountedFaults();
  readonly addresses: Addresses = new Addresses();
  readonly latest: Latest;
  readonly slowest: Slowest;
  readonly examples: Examples;
  readonly vmas: VmaSums;
  readonly causeCosts: CauseCosts;
  readonly causeStacks: CauseStacks = new CauseStacks();
  readonly handlers: Handlers = new Handlers();
  readonly timeline: TimelineSums = new TimelineSums();
  readonly progress: Progress = new Progress();
  readonly counterfactual: Counterfactual;
  readonly writers: Writers;
  readonly blockers: Blockers;
  readonly #owners: Owners;
  readonly #onClosed: ((lifecycle: Lifecycle) => void) | null;

  /** Without a session nothing is known of what writers would have stalled. */
  constructor(
    pool: RecordPool,
    onClosed: ((lifecycle: Lifecycle) => void) | null = null,
    session: SessionInfo | null = null,
    names: ProcessNames = new ProcessNames(),
  ) {
    this.#owners = new Owners(names);
    this.#onClosed = onClosed;
    this.latest = new Latest(pool);
    this.slowest = new Slowest(pool);
    const keys = new VmaKeys();
    this.examples = new Examples(pool, keys);
    this.vmas = new VmaSums(keys);
    this.causeCosts = new CauseCosts(pool);
    this.counterfactual = new Counterfactual(session);
    this.writers = new Writers(
      this.counterfactual.stalls,
      session !== null && isHooked(session, MMAP_LOCK_HOOK),
      names,
    );
    this.blockers = new Blockers(session?.arch ?? '', session !== null && isHooked(session, VMA_WRITE_HOOK), names);
  }

  get processes(): BoundedMap<number, ProcessSums> {
    return this.#owners.processes;
  }

  get cgroups(): BoundedMap<number, CgroupSums> {
    return this.#owners.cgroups;
  }

  opened(fault: FaultRecord): void {
    this.opens++;
    this.#owners.opened(fault);
  }

  swapFault(fault: FaultRecord): void {
    this.swapFaults++;
    this.#owners.swapFault(fault);
    this.progress.swapFault(fault);
  }

  /** A `UserKind.Counted` row. `synchronous`: whether its block device is said to be. */
  pushCounted(batch: EventBatch, i: number, synchronous: boolean): void {
    const faults = this.counted.push(batch, i);
    const args = UserArgs.Counted;
    const device = batch[args.device][i] as number;
    if (device !== NO_DEVICE && batch[args.field][i] === CountedField.Reads)
      this.devices.counted(device, synchronous, 0, batch[args.value][i] as number);
    // A migration entry or a marker is no fault on a swap device, as among those that are followed.
    if (faults === 0 || device === NO_DEVICE) return;
    this.swapFaults += faults;
    this.devices.counted(device, synchronous, faults, 0);
    this.#owners.swapCounted(faults, {
      tgid: batch.tgid[i] as number,
      comm: batch.strings[batch.comm[i] as number] ?? '',
      cgroup: batch.cgroup[i] as number,
      time: batch.time[i] as number,
    });
  }

  device(fault: FaultRecord): void {
    this.devices.seen(fault);
  }

  settled(fault: FaultRecord, attempt: AttemptRecord): void {
    this.causeStacks.count(attempt);
    if (attempt.lock !== 'vma' || !attempt.lockKnown) return;
    if (attempt.outcome === 'abort') {
      this.aborts++;
      this.#owners.aborted(fault);
      this.causes.count(attempt, attempt.cause ?? 'VMA lock unavailable', 1);
      return;
    }
    // Only kernels that try once more after a RETRY come to a later attempt under the VMA lock.
    if (attempt !== fault.attempts[0]) this.secondTries.settled(attempt);
    if (attempt.outcome === 'retry') this.#retried(fault, attempt);
    this.releases.settled(attempt);
  }

  caused(fault: FaultRecord, attempt: AttemptRecord, was: Cause): void {
    if (attempt.lock !== 'vma' || !attempt.lockKnown) return;
    const cause = attempt.cause ?? 'unknown';
    this.causes.count(attempt, was, -1);
    this.causes.count(attempt, cause, 1);
    this.causeStacks.caused(attempt, cause);
    if (attempt.outcome !== 'retry') return;
    this.counterfactual.caused(cause, was);
    if (fault.page === null) return;
    const { byCause } = fault.page as AddressSums;
    byCause.add(was, -1);
    byCause.add(cause, 1);
  }

  judged(fault: FaultRecord, attempt: AttemptRecord, wait: WaitRecord | null): void {
    const { verdict } = attempt;
    if (verdict === null) return;
    this.causes.undecided.judged(attempt);
    this.counterfactual.judged(fault, attempt, wait, fault.process as ProcessSums);
    this.handlers.retried(attempt.faultHandler);
    const { writer } = verdict;
    const stopped = verdict.kind === 'write-locked' || verdict.kind === 'replaced' || verdict.kind === 'gone';
    // The mm's latest writer is the one that did it when it was the only one.
    if (writer !== null && stopped && (writer.exact || verdict.mmWriters === 1))
      this.writers.locked(writer, fault.tgid, fault.processName);
    if (wait !== null && wait.holder !== 0 && !Number.isNaN(wait.contended))
      this.writers.delayed(wait.holder, wait.contended, writer, fault.tgid, fault.processName);
  }

  joined(fault: FaultRecord): void {
    if (fault.vmaAttempt?.lockKnown !== true) return;
    this.joins++;
    if (fault.page !== null) (fault.page as AddressSums).joined++;
  }

  waited(fault: FaultRecord, wait: WaitRecord): void {
    const ns = wait.end - wait.start;
    this.waits.waited(wait);
    this.timeline.waited(wait);
    this.#owners.waited(fault, wait);
    if (wait.kind === 'folio') {
      this.progress.waited(fault, fault.attempt, wait);
      this.devices.get(fault.device)?.folioWait.record(ns);
    } else if (wait.kind === 'syncRead') this.devices.get(fault.device)?.syncRead.record(ns);
  }

  bounded(attempt: AttemptRecord): void {
    if (attempt.lock === 'vma' && attempt.lockKnown) this.releases.bounded(attempt);
  }

  exact(attempt: AttemptRecord): void {
    if (attempt.lock === 'vma' && attempt.lockKnown && attempt.outcome !== 'abort') this.releases.exact(attempt);
  }

  stack(_fault: FaultRecord, attempt: AttemptRecord | null, _kernel: number): void {
    if (attempt !== null) this.causeStacks.count(attempt);
  }

  closed(fault: FaultRecord): void {
    this.byEnd[fault.how]++;
    this.causes.undecided.closed(fault);
    this.#owners.closed(fault);
    if (fault.page !== null) {
      const page = fault.page as AddressSums;
      page.closed++;
      page.byEnd.add(fault.how, 1);
    }
    const device = fault.major ? this.devices.get(fault.device) : undefined;
    if (device !== undefined) device.reads++;
    this.progress.closed(fault);
    this.latest.add(fault);
    this.slowest.add(fault);
    this.examples.closed(fault);
    this.vmas.closed(fault);
    this.causeCosts.closed(fault);
    if (this.#onClosed !== null) this.#onClosed(copyLifecycle(fault));
  }

  #retried(fault: FaultRecord, attempt: AttemptRecord): void {
    const cause = attempt.cause ?? 'unknown';
    const process = fault.process as ProcessSums;
    this.retries++;
    this.#owners.retried(fault);
    this.causes.count(attempt, cause, 1);
    this.counterfactual.retried(cause, process);
    const device = this.devices.get(fault.device);
    if (device !== undefined) device.retries++;
    // Without its first step a lifecycle has no address.
    if (Number.isNaN(fault.address)) return;
    const page = this.addresses.of(fault, process);
    if (fault.page === null) page.lifecycles++;
    fault.page = page;
    page.retries++;
    this.progress.retried(page.retries);
    page.byCause.add(cause, 1);
  }
}
