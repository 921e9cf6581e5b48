// SPDX-License-Identifier: MIT
/** Sets of runs against each other, for `make diff-pairs`: five of ten like runs against the other five, dealt many ways. */
import { join } from 'node:path';
import { compare, type Recorded } from '../src/core/diff/compare.js';
import { load } from '../src/diff/load.js';
import { openFile } from '../src/source/file.js';

const RUNS = 5;
const DEALS = 100;

/** What is named first in each of the deals in which something is. */
interface Named {
  readonly sets: number;
  readonly first: readonly string[];
}

/** Numbers in [0, 1), the same every time (a linear congruential generator). */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function chosen(runs: readonly Recorded[], count: number, next: () => number): Recorded[] {
  return runs
    .map((run) => ({ run, at: next() }))
    .sort((x, y) => x.at - y.at)
    .slice(0, count)
    .map(({ run }) => run);
}

/** By the pair of kinds; kinds of which there are too few runs are left out. */
export async function compareSets(
  dir: string,
  files: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, Named>> {
  const runs = new Map<string, Recorded[]>();
  for (const [kind, names] of files) {
    const loaded: Recorded[] = [];
    for (const name of names) loaded.push(await load(await openFile(join(dir, name))));
    runs.set(kind, loaded);
  }
  const next = numbers();
  const named = new Map<string, Named>();
  const kinds = [...runs];
  for (const [i, [kindA, ofA]] of kinds.entries()) {
    for (const [kindB, ofB] of kinds.slice(i)) {
      const like = kindA === kindB;
      if (Math.min(ofA.length, ofB.length) < (like ? 2 * RUNS : RUNS)) continue;
      const first: string[] = [];
      for (let deal = 0; deal < DEALS; deal++) {
        const drawn = chosen(ofA, like ? 2 * RUNS : RUNS, next);
        const other = like ? drawn.splice(RUNS) : chosen(ofB, RUNS, next);
        const [finding] = compare(drawn, other).findings;
        if (finding !== undefined) first.push(finding.id);
      }
      named.set(`${kindA} with ${kindB}`, { sets: DEALS, first });
    }
  }
  return named;
}
