// SPDX-License-Identifier: MIT
/** Sets of runs against each other, for `make diff-pairs`: five of ten like runs against the other five, dealt many ways. */
import { join } from 'node:path';
import { load } from '../cli/common/load.js';
import { compare, type Recorded } from '../src/core/diff/compare.js';
import { openFile } from '../src/recording/read/file.js';
import { Random } from '../test/core/random.js';

const RUNS = 5;
const DEALS = 100;

/** What is named first in each of the deals in which something is. */
interface Named {
  readonly sets: number;
  readonly first: readonly string[];
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
  const random = new Random(1);
  const named = new Map<string, Named>();
  const kinds = [...runs];
  for (const [i, [kindA, ofA]] of kinds.entries()) {
    for (const [kindB, ofB] of kinds.slice(i)) {
      const like = kindA === kindB;
      if (Math.min(ofA.length, ofB.length) < (like ? 2 * RUNS : RUNS)) continue;
      const first: string[] = [];
      for (let deal = 0; deal < DEALS; deal++) {
        const drawn = random.draw(ofA, like ? 2 * RUNS : RUNS);
        const other = like ? drawn.splice(RUNS) : random.draw(ofB, RUNS);
        const [finding] = compare(drawn, other).findings;
        if (finding !== undefined) first.push(finding.id);
      }
      named.set(`${kindA} with ${kindB}`, { sets: DEALS, first });
    }
  }
  return named;
}
