// SPDX-License-Identifier: MIT
/**
 * Which instructions of a BPF function can be reached, as the verifier sees it once CO-RE has put 0 or 1 in the place of what the
 * program asks for (`bpf_core_field_exists`): constants are followed through registers, and a branch whose outcome they decide
 * is taken one way only. What is not known to be dead counts as reachable.
 */

/** Bytes of an instruction; BPF_LD | BPF_IMM | BPF_DW takes two. */
const INSN = 8;
const REGISTERS = 11;
const WIDE_LOAD = 0x18;

/** What a register holds: a constant as an unsigned 64-bit integer, or null for anything. */
type Value = bigint | null;
type State = readonly Value[];

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const UNKNOWN: State = new Array<Value>(REGISTERS).fill(null);

// include/uapi/linux/bpf_common.h, bpf.h
const Class = { Ld: 0, Ldx: 1, St: 2, Stx: 3, Alu: 4, Jmp: 5, Jmp32: 6, Alu64: 7 } as const;
const CALL = 8;
const EXIT = 9;

function alu(op: number, a: bigint, b: bigint, wide: boolean): Value {
  const bits = wide ? 64 : 32;
  const shift = b & BigInt(bits - 1);
  switch (op) {
    case 0x0:
      return a + b;
    case 0x1:
      return a - b;
    case 0x2:
      return a * b;
    case 0x4:
      return a | b;
    case 0x5:
      return a & b;
    case 0x6:
      return a << shift;
    case 0x7:
      return a >> shift;
    case 0x8:
      return -a;
    case 0xa:
      return a ^ b;
    case 0xb:
      return b;
    case 0xc:
      return BigInt.asIntN(bits, a) >> shift;
    default:
      return null; // division, byte order: nobody guards by them
  }
}

/** Whether the jump is taken. */
function taken(op: number, a: bigint, b: bigint, wide: boolean): boolean {
  const bits = wide ? 64 : 32;
  const [sa, sb] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  switch (op) {
    case 0x1:
      return a === b;
    case 0x2:
      return a > b;
    case 0x3:
      return a >= b;
    case 0x4:
      return (a & b) !== 0n;
    case 0x5:
      return a !== b;
    case 0x6:
      return sa > sb;
    case 0x7:
      return sa >= sb;
    case 0xa:
      return a < b;
    case 0xb:
      return a <= b;
    case 0xc:
      return sa < sb;
    default:
      return sa <= sb;
  }
}

const put = (state: State, register: number, value: Value): State =>
  state.map((old, i) => (i === register ? value : old));

/** Where a path goes on from the instruction at `at`, with what it holds there. */
function step(
  view: DataView,
  at: number,
  state: State,
  patched: Value | undefined,
): readonly (readonly [number, State])[] {
  const code = view.getUint8(at);
  const registers = view.getUint8(at + 1);
  const [dst, src] = [registers & 0xf, registers >> 4];
  const offset = view.getInt16(at + 2, true);
  const imm = BigInt(view.getInt32(at + 4, true));
  const [kind, op] = [code & 7, code >> 4];
  const next = at + INSN;
  if (code === WIDE_LOAD) {
    const high = at + 12 + 4 <= view.byteLength ? BigInt(view.getUint32(at + 12, true)) : 0n;
    const value = src === 0 ? (high << 32n) | u32(imm) : null; // a map, a function, a variable
    return [[at + 2 * INSN, put(state, dst, patched === undefined ? value : patched)]];
  }
  if (kind === Class.Alu || kind === Class.Alu64) {
    const wide = kind === Class.Alu64;
    const cut = wide ? u64 : u32;
    const b = patched !== undefined ? patched : (code & 8) !== 0 ? (state[src] ?? null) : imm;
    const a = op === 0xb ? 0n : (state[dst] ?? null);
    // A move with an offset extends the sign (cpu v4).
    const known = a !== null && b !== null && !(op === 0xb && offset !== 0);
    const value = known ? alu(op, cut(a), cut(b), wide) : null;
    return [[next, put(state, dst, value === null ? null : cut(value))]];
  }
  if (kind === Class.Jmp || kind === Class.Jmp32) {
    const wide = kind === Class.Jmp;
    const target = next + INSN * (op === 0 && !wide ? Number(imm) : offset);
    if (op === EXIT && wide) return [];
    if (op === CALL && wide) return [[next, state.map((old, i) => (i < 6 ? null : old))]];
    if (op === 0) return [[target, state]];
    const cut = wide ? u64 : u32;
    const a = state[dst] ?? null;
    const b = (code & 8) !== 0 ? (state[src] ?? null) : imm;
    if (a !== null && b !== null) return [[taken(op, cut(a), cut(b), wide) ? target : next, state]];
    return [
      [next, state],
      [target, state],
    ];
  }
  // What a load gives is not followed, and a fetching atomic operation writes its register, or r0.
  if (kind === Class.Ldx) return [[next, put(state, dst, null)]];
  if (kind === Class.Stx && (code & 0xe0) === 0xc0) return [[next, put(put(state, src, null), 0, null)]];
  if (kind === Class.Ld) return [[next, state.map((old, i) => (i < 6 ? null : old))]];
  return [[next, state]];
}

/**
 * Offsets of the instructions of `code` from `start` to `end` that can be reached from `start`. `patched` gives what a relocation
 * puts in an instruction's immediate: a constant, or null for one that is not known here.
 */
export function reachable(
  code: Uint8Array,
  start: number,
  end: number,
  patched: ReadonlyMap<number, bigint | null>,
): ReadonlySet<number> {
  const view = new DataView(code.buffer, code.byteOffset, Math.min(code.byteLength, end));
  const known = new Map<number, State>([[start, UNKNOWN]]);
  const work = [start];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (const [next, state] of step(view, at, known.get(at) as State, patched.get(at))) {
      if (next < start || next + INSN > end) continue; // such a program does not load
      const before = known.get(next);
      const joined = before === undefined ? state : before.map((old, i) => (old === state[i] ? old : null));
      if (before?.every((old, i) => old === joined[i])) continue;
      known.set(next, joined);
      work.push(next);
    }
  }
  return new Set(known.keys());
}
