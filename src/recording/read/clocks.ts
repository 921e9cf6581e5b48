// SPDX-License-Identifier: MIT
/** All pairs of clocks of a recording, of which its head has the first alone. */
import { NODE_CLOCK } from '../../clock.js';
import type { EventBatch } from '../../core/events/batch.js';
import { noteClock } from '../../core/events/clocks.js';
import { drive } from '../../core/events/drive.js';
import type { SessionInfo } from '../../core/events/session.js';
import { UserArgs, UserKind } from '../../core/events/user-rows.js';
import type { FixedKey } from '../format/columns.js';
import { shiftSession } from './cut.js';
import { openFile } from './file.js';
import type { When } from './when.js';

const WANTED: ReadonlySet<FixedKey> = new Set(['kind', UserArgs.Clock.seconds, UserArgs.Clock.nanoseconds]);

/**
 * The session of the recording at `path`, as its reader sees it, with the clocks that times by the wall need. It is read
 * through once for them, and not where `times` are given from the begin. What cannot be read twice, `-`, has those of its head.
 */
export async function withClocks(
  session: SessionInfo,
  path: string,
  times: readonly (When | undefined)[],
): Promise<SessionInfo> {
  if (path === '-' || times.every((when) => when === undefined || when.kind === 'offset')) return session;
  const source = await openFile(path, { raw: true, only: WANTED });
  const { head } = source;
  const all = { ...head.session, clocks: [...head.session.clocks] };
  const push = (batch: EventBatch): void => {
    for (let i = 0; i < batch.length; i++) if (batch.kind[i] === UserKind.Clock) noteClock(all, batch, i);
  };
  // Damage is reported when the rows are read.
  await drive(source, push, NODE_CLOCK);
  await source.close();
  const zero = head.part?.before?.time ?? 0;
  return zero === 0 ? all : shiftSession(all, zero);
}
