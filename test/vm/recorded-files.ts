// SPDX-License-Identifier: MIT
/** What a guest recorded, as files of this host, and the tool over them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import type { Inventory } from '../../src/recording/read/inventory.js';
import { run } from '../cli/run.js';
import type { Stat as SessionStat } from './session.js';

export interface Seen {
  readonly codes: Readonly<Record<string, string>>;
  readonly times: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

export interface Stat extends SessionStat {
  durationNs: number;
  lifecycles: SessionStat['lifecycles'] & { byEnd: Record<string, number> };
  waits: Record<string, { count: number; sumNs: string } | null>;
}

/** Files of one guest, and the tool of this host over them. */
export class Files {
  readonly #dir: string;
  readonly seen: Seen;

  constructor(dir: string, seen: Seen) {
    this.#dir = dir;
    this.seen = seen;
  }

  path(name: string): string {
    return join(this.#dir, name);
  }

  text(name: string): string {
    return Buffer.from(this.seen.files[name] ?? '', 'base64').toString();
  }

  parts(name: string): string[] {
    return Object.keys(this.seen.files)
      .filter((file) => new RegExp(`^${name}\\.\\d{4}\\.vmlt$`).test(file))
      .sort();
  }

  async tool(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(argv);
    assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`);
    return stdout;
  }

  async stat(name: string): Promise<Stat> {
    return JSON.parse(await this.tool('stat', '--json', this.path(name))) as Stat;
  }

  async info(name: string): Promise<Inventory> {
    return JSON.parse(await this.tool('info', '--json', this.path(name))) as Inventory;
  }
}

/** ns: from the newest row of a recording to a time of CLOCK_MONOTONIC. */
export function since(info: Inventory, time: string | undefined): number {
  return Number(BigInt(time ?? '0') - BigInt(info.session.baseNs)) - (info.time.lastNs ?? Number.NaN);
}

/** ns: the longest time between two samples of the counters. The recorder takes four a second when it has a processor. */
export async function longestPause(path: string): Promise<number> {
  const recording = await openFile(path);
  let [newest, longest] = [Number.NaN, 0];
  try {
    for await (const { kind, time, length } of recording.batches())
      for (let i = 0; i < length; i++) {
        if (kind[i] !== UserKind.Counter) continue;
        const at = time[i] as number;
        if (at - newest > longest) longest = at - newest;
        newest = at;
      }
  } finally {
    await recording.close();
  }
  return longest;
}
