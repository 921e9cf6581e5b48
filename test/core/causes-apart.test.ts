// SPDX-License-Identifier: MIT
/** Causes that resemble each other: what distinguishes them, and that a missed run never turns one into another. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Attempt, Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { archName, archOf, layoutOf, pteKind } from '../../src/core/vocabulary/arch.js';
import type { Cause } from '../../src/core/vocabulary/causes.js';
import { VlFile, VlFound, VlInner, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { feed, type PlainRow, run } from './compare.js';
import { missed, type Realm, rowsOf, truthOf } from './missed-runs.js';
import { PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER } from './script-writer.js';
import { FLAG, MMAP_FLAGS, REAL, RET, SWAP_DISK, syntheticHooks, TRIED_FLAGS, VMA_FLAGS } from './session.js';
import { synthesizeStream } from './synthetic.js';

const K = VlKind;
const RETRY: number = RET.VM_FAULT_RETRY;
const MAJOR: number = RET.VM_FAULT_MAJOR;
const AVOIDABLE =
  VlFound.FOUND |
  VlFound.FOUND_COVERS |
  VlFound.FOUND_SAME |
  VlFound.FOUND_SEQ_KNOWN |
  VlFound.FOUND_SEQ_SAME |
  VlFound.FOUND_MM_KNOWN;
/** An entry of the first swap device, as x86-64 holds it. */
const PTE_SWAP = 0x0400_0000_0001_2300n;

type Step = readonly [kind: number, a?: number, b?: number, flags?: number];
interface Of {
  readonly pte?: bigint;
  readonly vmFlags?: bigint;
  readonly fault?: number;
  readonly tid?: number;
}

const rows = (steps: readonly Step[], of: Of = {}): PlainRow[] =>
  steps.map(([kind, a = 0, b = 0, flags = kind === K.HMF_EXIT ? VlStepFlag.REGS : 0], step) => ({
    ...of,
    kind,
    a,
    b,
    step,
    flags: flags | (step === 0 ? VlStepFlag.INFO : 0),
    time: ((of.fault ?? 0) * 100 + step + 1) * 100,
  }));

const closedOf = (all: readonly PlainRow[], changes = {}): Lifecycle[] => {
  const closed: Lifecycle[] = [];
  feed(all, false, closed, changes);
  return closed;
};
const vmaOf = (life: Lifecycle | undefined): Attempt | undefined => life?.attempts.find((one) => one.lock === 'vma');

const lock = (found = AVOIDABLE): Step[] => [
  [K.MM_LOCK_ENTER, 1],
  [K.MM_LOCK_EXIT, found],
];
const swap = (inside: readonly Step[], ret = RETRY): Step[] => [
  [K.SWAP_ENTER, VMA_FLAGS],
  ...inside,
  [K.SWAP_EXIT, 0, ret],
  [K.HMF_EXIT, VMA_FLAGS, ret],
];
const flor: Step[] = [
  [K.FLOR_ENTER, VMA_FLAGS, 0x100, VlStepFlag.FOLIO],
  [K.FLOR_EXIT, 0, RETRY],
];
const again: Step[] = [
  [K.SWAP_ENTER, MMAP_FLAGS],
  [K.SWAP_DEVICE, 0, SWAP_DISK],
  [K.SWAP_EXIT],
  [K.HMF_EXIT, MMAP_FLAGS],
];
const refused = (n: number, fallback = again): PlainRow[] =>
  Array.from({ length: n }, (_, i) => rows([...swap([]), ...lock(), ...fallback], { pte: PTE_SWAP, fault: i })).flat();

describe('an architecture', () => {
  it('says which bits of a thread mean a signal', () => {
    const flags = (arch: string, major: number, minor: number): number | undefined =>
      layoutOf(arch)?.signalFlags({ major, minor });
    assert.deepEqual([flags('x64', 6, 17), flags('x86_64', 6, 18), flags('amd64', 7, 3)], [4 | (1 << 17), 6, 6]);
    assert.deepEqual([flags('arm64', 6, 12), flags('aarch64', 6, 18), flags('arm64', 7, 3)], [65, 1, 129]);
    assert.equal(layoutOf('riscv64'), null);
  });

  it('is one, however it is spelled', () => {
    assert.deepEqual(['x64', 'x86_64', 'amd64'].map(archOf), ['x86_64', 'x86_64', 'x86_64']);
    assert.deepEqual(['arm64', 'aarch64', 'mips'].map(archName), ['aarch64', 'aarch64', 'mips']);
    for (const { arch } of REAL) assert.equal(archOf(arch), 'x86_64');
  });

  it('says what a PTE holds, or that it does not know', () => {
    const kinds = [PTE_SWAP, PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER, 0n].map((pte) => pteKind(pte, 'x86_64'));
    assert.deepEqual(kinds, ['swap', 'special', 'special', 'marker', 'unknown']);
    // arch/arm64/include/asm/pgtable.h: the type from bit 6 on, the offset from bit 12 on.
    const arm = (type: bigint): bigint => (1234n << 12n) | (type << 6n) | 4n;
    assert.deepEqual(
      [0n, 22n, 24n, 31n].map((type) => pteKind(arm(type), 'aarch64')),
      ['swap', 'swap', 'special', 'marker'],
    );
    assert.equal(pteKind(PTE_DEVICE, 'riscv64'), 'unknown');
    assert.equal(pteKind(PTE_DEVICE, null), 'unknown');
  });

  it('of a test session, and its flags, are those of real ones', () => {
    for (const { enums } of REAL) {
      for (const [name, bit] of Object.entries(FLAG)) assert.equal(enums.faultFlags[name], bit, name);
      for (const [name, bit] of Object.entries(RET)) assert.equal(enums.faultReasons[name], bit, name);
    }
  });
});

describe('a cause and its neighbours', () => {
  const SHMEM = VlFile.SHMEM;
  const file = (bits: number): Step[] => [
    [K.FILE_ENTER, VMA_FLAGS, SHMEM],
    [K.FILE_EXIT, SHMEM | bits, RETRY],
    [K.HMF_EXIT, VMA_FLAGS, RETRY],
  ];
  const hugetlb: Step[] = [
    [K.INNER_RETRY, VlInner.HUGETLB, RETRY],
    [K.HMF_EXIT, VMA_FLAGS, RETRY],
  ];
  const bare: Step[] = [[K.HMF_EXIT, VMA_FLAGS, RETRY]];
  const entered: Step[] = [[K.SWAP_ENTER, VMA_FLAGS], ...bare];
  const NO_MAP_PAGES = AVOIDABLE | VlFound.FOUND_NO_MAP_PAGES;
  const cases: readonly [what: string, cause: Cause, steps: readonly Step[], of?: Of, found?: number][] = [
    ['a device-private entry', 'device-private', swap([]), { pte: PTE_DEVICE }],
    ['the same, the PTE not seen', 'unknown', swap([]), {}],
    ['an entry of a swap device', 'unknown', swap([]), { pte: PTE_SWAP }],
    ['a PTE marker', 'unknown', swap([]), { pte: PTE_MARKER }],
    ['a device-private entry, with MAJOR', 'unknown', swap([], RETRY | MAJOR), { pte: PTE_DEVICE }],
    [
      'something awaited inside',
      'unknown',
      swap([
        [K.WAIT_ENTER, 6],
        [K.WAIT_EXIT, 6],
      ]),
      { pte: PTE_DEVICE },
    ],
    ['a device-exclusive entry', 'device-exclusive', swap(flor), { pte: PTE_EXCLUSIVE }],
    ['the same, the PTE not seen', 'folio locked', swap(flor), {}],
    ['a folio of a swap device, get_swap_device unseen', 'folio locked: other read', swap(flor), { pte: PTE_SWAP }],
    ['a hole that is punched', 'shmem: hole punch', file(VlFile.PUNCH)],
    ['shmem_fault, and nobody punches a hole', 'unknown', file(0)],
    ['hugetlb_fault', 'hugetlb', hugetlb],
    ['hugetlb_fault of a VMA registered with userfaultfd', 'unknown', hugetlb, { vmFlags: 0x1000n }],
    ['the same, known by the fallback', 'unknown', bare, { vmFlags: 0x1000n }, AVOIDABLE | VlFound.FOUND_HUGETLB],
    ['vm_ops without map_pages', '->fault needs mmap_lock', bare, {}, NO_MAP_PAGES],
    ['the same, on a swap entry', 'unknown', entered, { pte: PTE_SWAP }, NO_MAP_PAGES],
    ['the same, on a PTE marker', '->fault needs mmap_lock', entered, { pte: PTE_MARKER }, NO_MAP_PAGES],
  ];
  for (const [what, cause, steps, of = {}, found = AVOIDABLE] of cases) {
    it(`${what}: ${cause}`, () => {
      const [life] = closedOf(rows([...steps, ...lock(found), [K.HMF_EXIT, MMAP_FLAGS]], of));
      assert.equal(vmaOf(life)?.cause, cause);
    });
  }
});

describe('swap faults that the kernel refuses under the VMA lock', () => {
  const causes = (lives: readonly Lifecycle[]): (Cause | null | undefined)[] => lives.map((life) => vmaOf(life)?.cause);

  it('are named once their fallbacks have shown it, on whatever kernel, and are by design', () => {
    for (const kernel of ['6.5.0-1-amd64', '6.12.117', '7.3.4+deb13-amd64']) {
      const lives = closedOf(refused(7), { kernel });
      assert.deepEqual(causes(lives), [...Array(4).fill('unknown'), ...Array(3).fill('swap refused')]);
      assert.equal(vmaOf(lives[6])?.verdict?.kind, 'by design');
      // On 6.4 and 6.5 the arch code gives the lock back after handle_mm_fault, whatever it returned.
      assert.equal(vmaOf(lives[6])?.rule, kernel.startsWith('6.5') ? 'R2' : 'R4');
    }
  });

  it('are not where no fallback asked for a device, its hook is missing, or the PTE is of another architecture', () => {
    const bare: Step[] = [[K.HMF_EXIT, MMAP_FLAGS]];
    const hooks = syntheticHooks(false).map((hook) => ({ ...hook, attached: hook.target !== 'get_swap_device' }));
    const others = [
      closedOf(refused(9, bare)),
      closedOf(refused(9), { hooks }),
      closedOf(refused(9), { arch: 'riscv64' }),
    ];
    for (const lives of others) assert.deepEqual(new Set(causes(lives)), new Set(['unknown']));
  });

  it('are not on a kernel that handles them, whatever runs were missed', () => {
    const handled = rows(swap([[K.SWAP_DEVICE, 0, SWAP_DISK], ...flor]).concat(lock(), again), { pte: PTE_SWAP });
    const lives = closedOf([...handled, ...refused(60).map((row) => ({ ...row, fault: (row.fault ?? 0) + 1 }))]);
    assert.deepEqual(causes(lives).slice(1), Array(60).fill('unknown'));
  });

  it('take special entries with them: a migration entry looks like a device-private one', () => {
    const special = (fault: number): PlainRow[] =>
      rows([...swap([]), ...lock(), [K.HMF_EXIT, TRIED_FLAGS]], { pte: PTE_DEVICE, fault });
    assert.deepEqual(causes(closedOf([...refused(5), ...special(5)])).at(-1), 'unknown');
    assert.deepEqual(causes(closedOf(special(0))), ['device-private']);
  });
});

describe('a swap fault', () => {
  const swapFaults = (all: readonly PlainRow[], changes = {}): number | null =>
    feed(all, false, [], changes).swap.faults;

  it('counts once, however often do_swap_page runs for it', () => {
    const twice = rows([...swap([[K.SWAP_DEVICE, 0, SWAP_DISK], ...flor]), ...lock(), ...again], { pte: PTE_SWAP });
    assert.equal(swapFaults(twice), 1);
    assert.equal(swapFaults(refused(5)), 5);
  });

  it('is none on a PTE marker or another special entry, and not known where short faults are not followed', () => {
    const on = (pte: bigint): PlainRow[] => rows([...swap([], 0)], { pte });
    assert.deepEqual(
      [PTE_MARKER, PTE_DEVICE, PTE_EXCLUSIVE, PTE_SWAP].map((pte) => swapFaults(on(pte))),
      [0, 0, 0, 1],
    );
    // Where PTEs cannot be read, get_swap_device tells.
    assert.equal(swapFaults(on(PTE_SWAP), { arch: 'riscv64' }), 0);
    assert.equal(swapFaults(refused(5), { arch: 'riscv64' }), 5);
    assert.equal(swapFaults(on(PTE_SWAP), { minUs: 10 }), null);
  });
});

describe('whatever runs are missed', () => {
  /** Causes that say less than the true one, and nothing else. */
  const COARSE: readonly [of: RegExp, cause: Cause][] = [
    [/^(folio locked|device-exclusive)/, 'folio locked'],
    [/^userfault/, 'userfault'],
    [/^hugetlb$/, 'anon_vma'],
  ];
  const check = (life: Lifecycle, cause: string | null, verdict: string | null, what: string): void => {
    const vma = vmaOf(life);
    if (vma?.outcome !== 'retry' || cause === null) return;
    const coarse = COARSE.filter(([of]) => of.test(cause)).map(([, one]) => one);
    assert.ok([cause, 'unknown', ...coarse].includes(vma.cause ?? ''), `${vma.cause}, not ${cause}: ${what}`);
    const kind = vma.verdict?.kind ?? 'unknown';
    assert.ok(kind === verdict || kind === 'unknown', `${kind}, not ${verdict} (${cause}): ${what}`);
  };

  const isFallback = ({ kind }: { readonly kind: number }): boolean => kind === K.MM_LOCK_EXIT;
  const retriesAgain = ({ kind, a, b }: { readonly kind: number; readonly a: number; readonly b: number }): boolean =>
    kind === K.HMF_EXIT && a !== VMA_FLAGS && (b & RETRY) !== 0;
  it('the cause is the true one or unknown, and the verdict: made-up streams', () => {
    const stream = fc.record({
      seed: fc.integer(),
      faults: fc.integer({ min: 1, max: 120 }),
      missRate: fc.constantFrom(0.02, 0.1, 0.3, 0.6),
      dropRate: fc.constantFrom(0, 0.1),
      released: fc.boolean(),
    });
    fc.assert(
      fc.property(stream, ({ seed, faults, ...options }) => {
        const made = synthesizeStream(faults, seed, options);
        for (const life of run(made, false).closed) {
          const script = made.truths.get(life.id)?.script;
          if (script === undefined) continue;
          // A later try whose fallback is gone looks like a part of the first, and nothing is left to tell them by.
          const left = made.rows.filter((row) => isFallback(row) && row.faultCpu * 2 ** 32 + row.fault === life.id);
          const fallbacks = script.steps.filter(isFallback).length;
          if (!script.steps.some(retriesAgain) || left.length === fallbacks)
            check(life, script.cause, script.verdict, script.name);
        }
      }),
      { numRuns: 300 },
    );
  });

  const realms: Promise<Realm[]> = Promise.all(
    ['swap-7.3', 'mixed-7.3'].map((name) =>
      rowsOf(fileURLToPath(new URL(`../../../test/golden/${name}.vmlt`, import.meta.url))),
    ),
  );
  it('the cause is the true one or unknown, and the verdict: real recordings', async () => {
    for (const realm of await realms) {
      const truth = truthOf(realm);
      const kinds = fc.subarray([...realm.kinds], { minLength: 1 });
      fc.assert(
        fc.property(kinds, fc.double({ min: 0.05, max: 1, noNaN: true }), fc.integer(), (which, rate, seed) => {
          const { closed } = missed(realm, new Set(which), rate, seed);
          for (const life of closed) {
            const was = truth.get(life.id);
            if (was !== undefined) check(life, was.cause, was.verdict, `${life.id} without ${which} at ${rate}`);
          }
        }),
        { numRuns: 8 },
      );
    }
  });
});
