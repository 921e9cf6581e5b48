// SPDX-License-Identifier: MIT
/** Folded stacks: one line a stack, outermost frame first, `;` between, a blank and what it weighs. */

import { functionOf } from '../../core/events/frames.js';
import { cleanLine } from '../../core/present/clean.js';
import { pathOf, type StackSample } from '../../core/present/stack-samples.js';

const NS_PER_US = 1000;

function folded(name: string): string {
  return cleanLine(name).replaceAll(';', ':');
}

/**
 * Kernel frames end in `_[k]`, which flame graphs colour. Weights are counts, or microseconds rounded up, so that no
 * stack is lost. Equal paths are one line; places in one function are one frame.
 */
export function foldedText(samples: readonly StackSample[], weight: 'count' | 'time'): string {
  const lines = new Map<string, number>();
  for (const sample of samples) {
    const kernel = sample.kernel.map((frame) => `${functionOf(frame)}_[k]`);
    const user = sample.user.map(functionOf);
    const path = pathOf({ ...sample, kernel, user }, (frame) => frame)
      .map(folded)
      .join(';');
    lines.set(path, (lines.get(path) ?? 0) + (weight === 'count' ? sample.count : sample.ns));
  }
  return [...lines]
    .map(([path, value]) => [path, weight === 'count' ? value : Math.ceil(value / NS_PER_US)] as const)
    .sort((x, y) => (x[0] < y[0] ? -1 : 1))
    .map(([path, value]) => `${path} ${value}\n`)
    .join('');
}
