// SPDX-License-Identifier: MIT
/** Of the report: who blocked whom over mmap_lock. */
import type { BlockerRow, VictimRow } from '../core/aggregate/blocker-rows.js';
import { whyNoBlockers } from '../core/aggregate/mmap-lock.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import { blockerFields, victimFields } from '../core/present/fields/blocker.js';
import { type Field, lift, text } from '../core/present/fields/field.js';
import type { Html } from './html.js';
import { fieldTable } from './tables.js';

/** Blockers whose victims are listed. */
const MAX_BLOCKERS = 10;

interface Behind {
  readonly blocker: BlockerRow;
  readonly victim: VictimRow;
}

const fields: readonly Field<Behind>[] = [
  text('behind', 'behind', 24, ({ blocker }) => `${blocker.comm} ${blocker.tgid} ${blocker.what}`),
  ...lift(victimFields, ({ victim }: Behind) => victim),
];

export function blockerTable({ blockers }: Snapshot): Html | null {
  return fieldTable(
    'Who blocked whom over mmap_lock and VMA locks, by the time others waited',
    blockers.rows,
    blockerFields,
  );
}

/** Whom each of them kept waiting, by what they wanted the lock for. */
export function victimTable({ blockers }: Snapshot): Html | null {
  const rows = blockers.rows
    .slice(0, MAX_BLOCKERS)
    .flatMap((blocker) => blocker.victims.map((victim) => ({ blocker, victim })));
  return fieldTable('Who waited behind them', rows, fields);
}

/** What stands there instead of the table. */
export function noBlocker({ session, blockers }: Snapshot): string {
  return blockers.known ? 'Nobody queued for an mmap_lock.' : `Not known: ${whyNoBlockers(session)}.`;
}
