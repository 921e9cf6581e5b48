// SPDX-License-Identifier: MIT
/** A trace as an independent decoder and an importer see it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

interface Named {
  readonly iid: string;
  readonly name: string;
}

interface Annotation {
  readonly name_iid: string;
  readonly bool_value?: boolean;
  readonly int_value?: string;
  readonly string_value?: string;
  readonly pointer_value?: string;
}

export interface Packet {
  readonly timestamp?: string;
  readonly sequence_flags: number;
  readonly trusted_packet_sequence_id: number;
  readonly trace_packet_defaults?: { readonly timestamp_clock_id: number };
  readonly clock_snapshot?: {
    readonly clocks: readonly { clock_id: number; timestamp: string }[];
    primary_trace_clock: number;
  };
  readonly interned_data?: Readonly<
    Record<'event_categories' | 'event_names' | 'debug_annotation_names', readonly Named[]>
  > & {
    readonly function_names: readonly { readonly iid: string; readonly str: Uint8Array }[];
    readonly frames: readonly { readonly iid: string; readonly function_name_id: string; readonly kind: number }[];
    readonly callstacks: readonly { readonly iid: string; readonly frame_ids: readonly string[] }[];
  };
  readonly track_descriptor?: {
    readonly uuid: string;
    readonly name?: string;
    readonly parent_uuid?: string;
    readonly process?: { readonly pid: number };
    readonly thread?: { readonly pid: number; readonly tid: number; readonly thread_name?: string };
    readonly counter?: { readonly unit: number };
  };
  readonly track_event?: {
    readonly type: string;
    readonly track_uuid: string;
    readonly name_iid?: string;
    readonly counter_value?: string;
    readonly callstack_iid?: string;
    readonly flow_ids: readonly string[];
    readonly terminating_flow_ids: readonly string[];
    readonly debug_annotations: readonly Annotation[];
  };
}

const PROTO = readFileSync(new URL('../../../test/export/perfetto.proto', import.meta.url), 'utf8');
const Trace = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('perfetto.protos.Trace');

export function decode(bytes: Uint8Array): readonly Packet[] {
  const trace = Trace.toObject(Trace.decode(bytes), { longs: String, enums: String, arrays: true }) as {
    packet: readonly Packet[];
  };
  return trace.packet;
}

export interface Event {
  readonly time: bigint;
  readonly type: string;
  readonly track: string;
  readonly name: string;
  readonly value: number;
  readonly flows: readonly string[];
  readonly ends: readonly string[];
  readonly notes: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Events in the order of an importer: by time, equal ones as they come. Checks what the format demands on the way. */
export function eventsOf(packets: readonly Packet[]): readonly Event[] {
  const names = new Map<string, string>();
  const notes = new Map<string, string>();
  const tracks = new Set<string>();
  const events: Event[] = [];
  for (const packet of packets) {
    assert.equal(packet.trusted_packet_sequence_id, 1);
    assert.ok(packet.sequence_flags & 2);
    for (const { iid, name } of packet.interned_data?.event_names ?? []) names.set(iid, name);
    for (const { iid, name } of packet.interned_data?.debug_annotation_names ?? []) notes.set(iid, name);
    if (packet.track_descriptor) {
      const { uuid, parent_uuid } = packet.track_descriptor;
      assert.ok(parent_uuid === undefined || tracks.has(parent_uuid), 'a parent comes before its children');
      tracks.add(uuid);
    }
    const event = packet.track_event;
    if (!event) continue;
    assert.ok(tracks.has(event.track_uuid), 'a track is described before it is used');
    const name = event.name_iid === undefined ? '' : names.get(event.name_iid);
    assert.notEqual(name, undefined, 'a name is interned before it is used');
    events.push({
      time: BigInt(packet.timestamp ?? 'none'),
      type: event.type,
      track: event.track_uuid,
      name: name ?? '',
      value: Number(event.counter_value ?? Number.NaN),
      flows: event.flow_ids,
      ends: event.terminating_flow_ids,
      notes: Object.fromEntries(
        event.debug_annotations.map((note) => [
          notes.get(note.name_iid) ?? assert.fail('an annotation without a name'),
          note.string_value ?? note.bool_value ?? note.pointer_value ?? Number(note.int_value),
        ]),
      ),
    });
  }
  return events
    .map((event, at) => ({ event, at }))
    .sort((x, y) => Number(x.event.time - y.event.time) || x.at - y.at)
    .map(({ event }) => event);
}

export interface Closed extends Event {
  readonly end: bigint;
  readonly depth: number;
}

/** Slices by stack, as an importer closes them; every one must close, and nothing else. */
export function slicesIn(events: readonly Event[]): readonly Closed[] {
  const open = new Map<string, Event[]>();
  const closed: Closed[] = [];
  for (const event of events) {
    const stack = open.get(event.track) ?? [];
    open.set(event.track, stack);
    if (event.type === 'TYPE_SLICE_BEGIN') stack.push(event);
    if (event.type !== 'TYPE_SLICE_END') continue;
    const begun = stack.pop();
    assert.ok(begun !== undefined, 'an end without a beginning');
    closed.push({ ...begun, end: event.time, depth: stack.length });
  }
  for (const stack of open.values()) assert.deepEqual(stack, [], 'a slice without its end');
  return closed;
}
