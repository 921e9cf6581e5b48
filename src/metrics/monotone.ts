// SPDX-License-Identifier: MIT
/**
 * Counters that never go back.
 *
 * A retry counts as `unknown` until its fallback says more, and is counted elsewhere then. To whoever scrapes, a counter
 * that became smaller was reset, and all of it happened anew. So what was said once is kept: a series that lost a few
 * stands still until it has caught up, and is too high meanwhile by no more than was once on its way at the same time.
 */
import type { Family, Labels, Sample } from './family.js';

export class Monotone {
  #said: Map<string, number> = new Map();

  apply(families: readonly Family[]): Family[] {
    const said = new Map<string, number>();
    const kept = (name: string, { labels, value }: Sample): Sample => {
      const series = keyOf(name, labels);
      const most = Math.max(value, this.#said.get(series) ?? 0);
      said.set(series, most);
      return { labels, value: most };
    };
    const out = families.map((family) =>
      family.type === 'counter'
        ? { ...family, samples: family.samples.map((sample) => kept(family.name, sample)) }
        : family,
    );
    // Series that are gone are forgotten with what they said.
    this.#said = said;
    return out;
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, labels]);
}
