// SPDX-License-Identifier: MIT
/** One VMA of one process. */
import type { VmaRow } from '../../aggregate/vmas.js';
import { WAIT_FACTS } from '../../vocabulary/waits.js';
import { formatAddress } from '../format.js';
import { flagWords } from '../words.js';
import { type Field, num, text, whole } from './field.js';

export const vmaFields: readonly Field<VmaRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole, { json: 'tgid' }),
  text('comm', 'comm', 12, (r) => r.comm, 15, { json: 'comm' }),
  text('range', 'range', 25, (r) => `${formatAddress(r.start)}-${formatAddress(r.end)}`, 25, { json: 'range' }),
  num('size', 'size', 'bytes', 8, (r) => r.end - r.start),
  text('flags', 'flags', 4, (r) => flagWords(r.vmFlags), 10),
  text('backing', 'backing', 7, (r) => (r.backing === 'unknown' ? '?' : r.backing)),
  { ...text<VmaRow>('mapping', 'mapping', 16, (r) => r.mapping || null, 60, { json: 'mapping' }), keepsEnd: true },
  text('name', 'served by', 18, (r) => r.handler || null, 34, { json: 'handler' }),
  num('retries', 'retries', '', 8, (r) => r.retries, undefined, { json: 'retries' }),
  num('aborts', 'aborts', '', 6, (r) => r.aborts, undefined, { json: 'aborts' }),
  num('lifecycles', 'traced', '', 6, (r) => r.lifecycles, undefined, { json: 'lifecycles' }),
  num('folioWait', WAIT_FACTS.folio.title, 'ns', 10, (r) => r.folioWaitNs, undefined, { json: 'folioWaitNs' }),
  num('mmapWait', WAIT_FACTS.mmapLock.title, 'ns', 9, (r) => r.mmapWaitNs, undefined, { json: 'mmapWaitNs' }),
  num('otherWait', 'other', 'ns', 8, (r) => r.otherWaitNs, undefined, { json: 'otherWaitNs' }),
  num('worst', 'worst', 'ns', 8, (r) => r.worstNs, undefined, { json: 'worstNs' }),
];
