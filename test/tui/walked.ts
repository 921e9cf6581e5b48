// SPDX-License-Identifier: MIT
/** Dashboards to walk through: over a recording, and over the same rows as they come in a live session. */
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { openReplay } from '../../src/recording/play/player.js';
import { openFile } from '../../src/recording/read/file.js';
import { bundledRecording } from './bundled.js';
import { type Harness, open } from './terminal.js';

export interface Walk {
  readonly h: Harness;
  readonly saved: { readonly list: string; readonly extension: string; readonly text: string }[];
}

export async function opened(
  t: { after(f: () => Promise<void>): void },
  columns: number,
  rows: number,
  recording: string = bundledRecording(),
): Promise<Walk> {
  const replay = await openReplay(recording);
  const saved: Walk['saved'] = [];
  const save = async (list: string, extension: string, text: string): Promise<string> => {
    saved.push({ list, extension, text });
    return `${list}.${extension}`;
  };
  const h = await open(columns, rows, { mode: 'replay', replay, save });
  t.after(async () => {
    h.close();
    await replay.close();
  });
  await h.dashboard.play();
  await h.settle();
  return { h, saved };
}

/** The same rows as they come in a live session: its faults are those that are kept, and no recording is read again. */
export async function live(
  t: { after(f: () => void): void },
  columns: number,
  rows: number,
  upTo: number,
): Promise<Walk> {
  const source = await openFile(bundledRecording());
  const pipeline = new Pipeline(source.session);
  const saved: Walk['saved'] = [];
  const save = async (list: string, extension: string, text: string): Promise<string> => {
    saved.push({ list, extension, text });
    return `${list}.${extension}`;
  };
  const h = await open(columns, rows, { mode: 'live', save });
  t.after(() => h.close());
  for await (const batch of source.batches()) {
    h.dashboard.update(pipeline.snapshot());
    if ((batch.time[0] ?? 0) > upTo) break;
    pipeline.push(batch);
  }
  await source.close();
  h.dashboard.update(pipeline.snapshot());
  await h.settle();
  return { h, saved };
}

export function counts(h: Harness): { latest?: number; slowest?: number } {
  const { lists } = h.dashboard.view;
  return { latest: lists.latest?.count ?? 0, slowest: lists.slowest?.count ?? 0 };
}
