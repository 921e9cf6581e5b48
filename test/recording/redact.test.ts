// SPDX-License-Identifier: MIT
/** A redacted output contains nothing private, and every figure is what it was. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { Checker } from '../../src/core/check/checker.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { redactSource } from '../../src/recording/read/redact.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { run } from '../cli/run.js';
import { longOnly } from '../long.js';

const dir = mkdtempSync(join(tmpdir(), 'redact-'));
after(() => rmSync(dir, { recursive: true }));
const RECORDINGS = ['mixed-7.3', 'synthetic-flight', 'blocked-6.12', 'forked-7.3'].map(
  (name) => `test/golden/${name}.vmlt`,
);

/** What a recording says of its host: texts of 3 characters and more, and addresses in hexadecimal. */
async function secrets(file: string): Promise<{ texts: Set<string>; addresses: Set<number> }> {
  const source = await openFile(file);
  const { host, bootId, commandLine, kernel, tool } = source.session;
  // A word of the command line such as `swap` is our own; a path is not.
  const texts = new Set<string>([host, bootId, ...commandLine.filter((word) => word.includes('/'))]);
  const addresses = new Set<number>();
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.length; i++) {
      const text = batch.strings[batch.comm[i] ?? 0] ?? '';
      const kernel = batch.kind[i] === UserKind.Frame && batch.value[i] === 1;
      if (!kernel && batch.kind[i] !== UserKind.Handler && batch.kind[i] !== UserKind.SwapDevice)
        for (const part of text.split('\t')) texts.add(part);
      addresses.add(batch.mm[i] ?? 0);
      // Of a hold, counts.
      if (batch.kind[i] !== VlKind.L_HELD)
        for (const column of [batch.address, batch.vmaStart, batch.vmaEnd]) addresses.add(column[i] ?? 0);
    }
  }
  await source.close();
  // A workload has the name of a section of the report.
  const known = `${kernel} ${tool} blockers`;
  return { texts: new Set([...texts].filter((text) => text.length > 3 && !known.includes(text))), addresses };
}

async function snapshots(file: string): Promise<{ plain: Snapshot; hidden: Snapshot; rules: unknown[][] }> {
  const made: Snapshot[] = [];
  const rules: unknown[][] = [];
  for (const redact of [false, true]) {
    const opened = await openFile(file);
    const source = redact ? redactSource(opened) : opened;
    const pipeline = new Pipeline(source.session);
    const checker = new Checker(source.session);
    for await (const batch of source.batches()) {
      pipeline.push(batch);
      checker.push(batch);
    }
    checker.finish();
    rules.push(checker.report().rules.map(({ rule, result }) => `${rule} ${result}`));
    made.push(pipeline.snapshot());
    await source.close();
  }
  return { plain: made[0] as Snapshot, hidden: made[1] as Snapshot, rules };
}

/** Without names, which are what changes. */
function figures(snapshot: Snapshot): string {
  const names = new Set([
    'host',
    'commandLine',
    'comm',
    'ownerComm',
    'convoyVia',
    'worst',
    'cgroup',
    'cgroupPath',
    'path',
    'name',
    'mm',
    'address',
    'bootId',
    'by',
  ]);
  return JSON.stringify(statJson(snapshot), (key, value) =>
    names.has(key) || /^0x[0-9a-f]+$/.test(String(value)) || /^(task|cgroup)-/.test(key) ? undefined : value,
  );
}

for (const file of RECORDINGS) {
  test(`${file}: every figure is what it was`, async () => {
    const { plain, hidden, rules } = await snapshots(file);
    assert.deepEqual(JSON.parse(figures(hidden)).retry, JSON.parse(figures(plain)).retry);
    assert.deepEqual(JSON.parse(figures(hidden)).waits, JSON.parse(figures(plain)).waits);
    assert.deepEqual(JSON.parse(figures(hidden)).lifecycles, JSON.parse(figures(plain)).lifecycles);
    assert.deepEqual(JSON.parse(figures(hidden)).events, JSON.parse(figures(plain)).events);
    assert.deepEqual(rules[1], rules[0], 'the rules of check hold as before');
  });

  test(`${file}: nothing private is left, in any form`, {
    skip: file === RECORDINGS[0] ? false : longOnly,
  }, async () => {
    const { texts, addresses } = await secrets(file);
    const again = join(dir, 'again.vmlt');
    for (const [args, path] of [
      [['export', file, '-f', 'recording', '--redact', '-o', again], again],
      [['export', file, '-f', 'jsonl', '-t', 'events', '--redact', '-o', join(dir, 'events')], join(dir, 'events')],
      [['export', file, '-f', 'perfetto', '--redact', '-o', join(dir, 'perfetto')], join(dir, 'perfetto')],
      [['report', file, '--redact', '-o', join(dir, 'page')], join(dir, 'page')],
    ] as const) {
      const { code, stderr } = await run([...args]);
      assert.equal(code, 0, stderr);
      const bytes = readFileSync(path, 'latin1');
      // The recording itself is compressed: it is read instead.
      if (path !== again) for (const text of texts) assert.ok(!bytes.includes(text), `${args[0]} ${args[3]}: ${text}`);
    }
    const left = await secrets(again);
    for (const text of left.texts) assert.ok(!texts.has(text), text);
    for (const address of left.addresses) assert.ok(address === 0 || !addresses.has(address), address.toString(16));
    assert.equal(left.addresses.size > 3, addresses.size > 3);
  });
}

test('what lay in a VMA lies in it, what was equal is equal, and another time it is another', async () => {
  const rows = async (redact: boolean): Promise<number[][]> => {
    const opened = await openFile(RECORDINGS[0] as string);
    const out: number[][] = [];
    const take = (batch: EventBatch): void => {
      for (let i = 0; i < batch.length; i++)
        if (((batch.flags[i] ?? 0) & 1) !== 0 && (batch.kind[i] ?? 0) <= VlKind.W_VMA)
          out.push([batch.mm, batch.address, batch.vmaStart, batch.vmaEnd].map((column) => column[i] ?? 0));
    };
    for await (const batch of (redact ? redactSource(opened) : opened).batches()) take(batch);
    await opened.close();
    return out;
  };
  const [plain, one, two] = [await rows(false), await rows(true), await rows(true)];
  assert.equal(one.length, plain.length);
  const mms = new Map<number, number>();
  let moved = 0;
  plain.forEach(([mm = 0, address = 0, start = 0, end = 0], i) => {
    const [mm1 = 0, address1 = 0, start1 = 0, end1 = 0] = one[i] ?? [];
    if (end !== 0) assert.equal(end1 - start1, end - start);
    if (end !== 0 && address !== 0) assert.equal(address1 - start1, address - start);
    assert.equal(mms.get(mm) ?? mm1, mm1);
    mms.set(mm, mm1);
    if (address !== 0 && address1 !== (two[i] ?? [])[1]) moved++;
  });
  assert.equal(new Set(mms.values()).size, mms.size);
  assert.ok(moved > 0);
});
