// SPDX-License-Identifier: MIT
/** One fault: ended, and in flight. */
import type { Lifecycle } from '../../lifecycle/lifecycle.js';
import { WAIT_FACTS } from '../../vocabulary/waits.js';
import { formatLower, formatTime } from '../format.js';
import { causeOf, hasWait, heldNow, lasted, lockName, triesOf, waited } from '../lifecycle.js';
import { type Field, formatOf, isInterval, num, text, whole } from './field.js';

/** A lifecycle beside the time of the snapshot it is shown in, for clocks that run. */
export interface LifecycleRow {
  readonly lifecycle: Lifecycle;
  readonly now: number;
}

const wait = ({ lifecycle, now }: LifecycleRow, kind: 'folio' | 'mmapLock' | 'userfault'): number | null =>
  hasWait(lifecycle, kind) ? waited(lifecycle, kind, now) : null;

export const lifecycleFields: readonly Field<LifecycleRow>[] = [
  num(
    'time',
    'time (s)',
    'ns',
    11,
    (r) => r.lifecycle.first,
    (value) => formatTime(Number(value)),
  ),
  num('tid', 'tid', '', 7, (r) => r.lifecycle.tid, whole),
  text('comm', 'comm', 12, (r) => r.lifecycle.comm, 15),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
  text('cause', 'cause', 20, (r) => causeOf(r.lifecycle), 26),
  num('attempts', 'tries', '', 5, (r) => triesOf(r.lifecycle)),
  num('folioWait', WAIT_FACTS.folio.title, 'ns', 10, (r) => wait(r, 'folio')),
  num('mmapWait', WAIT_FACTS.mmapLock.title, 'ns', 9, (r) => wait(r, 'mmapLock')),
  num('userfaultWait', WAIT_FACTS.userfault.title, 'ns', 11, (r) => wait(r, 'userfault')),
  {
    id: 'total',
    title: 'total',
    unit: 'ns',
    width: 9,
    align: 'right',
    get: (r) => lasted(r.lifecycle, r.now),
    format: (value) => (isInterval(value) ? formatLower(value) : formatOf('ns')(value)),
  },
  text('end', 'end', 10, (r) => r.lifecycle.how),
];

const flightFields: readonly Field<LifecycleRow>[] = [
  num('tid', 'tid', '', 7, (r) => r.lifecycle.tid, whole),
  text('comm', 'comm', 10, (r) => r.lifecycle.comm, 15),
  num('age', 'age', 'ns', 8, (r) => lasted(r.lifecycle, r.now).lo),
  text('held', 'holds', 9, (r) => lockName(heldNow(r.lifecycle))),
  text('state', 'state', 16, (r) => r.lifecycle.state, 40),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
];

/** What a fault in flight will be called, as far as it shows by now: a settled cause, or what it waits for. */
export function causeSoFar(row: LifecycleRow): string | null {
  const cause = causeOf(row.lifecycle);
  if (cause !== null) return cause;
  const open = row.lifecycle.waits.findLast((wait) => Number.isNaN(wait.end));
  if (open === undefined) return null;
  const { soFar } = WAIT_FACTS[open.kind];
  return soFar === undefined ? null : `${soFar} …`;
}

export const inFlightFields: readonly Field<LifecycleRow>[] = [
  ...flightFields.filter((field) => field.id !== 'address'),
  text('cause', 'cause so far', 16, causeSoFar, 23),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
  num('pid', 'pid', '', 7, (r) => r.lifecycle.tgid, whole),
  num('tries', 'tries', '', 5, (r) => triesOf(r.lifecycle)),
];
