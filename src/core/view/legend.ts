// SPDX-License-Identifier: MIT
/** Colours and what they stand for; a word beside each always says it too. */
import { type Line, type Style, seg } from '../present/text.js';

type Legend = readonly (readonly [Style, string])[];

export const LEGEND: Legend = [
  ['good', 'ended under the VMA lock'],
  ['retry', 'RETRY, and its causes'],
  ['completed', 'COMPLETED'],
  ['abort', 'ABORT, and its causes'],
  ['kernel', 'kernel mode'],
  ['bad', 'error, loss, unknown'],
];

/** Those that lists of faults have, in fewer words. */
export const OUTCOME_LEGEND: Legend = [
  ['good', 'VMA lock'],
  ['retry', 'RETRY'],
  ['completed', 'COMPLETED'],
  ['abort', 'ABORT'],
  ['bad', 'error, unknown'],
];

/** A legend in one line. */
export function legendLine(legend: Legend): Line {
  return legend.flatMap(([style, words], i) => [seg(`${i > 0 ? '  ' : ''}■ `, style), seg(words, 'dim')]);
}
