// SPDX-License-Identifier: MIT
/** `diff`: two recordings side by side, or the runs of two sides. */

import { compare } from '../../../src/core/diff/compare.js';
import { diffJson } from '../../../src/core/diff/json.js';
import { diffText } from '../../../src/core/diff/text.js';
import { jsonOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { truncation } from '../../common/feed.js';
import { type Loaded, load } from '../../common/load.js';
import { openRecorded, refuseTwoStreams } from '../../common/open.js';
import { onStopSignal, print, report, say, signalExitCode } from '../../common/process.js';

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
  let stopping = false;
  const watch = onStopSignal(() => {
    stopping = true;
  });
  const read = async (file: string): Promise<Loaded> => {
    const source = await openRecorded(file);
    try {
      return await load(source, { stopped: () => stopping, truncated: () => truncation(source) });
    } finally {
      await source.close();
    }
  };
  const runs: Loaded[] = [];
  for (const file of [...filesA, ...filesB]) runs.push(await read(file));
  watch.dispose();
  if (watch.signal !== null) return signalExitCode(watch.signal);
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
