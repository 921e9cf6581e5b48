// SPDX-License-Identifier: MIT
/**
 * The messages of a Perfetto trace that are written here, by the field numbers of protos/perfetto/trace/*.proto.
 * Field numbers of a protobuf message never change their meaning, so these hold for every version of Perfetto.
 */
import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export const Trace = { packet: 1 } as const;

export const TracePacket = {
  clock_snapshot: 6,
  timestamp: 8,
  trusted_packet_sequence_id: 10,
  track_event: 11,
  interned_data: 12,
  sequence_flags: 13,
  trace_packet_defaults: 59,
  track_descriptor: 60,
} as const;

export const SequenceFlags = { INCREMENTAL_STATE_CLEARED: 1, NEEDS_INCREMENTAL_STATE: 2 } as const;
export const TracePacketDefaults = { timestamp_clock_id: 58 } as const;
export const ClockSnapshot = { clocks: 1, primary_trace_clock: 2 } as const;
export const Clock = { clock_id: 1, timestamp: 2 } as const;
/** common/builtin_clock.proto */
export const BuiltinClock = { REALTIME: 1, MONOTONIC: 3 } as const;

export const TrackDescriptor = { uuid: 1, name: 2, process: 3, thread: 4, parent_uuid: 5, counter: 8 } as const;
export const ProcessDescriptor = { pid: 1, process_name: 6 } as const;
export const ThreadDescriptor = { pid: 1, tid: 2, thread_name: 5 } as const;
export const CounterDescriptor = { unit: 3 } as const;
export const CounterUnit = { COUNT: 2, SIZE_BYTES: 3 } as const;

export const TrackEvent = {
  category_iids: 3,
  debug_annotations: 4,
  type: 9,
  name_iid: 10,
  track_uuid: 11,
  counter_value: 30,
  flow_ids: 47,
  terminating_flow_ids: 48,
  callstack_iid: 56,
} as const;
export const EventType = { SLICE_BEGIN: 1, SLICE_END: 2, INSTANT: 3, COUNTER: 4 } as const;

export const DebugAnnotation = {
  name_iid: 1,
  bool_value: 2,
  int_value: 4,
  double_value: 5,
  string_value: 6,
  pointer_value: 7,
} as const;

export const InternedData = {
  event_categories: 1,
  event_names: 2,
  debug_annotation_names: 3,
  function_names: 5,
  frames: 6,
  callstacks: 7,
} as const;
/** profiling/profile_common.proto */
export const InternedString = { iid: 1, str: 2 } as const;
export const Frame = { iid: 1, function_name_id: 2, kind: 7 } as const;
export const FrameKind = { NATIVE: 1, KERNEL: 2 } as const;
export const Callstack = { iid: 1, frame_ids: 2 } as const;
/** EventCategory, EventName, DebugAnnotationName */
export const InternedName = { iid: 1, name: 2 } as const;

export function putVarint(writer: BinaryWriter, field: number, value: number | bigint): void {
  writer.tag(field, WireType.Varint).uint64(value);
}

export function putString(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

export function putMessage(writer: BinaryWriter, field: number, fill: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill();
  writer.join();
}
