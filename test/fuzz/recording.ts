// SPDX-License-Identifier: MIT
/** Recordings: parts of real ones, with rows, names and fields of the session changed and written again; some are damaged after that. */
import { statJson } from '../../cli/commands/stat/json.js';
import { statText } from '../../cli/commands/stat/text.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { Checker } from '../../src/core/check/checker.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { COLUMNS, type Column, columnsOf } from '../../src/recording/format/columns.js';
import { loadZstd } from '../../src/recording/format/zstd.js';
import { openFile } from '../../src/recording/read/file.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { redactSource } from '../../src/recording/read/redact.js';
import { BatchEncoder, END_OF_STREAM, schemaMessage } from '../../src/recording/write/encode.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { chunksOf, MemorySink } from '../recording/support.js';
import { type CaseRandom, mutateBytes, oddName } from './random.js';
import { type Prepared, refusal, type Target } from './target.js';

/** Faults of all sorts, and writers and holders of locks: these, one in four times, as format 1 packed them. */
const FILES = ['mixed-7.3', 'swap-7.3', 'synthetic-flight', 'blocked-6.12', 'forked-7.3'];
const ROWS = 48;
const KINDS = [
  0, 1, 2, 3, 5, 6, 7, 8, 12, 13, 24, 26, 27, 28, 30, 31, 32, 33, 127, 128, 129, 130, 131, 132, 133, 134, 255,
];
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  2 ** 32,
  2 ** 52,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 63,
  1e300,
  -(2 ** 53),
];

interface Base {
  readonly session: SessionInfo;
  /** Of `ROWS` rows each. */
  readonly parts: EventBatch[];
}

function copyRows(from: EventBatch, start: number, rows: number): EventBatch {
  const to = createBatch(ROWS, [...from.strings]);
  for (const { key } of COLUMNS)
    for (let i = 0; i < rows; i++) (to[key] as unknown as unknown[])[i] = from[key][start + i];
  to.length = rows;
  return to;
}

async function base(name: string): Promise<Base> {
  const source = await openFile(`test/golden/${name}.vmlt`);
  const parts: EventBatch[] = [];
  for await (const batch of source.batches())
    for (let at = 0; at < batch.length; at += batch.length > 600 ? 600 : ROWS)
      if (parts.length < 60) parts.push(copyRows(batch, at, Math.min(ROWS, batch.length - at)));
  await source.close();
  return { session: source.session, parts };
}

function mutateRows(random: CaseRandom, batch: EventBatch, columns: readonly Column[] = COLUMNS): void {
  for (let hits = random.below(8); hits > 0 && batch.length > 0; hits--) {
    const row = random.below(batch.length);
    const { key, type } = random.pick(columns);
    const column = batch[key] as unknown as (number | bigint)[];
    if (type === 'utf8') {
      (batch.strings as string[]).push(oddName(random));
      column[row] = batch.strings.length - 1;
    } else if (random.one(2)) column[row] = column[random.below(batch.length)] as number;
    else if (key === 'kind') column[row] = random.pick(KINDS);
    else if (column instanceof BigUint64Array) column[row] = BigInt(random.below(2 ** 32)) << BigInt(random.below(33));
    else column[row] = column instanceof Float64Array ? random.pick(DOUBLES) : random.below(2 ** 32);
  }
}

const VALUES: readonly unknown[] = [
  null,
  '',
  'x',
  0,
  -1,
  0.5,
  1e300,
  true,
  [],
  {},
  [null],
  '9'.repeat(30),
  '\x1b]0;x\x07',
  { __proto__: 1 },
  'x'.repeat(5000),
];

/** One field, at any depth, becomes something else. */
function mutateSession(random: CaseRandom, session: SessionInfo): SessionInfo {
  const copy = JSON.parse(JSON.stringify(session)) as Record<string, unknown>;
  let at: Record<string, unknown> = copy;
  for (;;) {
    const key = random.pick(Object.keys(at));
    const value = at[key];
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && !random.one(3)) {
      at = value as Record<string, unknown>;
      continue;
    }
    if (random.one(6)) delete at[key];
    else at[key] = random.pick(VALUES);
    return copy as unknown as SessionInfo;
  }
}

/** What Arrow's messages begin with, and the length of their head after it. */
const MARK = 0xffff_ffff;

/** In one of two cases: the head of one message is damaged, and the rest of the recording is as it was. */
function heads(random: CaseRandom, bytes: Uint8Array): Uint8Array {
  if (random.one(2)) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [];
  for (let at = 0; at + 8 < bytes.length; at += 8) if (view.getUint32(at, true) === MARK) starts.push(at);
  const at = random.one(3) ? 0 : random.pick(starts);
  const length = Math.min(view.getUint32(at + 4, true), 8192, bytes.length - at - 8);
  const out = bytes.slice();
  const head = bytes.slice(at + 8, at + 8 + length);
  out.set(random.one(3) ? editText(random, head) : mutateBytes(random, head), at + 8);
  return out;
}

/** One letter of a name or of a field's text, which flatbuffers hold as they are. */
function editText(random: CaseRandom, head: Uint8Array): Uint8Array {
  const letters = [...head.keys()].filter((i) => /[\w."{}:,]/.test(String.fromCharCode(head[i] as number)));
  if (letters.length > 0) head[random.pick(letters)] = random.pick([...'0129xX"{}[]-,:\\ ']).charCodeAt(0);
  return head;
}

/** Throws where a figure is none, or a control character is left. */
function show(pipeline: Pipeline, checker: Checker): void {
  checker.finish();
  const snapshot = pipeline.snapshot();
  const text = statText(snapshot);
  const odd = /.{0,60}(?:NaN|undefined|Infinity)/.exec(`${text}${JSON.stringify(statJson(snapshot))}`);
  if (odd !== null) throw new Error(`shown: ${odd[0]}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(text)) throw new Error('a control character is shown');
}

export type Bases = readonly Base[];

export async function loadBases(): Promise<Bases> {
  await loadZstd();
  return Promise.all(FILES.map(base));
}

/** The bytes of a recording as somebody who means harm would write it; null when there is nothing in it. */
export async function hostileRecording(random: CaseRandom, bases: Bases): Promise<Uint8Array | null> {
  const { session, parts } = random.pick(bases);
  if (random.one(4)) return hostileFormat1(random, session, parts);
  const sink = new MemorySink();
  try {
    const writer = await createRecordingWriter(random.one(4) ? mutateSession(random, session) : session, sink);
    for (let n = 1 + random.below(3); n > 0; n--) {
      const from = random.pick(parts);
      const batch = copyRows(from, 0, from.length);
      mutateRows(random, batch);
      await writer.write(batch);
    }
    await writer.end();
  } catch (error) {
    // What cannot be written is no recording: the writer is ours, and its input is not hostile.
    if (sink.bytes().length === 0) return null;
    if (!(error instanceof Error)) throw error;
  }
  return sink.bytes();
}

/** Rows of locks hold anything where format 1 packed what they are about: priorities, names, stacks, counts. */
async function hostileFormat1(random: CaseRandom, session: SessionInfo, parts: readonly EventBatch[]) {
  const written = random.one(4) ? mutateSession(random, session) : session;
  const messages = [schemaMessage(written, null, 1)];
  const encoder = new BatchEncoder(await loadZstd(), columnsOf(1));
  for (let n = 1 + random.below(3); n > 0; n--) {
    const from = random.pick(parts);
    const batch = copyRows(from, 0, from.length);
    mutateRows(random, batch, columnsOf(1));
    for (let i = 0; i < batch.length; i++)
      if (!random.one(3)) {
        for (const word of [batch.pte, batch.vmFlags])
          word[i] = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
        for (const word of [batch.address, batch.vmaStart, batch.vmaEnd])
          word[i] = random.below(2 ** 31) * 2 ** random.below(33) + random.below(64);
      }
    messages.push(...encoder.encodeAll([batch]));
  }
  messages.push(END_OF_STREAM);
  return new Uint8Array(Buffer.concat(messages));
}

export const recording: Target = {
  name: 'recording',
  async prepare(): Promise<Prepared> {
    const bases = await loadBases();
    let used = 0;
    let shown = 0;
    return {
      used: () => used,
      async run(random) {
        const written = await hostileRecording(random, bases);
        if (written === null) return;
        const bytes = random.one(3) ? mutateBytes(random, written) : heads(random, written);
        try {
          const opened = await openRecordingBytes(chunksOf(bytes, 4096), 'it');
          const source = random.one(4) ? redactSource(opened) : opened;
          const pipeline = new Pipeline(source.session, { maxOpen: 64 });
          const checker = new Checker(source.session);
          try {
            for await (const batch of source.batches()) {
              pipeline.push(batch);
              checker.push(batch);
            }
            used++;
          } finally {
            // Whatever ended it, what came before is shown.
            if (shown++ % 16 === 0) show(pipeline, checker);
          }
        } catch (error) {
          refusal(error);
        }
      },
    };
  },
};
