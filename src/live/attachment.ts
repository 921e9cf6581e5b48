// SPDX-License-Identifier: MIT
/** The programs of a session in the kernel: loaded, attached, and let go. What the kernel refuses is reported hook by hook. */
import { BpfError, type BpfLink, BpfObject, enableStats, errnoName, type Pages, RingBuffer } from 'ebpf-ts';
import { LAYOUT_DIGEST } from '../schema/events.gen.js';
import { layoutDigest } from '../schema/generate.js';
import type { PlannedProgram } from './attach-plan.js';
import { Controls } from './controls.js';
import { tellCgroups, tellPids } from './followed.js';
import { OBJECT } from './kernel.js';
import type { LiveOptions } from './options.js';
import { configure, type HostContext } from './rodata.js';
import type { AttachedProgram } from './sampler.js';

/** Programs the kernel does not take. Nothing is left loaded: constants of the others depend on which hooks are there. */
export class ProgramsRefused extends Error {
  /** The refusal of each, by program. */
  readonly refused: ReadonlyMap<string, BpfError>;

  constructor(refused: ReadonlyMap<string, BpfError>) {
    super([...refused.values()].map(({ message }) => message).join('; '));
    this.refused = refused;
  }
}

export class Attachment {
  readonly object: BpfObject;
  readonly ring: RingBuffer;
  readonly controls: Controls;
  /** Values of the `cpus` map. */
  readonly counters: ArrayBuffer;
  /** Values of the `counted` map. */
  readonly counted: ArrayBuffer;
  /** Values of the `swap_devices` map. */
  readonly swapDevices: ArrayBuffer;
  /** `fast_counters` of bpf/maps.bpf.h. */
  readonly fast: Uint32Array;
  /** Values of the `lockers` map, and `queues` of bpf/lockers.bpf.h. */
  readonly lockers: ArrayBuffer;
  readonly queues: Uint32Array;
  /** null: not asked for, or not permitted: run times of programs take CAP_SYS_ADMIN, and are not worth a session. */
  readonly stats: { close(): void } | null;
  /** In the plan's order. */
  readonly programs: readonly AttachedProgram[];
  readonly #pages: Pages[] = [];
  #held = true;

  /** Loads and attaches everything planned. Throws `ProgramsRefused`, or `BpfError` where it is not about one of them. */
  constructor(options: LiveOptions, around: HostContext) {
    const object = BpfObject.open(OBJECT);
    this.object = object;
    try {
      if (layoutDigest(object.btf) !== LAYOUT_DIGEST)
        throw new BpfError({
          what: 'load BPF programs',
          why: 'their event layout is not the one this build decodes',
          remedy: 'run: make clean build',
        });
      configure(object, options, around);
      load(object, around.plan.programs);
      const counters = object.map('cpus').mmapArray({ writable: false });
      const bss = object.map('.bss').mmapArray({ writable: true });
      const lockers = object.map('lockers').mmapArray({ writable: false });
      const counted = object.map('counted').mmapArray({ writable: false });
      const swapDevices = object.map('swap_devices').mmapArray({ writable: false });
      this.#pages.push(counters, bss, lockers, counted, swapDevices);
      this.swapDevices = swapDevices.view;
      this.counted = counted.view;
      this.lockers = lockers.view;
      this.counters = counters.view;
      const { offset, size } = object.variable('.bss', 'fast_counters');
      this.fast = new Uint32Array(bss.view, offset, size / 4);
      const queues = object.variable('.bss', 'queues');
      this.queues = new Uint32Array(bss.view, queues.offset, queues.size / 4);
      this.controls = new Controls(object, bss.view, options.scope);
      this.ring = RingBuffer.open(object.map('events'));
      tellPids(object, options, around.facts.namespaces);
      tellCgroups(object, bss.view, around);
      this.stats = options.stats ? statsIfAllowed() : null;
      this.programs = attachAll(object, around.plan.programs);
    } catch (error) {
      this.#release();
      object.close();
      throw error;
    }
  }

  /** Whether the maps can still be read, and the controls written. */
  get held(): boolean {
    return this.#held;
  }

  /** Everything is given back, by links last, and nobody is made to wait for them: what was attached does nothing since the session's end. */
  letGo(): void {
    this.#release();
    void this.object.closeAside();
  }

  #release(): void {
    this.#held = false;
    this.stats?.close();
    this.ring?.close();
    for (const pages of this.#pages) pages.close();
    this.#pages.length = 0;
  }
}

/** What ends a step before what begins one: the plan's order. Throws `ProgramsRefused`. */
function attachAll(object: BpfObject, programs: readonly PlannedProgram[]): AttachedProgram[] {
  const refused = new Map<string, BpfError>();
  const attached: AttachedProgram[] = [];
  for (const planned of programs) {
    try {
      const link = attach(object, planned);
      attached.push({ name: planned.program, account: () => link.account() });
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      refused.set(planned.program, error);
    }
  }
  if (refused.size > 0) throw new ProgramsRefused(refused);
  return attached;
}

/** Why a program was refused, in a few words: `EINVAL: …`. */
export function refusal({ errno, why }: BpfError): string {
  return why.startsWith('the verifier refused') || errno === 0 ? why : `${errnoName(errno)} from the kernel`;
}

/** libbpf loads all or nothing, and says in its log which program it stopped at. */
function load(object: BpfObject, programs: readonly PlannedProgram[]): void {
  try {
    object.load();
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    const said = [...error.log.matchAll(/prog '(\w+)': (?:BPF program load failed|failed to )/g)].at(-1)?.[1];
    if (!programs.some(({ program }) => program === said)) throw error;
    throw new ProgramsRefused(new Map([[said as string, error]]));
  }
}

function attach(object: BpfObject, { program, target, method, declines }: PlannedProgram): BpfLink {
  const loaded = object.program(program);
  if (declines) return loaded.attachKprobeSession([target]);
  if (method === 'kprobe.multi') return loaded.attachKprobeMulti([target], { retprobe: false });
  if (method === 'kretprobe.multi') return loaded.attachKprobeMulti([target], { retprobe: true });
  return loaded.attach();
}

function statsIfAllowed(): { close(): void } | null {
  try {
    return enableStats();
  } catch (error) {
    if (error instanceof BpfError) return null;
    throw error;
  }
}
