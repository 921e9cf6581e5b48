// SPDX-License-Identifier: MIT
/** `diff`: two recordings side by side, or the runs of two sides. */

import { compare } from '../../../src/core/diff/compare.js';
import { diffJson } from '../../../src/core/diff/json.js';
import { diffText } from '../../../src/core/diff/text.js';
import { jsonOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { type Loaded, load } from '../../common/load.js';
import { refuseTwoStreams } from '../../common/open.js';
import { print, report, say } from '../../common/process.js';
import { Recordings } from '../../common/recordings.js';

export interface DiffOptions {
  readonly json?: boolean;
  /** Further runs of either side. */
  readonly a?: readonly string[];
  readonly b?: readonly string[];
}

/** The exit code says whether it could be compared, not what came out: differences are often what one hoped for. */
export async function diff(fileA: string, fileB: string, options: DiffOptions): Promise<number> {
  const [filesA, filesB] = [
    [fileA, ...(options.a ?? [])],
    [fileB, ...(options.b ?? [])],
  ];
  refuseTwoStreams([...filesA, ...filesB]);
  const recordings = new Recordings();
  const runs: Loaded[] = [];
  for (const file of [...filesA, ...filesB]) {
    runs.push(await recordings.read(file, {}, (source) => load(source, recordings)));
    if (recordings.stopped()) break;
  }
  recordings.dispose();
  if (recordings.signalCode !== null) return recordings.signalCode;
  const result = compare(runs.slice(0, filesA.length), runs.slice(filesA.length));
  if (options.json === true) await print(jsonOf(diffJson(result)));
  else await print(diffText(result, [fileA, fileB]));
  let code: number = ExitCode.Ok;
  for (const [i, file] of [...filesA, ...filesB].entries()) {
    const { truncated = null, error = null } = runs[i] ?? {};
    if (truncated !== null) say(`${file} was cut off: ${truncated}`);
    if (error !== null) code = report(error);
  }
  return code;
}
