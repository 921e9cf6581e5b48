// SPDX-License-Identifier: MIT
/** Outcomes of faults: the attempt under the VMA lock, or none. */
import type { OutcomeRow } from '../rows.js';
import { type Field, num, text } from './field.js';

export const outcomeFields: readonly Field<OutcomeRow>[] = [
  text('outcome', 'outcome', 11, (r) => r.title),
  num('count', 'count', '', 6, (r) => r.count),
  num('rate', 'rate', '/s', 9, (r) => r.rate),
  num('share', 'share', 'share', 7, (r) => r.share),
];
