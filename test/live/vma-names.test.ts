// SPDX-License-Identifier: MIT
/** What VMAs map: from the record in the ring to the views, the exports, later parts of a recording, and a redacted one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingProducer } from 'ebpf-ts/testing';
import { statJson } from '../../cli/commands/stat/json.js';
import { statText } from '../../cli/commands/stat/text.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { mappingOf } from '../../src/core/events/vma-names.js';
import { vmaFields } from '../../src/core/present/fields/vma.js';
import { cutStart } from '../../src/core/present/text.js';
import { detailLines, namedBy } from '../../src/core/view/waterfall.js';
import { EventDecoder } from '../../src/live/decode.js';
import { NamesSoFar } from '../../src/recording/read/names.js';
import { redactSource } from '../../src/recording/read/redact.js';
import { VlMapping, VlNote, VlVma } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { AVOIDABLE, batchesOf, MM, PAGE, retry, snapshotOf, TGID, type WireRow } from '../core/wire.js';
import { exported, sourceOf } from '../export/support.js';
import { encodeStep } from './records.js';

const BASE = 1000n;

/** `struct vl_vma`, field by field. `names`: from the file up. */
function encodeVma(what: number, names: readonly string[], inode = 131_072n, length?: number): Uint8Array {
  const bytes = new Uint8Array(VlVma.size);
  bytes.set(
    encodeStep({
      kind: VlNote.VMA,
      flags: 0,
      cpu: 3,
      tid: 201,
      fault: 0,
      faultCpu: 0,
      step: 0,
      ts: BASE + 7n,
      a: what,
      b: (0xfe << 20) | 1,
    }),
  );
  const view = new DataView(bytes.buffer);
  view.setBigUint64(VlVma.mm, BigInt(MM), true);
  view.setBigUint64(VlVma.vmaStart, BigInt(PAGE), true);
  view.setBigUint64(VlVma.vmaEnd, BigInt(PAGE + 0x2000), true);
  view.setBigUint64(VlVma.inode, inode, true);
  view.setUint32(VlVma.tgid, TGID, true);
  const text = Buffer.from(names.map((name) => `${name}\0`).join(''));
  view.setUint32(VlVma.length, length ?? text.length, true);
  bytes.set(text, VlVma.name);
  return bytes;
}

function decoded(...records: Uint8Array[]): { batch: EventBatch; decoder: EventDecoder } {
  const producer = new RingProducer(8192);
  for (const record of records) producer.output(record);
  const decoder = new EventDecoder(producer.ring, BASE);
  const batch = decoder.createBatch();
  decoder.drainInto(batch);
  return { batch, decoder };
}

function labelOf(what: number, names: readonly string[]): string {
  const { batch } = decoded(encodeVma(what, names));
  return mappingOf(batch, 0, batch.strings[batch.comm[0] as number] ?? '').label;
}

describe('a record of a VMA', () => {
  it('becomes a row of the user side, which is no event: nothing is counted as decoded', () => {
    const { batch, decoder } = decoded(encodeVma(VlMapping.FILE, ['libc.so.6', 'lib', 'usr']));
    assert.equal(batch.length, 1);
    assert.equal(decoder.malformed, 0);
    assert.deepEqual(
      [...decoder.decoded].filter((n) => n > 0),
      [],
    );
    assert.equal(batch.kind[0], UserKind.Vma);
    const columns = [batch.time, batch.tgid, batch.mm, batch.vmaStart, batch.vmaEnd].map((column) => column[0]);
    assert.deepEqual(columns, [7, TGID, MM, PAGE, PAGE + 0x2000]);
    assert.deepEqual(mappingOf(batch, 0, batch.strings[batch.comm[0] as number] ?? ''), {
      label: '/usr/lib/libc.so.6',
      device: 'fe:01',
      inode: 131_072,
    });
  });

  it('of another size, or of a kind that is none, is a defect', () => {
    const { batch, decoder } = decoded(encodeVma(VlMapping.FILE, ['x']).subarray(0, VlVma.size - 8));
    assert.deepEqual([batch.length, decoder.malformed], [0, 1]);
  });

  it('says what /proc/PID/maps says', () => {
    assert.equal(labelOf(VlMapping.HEAP, []), '[heap]');
    assert.equal(labelOf(VlMapping.STACK, []), '[stack]');
    assert.equal(labelOf(VlMapping.ANON, []), '[anon]');
    assert.equal(labelOf(VlMapping.ANON, ['ring of buffers']), '[anon:ring of buffers]');
    assert.equal(labelOf(VlMapping.FILE | VlMapping.DELETED, ['memfd:ring']), '/memfd:ring (deleted)');
    assert.equal(labelOf(VlMapping.FILE | VlMapping.DELETED, ['dev/zero']), '/dev/zero (deleted)');
    assert.equal(labelOf(VlMapping.FILE | VlMapping.CUT, ['c', 'b']), '…/b/c');
    assert.equal(labelOf(VlMapping.FILE, ['x', '/']), '/x', 'a root has no name');
    assert.equal(labelOf(0, ['x']), '', 'of a later release');
  });

  it('keeps inode numbers that a double holds, and no near ones', () => {
    const inodeOf = (inode: bigint): number => {
      const { batch } = decoded(encodeVma(VlMapping.FILE, ['x'], inode));
      return mappingOf(batch, 0, '/x').inode;
    };
    assert.equal(inodeOf(2n ** 53n - 1n), 2 ** 53 - 1);
    assert.equal(inodeOf(2n ** 63n + 5n), 0);
  });
});

const vma = (what: number, text: string, time = 5): WireRow => ({
  kind: UserKind.Vma,
  time,
  tid: 201,
  a: what,
  b: (0xfe << 20) | 1,
  tgid: TGID,
  comm: text,
  mm: MM,
  vma: START,
  value: 77,
});
const FAULT = retry({ fault: 1, tid: 201, from: 1000, to: 2000, found: AVOIDABLE });
const START = FAULT.find(({ vma: range }) => range !== undefined)?.vma ?? [0, 0];

describe('what a VMA maps', () => {
  it('stands in the rows of VMAs and addresses, in stat, in JSON and at the fault', () => {
    const snapshot = snapshotOf([...FAULT, vma(VlMapping.FILE, '/srv/data/table.ibd')]);
    assert.equal(snapshot.vmas[0]?.mapping, '/srv/data/table.ibd');
    assert.equal(snapshot.addresses[0]?.mapping, '/srv/data/table.ibd');
    assert.match(statText(snapshot).toString(), /\/srv\/data\/table\.ibd/);
    const json = statJson(snapshot) as { vmas: Record<string, unknown>[]; addresses: Record<string, unknown>[] };
    assert.deepEqual(
      [json.vmas[0]?.mapping, json.vmas[0]?.device, json.vmas[0]?.inode],
      ['/srv/data/table.ibd', 'fe:01', 77],
    );
    assert.equal(json.addresses[0]?.mapping, '/srv/data/table.ibd');
    const [fault] = snapshot.latest;
    assert.ok(fault);
    const text = detailLines(fault, snapshot.time, 100, namedBy(snapshot))
      .map((line) => line.map((segment) => segment.text).join(''))
      .join('\n');
    assert.match(text, /mapping +\/srv\/data\/table\.ibd/);
  });

  it('is the latest that was said, and not known where nothing was', () => {
    const named = snapshotOf([vma(VlMapping.ANON, ''), ...FAULT, vma(VlMapping.ANON, 'arena', 3000)]);
    assert.equal(named.vmas[0]?.mapping, '[anon:arena]');
    const silent = snapshotOf(FAULT);
    assert.equal(silent.vmas[0]?.mapping, '');
    const json = statJson(silent) as { vmas: Record<string, unknown>[] };
    assert.deepEqual([json.vmas[0]?.mapping, json.vmas[0]?.device, json.vmas[0]?.inode], [null, null, null]);
  });

  it('is made harmless where it is shown', () => {
    const [row] = snapshotOf([...FAULT, vma(VlMapping.FILE, '/tmp/\x1b[2J\x1b]0;x\x07\n\u202e.so')]).vmas;
    assert.ok(row);
    const field = vmaFields.find(({ id }) => id === 'mapping');
    assert.equal(field?.format(field.get(row)), '/tmp/?[2J?]0;x???.so');
    assert.ok(
      !statText(snapshotOf([...FAULT, vma(VlMapping.FILE, '/\x1b[2J')]))
        .toString()
        .includes('\x1b'),
    );
  });

  it('keeps its end where there is no room for all of it', () => {
    assert.equal(cutStart('/usr/lib/libduckdb.so', 14), '…/libduckdb.so');
    assert.equal(cutStart('/usr/lib/x', 10), '/usr/lib/x');
    assert.equal(cutStart('/データ/x', 5), '…タ/x'.slice(0, 4), 'wide characters count twice');
    assert.equal(cutStart('abc', 0), '');
  });

  it('is in the exports: lifecycles by name, events with the VMA', async () => {
    const batches = batchesOf([vma(VlMapping.FILE, '/srv/t'), ...FAULT]);
    const lines = async (table: 'lifecycles' | 'events'): Promise<Record<string, unknown>[]> => {
      const { output } = await exported(sourceOf(batches), { format: 'jsonl', table });
      return output
        .all()
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    const lifecycles = (await lines('lifecycles')).filter(({ type }) => type === 'lifecycle');
    assert.deepEqual(
      lifecycles.map(({ mapping }) => mapping),
      ['/srv/t'],
    );
    const row = (await lines('events')).find(({ name }) => name === 'VMA');
    assert.deepEqual([row?.comm, row?.mm, row?.vma_start, row?.tgid], ['/srv/t', MM, START[0], TGID]);
  });

  it('is carried into a recording that begins later, once a VMA', () => {
    const names = new NamesSoFar();
    const [batch] = batchesOf([vma(VlMapping.ANON, ''), vma(VlMapping.FILE, '/srv/t', 9)]);
    assert.ok(batch);
    const cgroup = createBatch(1, ['', '/app']);
    cgroup.kind[0] = UserKind.Cgroup;
    cgroup.comm[0] = 1;
    cgroup.length = 1;
    names.add(batch, 0);
    names.add(batch, 1);
    names.add(cgroup, 0);
    const rows = [...names.batches(50)].flatMap((part) =>
      Array.from({ length: part.length }, (_, i) => [
        part.kind[i],
        part.time[i],
        part.strings[part.comm[i] as number],
        part.mm[i],
        part.vmaStart[i],
        part.tgid[i],
        part.value[i],
      ]),
    );
    assert.deepEqual(rows, [
      [UserKind.Vma, 50, '/srv/t', MM, START[0], TGID, 77],
      [UserKind.Cgroup, 50, '/app', 0, 0, 0, 0],
    ]);
  });

  it('is hidden by --redact, and its VMA is found all the same', async () => {
    const source = redactSource(sourceOf(batchesOf([vma(VlMapping.FILE, '/home/ann/secret.db'), ...FAULT])));
    const seen: string[] = [];
    const { Pipeline } = await import('../../src/core/aggregate/pipeline.js');
    const pipeline = new Pipeline(syntheticSession());
    for await (const batch of source.batches()) {
      pipeline.push(batch);
      seen.push(...batch.strings);
      const i = batch.kind.indexOf(UserKind.Vma);
      assert.ok(i >= 0);
      assert.notEqual(batch.mm[i], MM);
      assert.notEqual(batch.vmaStart[i], START[0]);
      assert.notEqual(batch.value[i], 77);
    }
    assert.ok(!seen.some((text) => text.includes('ann')), seen.join());
    assert.match(pipeline.snapshot().vmas[0]?.mapping ?? '', /^mapping-[0-9a-f]{12}$/);
  });
});
