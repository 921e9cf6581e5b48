// SPDX-License-Identifier: MIT
/**
 * `misuse` of everything: node misuse-run.js SEED ROUNDS [load]. Without `load`, of all that needs no program to be loaded. Prints
 * what came of it as JSON.
 */
import { readFileSync } from 'node:fs';
import * as api from '../src/index.js';
import { setAllocator } from '../src/memory.js';
import { RingProducer } from '../src/testing.js';
import { Guarded } from './guarded.js';
import { generator, misuse, outcome, type Subject, Values } from './misuse.js';

const [seed = 1, rounds = 10] = process.argv.slice(2, 4).map(Number);
const loads = process.argv[4] === 'load';
const KINDS = new URL('kinds.bpf.o', import.meta.url).pathname;
const USDT = { path: new URL('usdt', import.meta.url).pathname, provider: 'ebpf', name: 'probe' };
const { BpfMap, BpfObject, MapType } = api;

/** Not with arbitrary arguments: they act on this process, or take functions of the caller's that may throw what they like. */
const PROCESS = [
  'dropCapabilities',
  'adoptOrphans',
  'lockPages',
  'reapChild',
  'enableStats',
  'probeTracing',
  'features',
  'kernelFeatures',
  'probeHelpers',
];
/** Load and what belongs to it ends an object where programs are refused. */
const LOADS = ['load'];

const object = BpfObject.open(KINDS);
if (loads) {
  object.program('on_session').setAutoload(false);
  object.load();
}
const closed = BpfObject.open(KINDS);
const closedMap = closed.map('numbers');
const maps = ((): api.BpfMap[] => {
  try {
    return [
      BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 12, maxEntries: 4, name: 'hash' }),
      BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 8, maxEntries: 4, flags: 1024, name: 'array' }),
      BpfMap.create({ type: MapType.PercpuArray, keySize: 4, valueSize: 12, maxEntries: 4, name: 'percpu' }),
      BpfMap.create({ type: MapType.LpmTrie, keySize: 8, valueSize: 4, maxEntries: 4, flags: 1, name: 'lpm' }),
      BpfMap.create({ type: MapType.Queue, keySize: 0, valueSize: 5, maxEntries: 4, name: 'queue' }),
      BpfMap.create({ type: MapType.Stack, keySize: 0, valueSize: 8, maxEntries: 4, name: 'stack' }),
      BpfMap.create({ type: MapType.BloomFilter, keySize: 0, valueSize: 8, maxEntries: 4, name: 'bloom' }),
      BpfMap.create({ type: MapType.Ringbuf, keySize: 0, valueSize: 0, maxEntries: 65536, name: 'ring' }),
      BpfMap.create({ type: MapType.UserRingbuf, keySize: 0, valueSize: 0, maxEntries: 65536, name: 'user_ring' }),
      BpfMap.create({ type: MapType.PerfEventArray, keySize: 4, valueSize: 4, maxEntries: 4, name: 'perf' }),
    ];
  } catch (error) {
    if (error instanceof api.BpfError && error.code === 'EPERM') return [];
    throw error;
  }
})();
const attempt = <T>(open: () => T): T[] => {
  try {
    return maps.length === 0 ? [] : [open()];
  } catch (error) {
    if (error instanceof api.BpfError) return [];
    throw error;
  }
};
const named = (name: string): api.BpfMap => maps.find((map) => map.name === name) as api.BpfMap;
const rings = attempt(() => api.RingBuffer.open(named('ring')));
const userRings = attempt(() => api.UserRing.open(named('user_ring')));
const perfBuffers = attempt(() => api.PerfBuffer.open(named('perf'), 1));
const pages = attempt(() => named('array').mmapArray({ writable: true }));
const plain = new RingProducer(4096);
plain.output(new Uint8Array(24));
const btf = api.Btf.fromFile(KINDS);
const codec = object.codec('point');
const functions = Object.fromEntries(
  Object.entries(api).filter(
    ([name, value]) => typeof value === 'function' && !/^class\b/.test(String(value)) && !PROCESS.includes(name),
  ),
);
/** Errors are made by the library; what others make of their classes is theirs. */
const classes = Object.entries(api).filter(
  ([name, value]) => !name.endsWith('Error') && typeof value === 'function' && /^class\b/.test(String(value)),
);
const constructors = Object.fromEntries(
  classes.map(([name, made]) => [name, (...args: unknown[]) => Reflect.construct(made as never, args)]),
);

/** Things that exist once programs are loaded. */
const loaded: readonly Subject[] = loads
  ? [
      { name: 'link', target: object.program('on_fexit').attach(), skip: ['pin'] },
      { name: 'iterator', target: object.program('on_elem').attachIter({ map: object.map('numbers') }), skip: ['pin'] },
      { name: 'link of usdt', target: object.program('on_usdt').attachUsdt(USDT), skip: ['pin'] },
      { name: 'typed numbers', target: object.typed('numbers') },
      { name: 'ring of the object', target: api.RingBuffer.open(object.map('ring')) },
      { name: 'user ring of the object', target: api.UserRing.open(object.map('to_kernel')) },
      { name: 'perf buffer of the object', target: api.PerfBuffer.open(object.map('perf'), 1) },
    ]
  : [];
const subjects: readonly Subject[] = [
  { name: 'index', target: functions },
  { name: 'new', target: constructors },
  ...classes.map(
    ([name, target]): Subject => ({ name, target: target as object, skip: name === 'BpfMap' ? ['create'] : [] }),
  ),
  { name: 'object', target: object, skip: LOADS },
  ...[...object.programs.values()].map((target): Subject => ({ name: 'program', target })),
  ...[...object.maps.values()].map((target): Subject => ({ name: 'map of an object', target })),
  ...['knob', 'origin', 'moved', 'runs'].map((global): Subject => ({ name: 'global', target: object.global(global) })),
  { name: 'typed', target: object.typed('points') },
  { name: 'btf', target: btf },
  { name: 'codec', target: codec },
  { name: 'ring of memory', target: plain.ring },
  ...maps.map((target): Subject => ({ name: `map ${target.name}`, target, skip: ['pin'] })),
  ...rings.map((target): Subject => ({ name: 'ring', target })),
  ...userRings.map((target): Subject => ({ name: 'user ring', target })),
  ...perfBuffers.map((target): Subject => ({ name: 'perf buffer', target })),
  ...pages.map((target): Subject => ({ name: 'pages', target })),
  { name: 'closed map', target: closedMap },
  ...loaded,
];
const closers = [
  object,
  ...maps,
  ...rings,
  ...userRings,
  ...perfBuffers,
  ...pages,
  plain.ring,
  ...loaded.map(({ target }) => target as Partial<{ close(): void }>),
];
const given = [
  ...subjects.map(({ target }) => target),
  KINDS,
  readFileSync(KINDS),
  'numbers',
  'points',
  'ring',
  'on_kprobe',
  'point',
  'knob',
  closed,
];

closed.close();
const random = generator(seed);
const values = new Values(random, given);
const guarded = new Guarded();
const out = outcome();
// One buffer before a guard page, whatever its size; what is larger than a slot is JavaScript's own.
setAllocator((size) => (size <= 65536 ? guarded.take(size) : new Uint8Array(size)));
for (const subject of subjects) await misuse(subject, values, given, rounds, out);
if (!guarded.intact()) out.offences.set('memory', 'something before a buffer was written');
for (const subject of closers) for (let i = 0; i < 2; i++) subject.close?.();
for (const subject of subjects) await misuse({ ...subject, skip: [] }, values, given, 2, out);
setAllocator(null);
if (!guarded.intact()) out.offences.set('memory', 'something before a buffer was written after close');
const { answered, refused, offences, called } = out;
process.stdout.write(JSON.stringify({ answered, refused, offences: [...offences.values()], called: [...called] }));
process.exit(0); // perf buffers and rings that were opened by chance
