// SPDX-License-Identifier: MIT
/** Whether a session can see a wait: without a hook that shows it, its count is not 0 but not known. */
import { whyNotHooked } from '../aggregate/mmap-lock.js';
import type { SessionInfo } from '../events/session.js';
import { WAIT_FACTS, type WaitName } from '../vocabulary/waits.js';

/** Why a wait that never occurred may have gone unseen; '' when it would have been seen. */
export function whyNoWait(session: SessionInfo, wait: WaitName): string {
  const reasons = WAIT_FACTS[wait].hooks.map((hook) => whyNotHooked(session, hook));
  return reasons.includes('') ? '' : (reasons[0] ?? '');
}
