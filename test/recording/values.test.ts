// SPDX-License-Identifier: MIT
/** Every number of a recording has its range: a value outside it is refused with the name of the field, a value at its ends is read. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { statJson } from '../../cli/commands/stat/json.js';
import { statText } from '../../cli/commands/stat/text.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { Checker } from '../../src/core/check/checker.js';
import { checkText } from '../../src/core/check/text.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { ExitCode, UserError } from '../../src/errors.js';
import { FORMAT_NAMES } from '../../src/export/formats.js';
import { runExport } from '../../src/export/run.js';
import { COLUMNS, type FixedKey } from '../../src/recording/format/columns.js';
import { ROW_RANGES } from '../../src/recording/format/row-ranges.js';
import { openFile } from '../../src/recording/read/file.js';
import { GUEST_RECORDING, MemoryOutput } from '../export/support.js';
import { long, some } from '../long.js';
import { type Changes, writeChanged } from './hostile.js';

const directory = mkdtempSync(join(tmpdir(), 'vlt-values-'));
const path = join(directory, 't.vmlt');
after(() => rmSync(directory, { recursive: true }));

/** In the short form the rest of the recording, which is the same whatever the value, is not read a hundred times. */
const FIRST_ROWS = 2000;

let turn = 0;

/** Reads all of it into everything that shows it, and exports it, in one format after the other; resolves to the text. */
async function shown(): Promise<string> {
  const source = await openFile(path);
  const pipeline = new Pipeline(source.session);
  const checker = new Checker(source.session);
  for await (const batch of source.batches()) {
    pipeline.push(batch);
    checker.push(batch);
  }
  checker.finish();
  const snapshot = pipeline.snapshot();
  let text = statText(snapshot) + checkText(checker.report(), source.session.host);
  text += JSON.stringify(statJson(snapshot));
  for (const format of long ? FORMAT_NAMES : FORMAT_NAMES.slice(turn++ % FORMAT_NAMES.length).slice(0, 1)) {
    const exported = await openFile(path);
    const { error } = await runExport(exported, { format, table: 'lifecycles', output: new MemoryOutput() });
    assert.equal(error, null);
  }
  return text;
}

async function refused(changes: Changes, field: RegExp): Promise<void> {
  await writeChanged(path, changes);
  await assert.rejects(shown(), (error) => {
    assert.ok(error instanceof UserError, error instanceof Error ? (error.stack ?? '') : String(error));
    assert.equal(error.exitCode, ExitCode.Usage);
    assert.match(error.message, field);
    return true;
  });
}

/** Puts `value` into the first row of the recording for which `is` holds. */
function put(key: FixedKey, value: number, is: (batch: EventBatch, i: number) => boolean): Changes {
  let done = false;
  return {
    batch(batch) {
      for (let i = 0; i < batch.length && !done; i++) {
        if (!is(batch, i)) continue;
        batch[key][i] = value;
        done = true;
      }
      return undefined;
    },
  };
}

const named = (key: string): string => COLUMNS.find((column) => column.key === key)?.name ?? key;

for (const [key, { min, max, unknown }] of Object.entries(ROW_RANGES)) {
  const odd = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, 1e300, min - 1e4, max * 4];
  if (unknown === undefined) odd.push(Number.NaN);
  test(`rows: ${key} out of its range`, async () => {
    for (const value of some(odd, 3))
      await refused(
        put(key as FixedKey, value, (batch, i) => batch.kind[i] !== 0 && i > 3),
        new RegExp(`: ${named(key)} is ${String(value).replace('+', '\\+')} in row \\d+, not a whole number from`),
      );
  });
}

test('rows: whatever else is in them, what is shown has no NaN', async () => {
  for (const [key, { min, max }] of Object.entries(ROW_RANGES)) {
    for (const value of [min, max]) {
      for (const kind of [(kind: number): boolean => kind < 128, (kind: number): boolean => kind === 128]) {
        await writeChanged(
          path,
          put(key as FixedKey, value, (batch, i) => kind(batch.kind[i] ?? 0) && i > 3),
          long ? Number.POSITIVE_INFINITY : FIRST_ROWS,
        );
        assert.doesNotMatch(await shown(), /NaN|undefined|Infinity/, `${key} ${value}`);
      }
    }
  }
});

const ODD_NUMBERS: readonly unknown[] = [null, '1', -1, 0.5, 1e300, true, [], {}];
const ODD_TEXTS: readonly unknown[] = [null, 1, [], {}, 'x'.repeat(70_000)];
const ODD_NS: readonly unknown[] = [null, 1, '', 'x', '-1', '1.5', '0x10', '9'.repeat(20), '9'.repeat(400), ' 1'];
const NESTED: unknown = JSON.parse('['.repeat(2000) + ']'.repeat(2000));

/** Field of the session, and what it cannot be. */
const FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  v: [null, '1', 0, 0.5, -1, []],
  tool: ODD_TEXTS,
  host: ODD_TEXTS,
  kernel: ODD_TEXTS,
  arch: ODD_TEXTS,
  bootId: ODD_TEXTS,
  commandLine: [null, 'x', [1], [null], NESTED],
  cpus: [...ODD_NUMBERS, 0, 2 ** 40],
  baseNs: ODD_NS,
  clocks: [
    null,
    {},
    [null],
    [[]],
    ...ODD_NS.map((realtimeNs) => [{ time: 0, realtimeNs }]),
    ...[null, 'x', 0.5, 1e300, 2 ** 60].map((time) => [{ time, realtimeNs: '1' }]),
  ],
  scope: [...ODD_TEXTS, 'some', '', 'toString'],
  release: [...ODD_TEXTS, 'never'],
  minUs: [...ODD_NUMBERS, 2 ** 32],
  filters: [null, [], 'x', { pid: 1 }, { pid: NESTED }],
  programs: [null, {}, [1], [{ name: 'x' }], [{ name: 1, target: 'x', method: 'x' }]],
  hooks: [null, {}, [{ target: 'x', attached: 1, note: '' }]],
  ringBytes: [...ODD_NUMBERS, 2 ** 50],
  enums: [
    null,
    [],
    {},
    { faultFlags: {}, faultReasons: [] },
    { faultFlags: { X: 'x' }, faultReasons: {} },
    { faultFlags: { X: 0.5 }, faultReasons: {} },
  ],
  preemption: ODD_TEXTS,
  layout: ODD_TEXTS,
};

for (const [field, values] of Object.entries(FIELDS)) {
  test(`session: ${field} out of its range`, async () => {
    for (const value of values)
      await refused(
        { session: (session) => ({ ...session, [field]: value }) },
        new RegExp(`its session lacks a proper "${field}"`),
      );
    await refused(
      { session: (session) => Object.fromEntries(Object.entries(session).filter(([name]) => name !== field)) },
      new RegExp(`its session lacks a proper "${field}"`),
    );
  });
}

test('session: what nobody knows is not passed on, however deep it nests', async () => {
  await writeChanged(path, {
    session: (session) => ({ ...session, extra: NESTED, clocks: [{ ...session.clocks[0], extra: NESTED }] }),
  });
  const source = await openFile(path);
  assert.equal('extra' in source.session, false);
  await source.close();
  await shown();
  assert.ok(GUEST_RECORDING.length > 0);
});
