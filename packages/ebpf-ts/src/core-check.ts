// SPDX-License-Identifier: MIT
/** CO-RE checked against a BTF file, without loading: which relocations of an object find nothing in that kernel, and which programs no target. */
import { readFileSync } from 'node:fs';
import { cString, plainBytes } from './arguments.js';
import { Btf } from './btf.js';
import { BtfKind } from './btf-kinds.js';
import { essentialName, match, sameKind } from './core-match.js';
import { reachable } from './core-reach.js';
import { CoreKind, isEnumerator, isField, type Relocation, relocationsOf } from './core-relocations.js';
import { elfSection, functionsOf } from './elf.js';
import { BpfError, misuse, ofFiles } from './errors.js';
import { say, shown } from './words.js';

export interface CheckedRelocation {
  readonly program: string;
  readonly section: string;
  /** Bytes from the section's start. */
  readonly offset: number;
  /** `struct task_struct.pid`, `enum pid_type.PIDTYPE_TGID`, `struct file` */
  readonly access: string;
  /** `field offset`, `field exists`, `type size`, … */
  readonly kind: string;
  /**
   * `matched`: found. `absent`: not found, and the program gets 0 for it (`bpf_core_field_exists` and its like).
   * `unmatched`: not found; libbpf makes the instruction invalid, and the verifier refuses the program if it can reach it.
   * `ambiguous`: types of that name differ; libbpf refuses the object. `inconclusive`: not worked out here (`bpf_core_type_matches`).
   */
  readonly state: 'matched' | 'absent' | 'unmatched' | 'ambiguous' | 'inconclusive';
  /**
   * Of an unmatched one: no path leads to it, since the program asks what exists (`bpf_core_field_exists`) and gets the answer
   * of that kernel. The verifier does not look at such code.
   */
  readonly guarded: boolean;
}

export interface MissingTarget {
  readonly program: string;
  /** `fentry/vfs_read` */
  readonly section: string;
  /** What the BTF has none of: `function vfs_read`, `tracepoint sched_switch`. */
  readonly target: string;
}

export interface CoreReport {
  readonly relocations: readonly CheckedRelocation[];
  /** Those that stand in the way or may: unmatched or ambiguous. */
  readonly unmatched: readonly CheckedRelocation[];
  /** Programs of BTF-typed sections (fentry, fexit, fmod_ret, tp_btf, lsm, iter) whose target the BTF does not name. */
  readonly missingTargets: readonly MissingTarget[];
}

const KINDS: readonly string[] = [
  'field offset',
  'field size',
  'field exists',
  'field sign',
  'field shift left',
  'field shift right',
  'local type id',
  'target type id',
  'type exists',
  'type size',
  'enumerator exists',
  'enumerator value',
  'type matches',
];
/** Relocations that give 0, and no invalid instruction, when nothing is found: bpf_core_calc_type_relo() and the like. */
const ZERO_WHEN_ABSENT: ReadonlySet<number> = new Set([
  CoreKind.FieldExists,
  CoreKind.TypeIdTarget,
  CoreKind.TypeExists,
  CoreKind.TypeSize,
  CoreKind.EnumvalExists,
]);
const EXISTS: ReadonlySet<number> = new Set([CoreKind.FieldExists, CoreKind.TypeExists, CoreKind.EnumvalExists]);
type State = CheckedRelocation['state'];

const WORDS: Readonly<Record<number, string>> = {
  [BtfKind.Struct]: 'struct ',
  [BtfKind.Union]: 'union ',
  [BtfKind.Enum]: 'enum ',
  [BtfKind.Enum64]: 'enum ',
};

function accessOf(btf: Btf, { type, accessors, enumerator }: Relocation): string {
  const root = `${WORDS[btf.kind(type)] ?? ''}${btf.name(type) || '(anonymous)'}`;
  if (enumerator >= 0) return `${root}.${btf.enumerators(btf.skip(type))[enumerator]?.name ?? enumerator}`;
  return accessors
    .slice(1)
    .reduce((text, { name, index }) => `${text}${name === null ? `[${index}]` : `.${name}`}`, root);
}

/** Ids of every named type of `target` whose essential name is wanted. */
function candidates(target: Btf, wanted: ReadonlySet<string>): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (let id = 1; id < target.count; id++) {
    const name = essentialName(target.name(id));
    if (name === '' || !wanted.has(name)) continue;
    const ids = found.get(name);
    if (ids === undefined) found.set(name, [id]);
    else ids.push(id);
  }
  return found;
}

const SECTION = /^\??(fentry|fexit|fmod_ret|tp_btf|lsm|iter)(?:\.s)?\/(.+)$/;

function missingTarget(target: Btf, section: string): string | null {
  const [, kind = '', name = ''] = SECTION.exec(section) ?? [];
  if (kind === '') return null;
  if (kind === 'tp_btf') return target.find(BtfKind.Typedef, `btf_trace_${name}`) === 0 ? `tracepoint ${name}` : null;
  const func = kind === 'lsm' ? `bpf_lsm_${name}` : kind === 'iter' ? `bpf_iter_${name}` : name;
  return target.hasFunc(func) ? null : `function ${func}`;
}

/** Whether no path of its function leads to a relocation's instruction, by what the object's relocations come to. */
function deadCode(elf: Uint8Array, all: readonly Relocation[], states: readonly State[]): (at: Relocation) => boolean {
  const patched = new Map<string, Map<number, bigint | null>>();
  all.forEach(({ section, offset, kind }, i) => {
    const state = states[i];
    const known = state === 'absent' ? 0n : state === 'matched' && EXISTS.has(kind) ? 1n : null;
    const ofSection = patched.get(section) ?? new Map<number, bigint | null>();
    patched.set(section, ofSection.set(offset, known));
  });
  const functions = functionsOf(elf);
  const reached = new Map<string, ReadonlySet<number>>();
  return ({ section, offset }) => {
    const code = elfSection(elf, section);
    const of = functions.find((f) => f.section === section && offset >= f.offset && offset < f.offset + f.size);
    if (code === null || of === undefined) return false;
    const key = `${section} ${of.offset}`;
    const alive =
      reached.get(key) ?? reachable(code, of.offset, of.offset + of.size, patched.get(section) ?? new Map());
    reached.set(key, alive);
    return !alive.has(offset);
  };
}

/**
 * Works out every CO-RE relocation of an object (its path or bytes) against `target`: a `Btf`, or the path of a BTF file.
 * Needs no privilege, no libbpf, and no kernel but the one whose BTF it is. Throws `BpfError` when either is damaged.
 */
export function checkRelocations(object: string | Uint8Array, target: Btf | string): CoreReport {
  try {
    return check(object, target);
  } catch (cause) {
    // An offset that leads out of a file, found by the DataView it was read through.
    if (cause instanceof RangeError)
      throw new BpfError(
        { what: 'check relocations', why: 'the object or the BTF is damaged', remedy: '', code: 'ERR_BPF_INPUT' },
        { cause },
      );
    throw cause;
  }
}

function check(object: string | Uint8Array, target: Btf | string): CoreReport {
  const what = say`check the relocations of ${object}`;
  const elf =
    typeof object === 'string' ? ofFiles(what, () => readFileSync(cString(object, what))) : plainBytes(object, what);
  const kernel = typeof target === 'string' ? Btf.fromFile(target) : target;
  if (!(kernel instanceof Btf)) throw misuse('ERR_BPF_TYPE', what, `expected a Btf or a path, got ${shown(kernel)}`);
  const local = Btf.fromElf(elf);
  const all = relocationsOf(elf, local);
  const names = candidates(kernel, new Set(all.map(({ type }) => essentialName(local.name(type)))));
  const stateOf = (relocation: Relocation): State => {
    if (relocation.kind === CoreKind.TypeIdLocal) return 'matched';
    if (relocation.kind === CoreKind.TypeMatches) return 'inconclusive';
    const kind = local.kind(relocation.type);
    const values = (names.get(essentialName(local.name(relocation.type))) ?? [])
      .filter((id) => sameKind(kind, kernel.kind(id)))
      .map((id) => match(local, relocation, kernel, id))
      .filter((value) => value !== null);
    if (values.length === 0) return ZERO_WHEN_ABSENT.has(relocation.kind) ? 'absent' : 'unmatched';
    const must = isField(relocation.kind) || isEnumerator(relocation.kind) || relocation.kind === CoreKind.TypeSize;
    return must && values.some((value) => value !== values[0]) ? 'ambiguous' : 'matched';
  };

  const memo = new Map<string, State>();
  const states = all.map((relocation): State => {
    const key = `${relocation.kind} ${relocation.type} ${accessOf(local, relocation)}`;
    const state = memo.get(key) ?? stateOf(relocation);
    memo.set(key, state);
    return state;
  });
  const isDead = deadCode(elf, all, states);
  const relocations = all.map((relocation, i): CheckedRelocation => {
    const { program, section, offset, kind } = relocation;
    const state = states[i] as State;
    const guarded = state === 'unmatched' && isDead(relocation);
    const access = accessOf(local, relocation);
    return { program, section, offset, access, kind: KINDS[kind] ?? `kind ${kind}`, state, guarded };
  });
  return {
    relocations,
    unmatched: relocations.filter(({ state }) => state === 'unmatched' || state === 'ambiguous'),
    missingTargets: functionsOf(elf).flatMap(({ name, section }) => {
      const missing = missingTarget(kernel, section);
      return missing === null ? [] : [{ program: name, section, target: missing }];
    }),
  };
}
