// SPDX-License-Identifier: MIT
/** Causes that resemble each other: what distinguishes them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attempt, Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import type { Cause } from '../../src/core/vocabulary/causes.js';
import { VlFile, VlFound, VlInner, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { feed, type PlainRow } from './compare.js';
import { PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER, PTE_SWAP } from './script-writer.js';
import { MMAP_FLAGS, RET, SWAP_DISK, syntheticHooks, TRIED_FLAGS, VMA_FLAGS } from './session.js';

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
  const HUGETLB = { vmFlags: 0x400000n };
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
    ['a hugetlb VMA that is gone, hugetlb_fault unseen', 'hugetlb', [[K.ANON_PREPARE], ...bare], HUGETLB, 0],
    ['the same, __vmf_anon_prepare unseen', 'hugetlb', bare, HUGETLB, 0],
    ['the same, registered with userfaultfd', 'unknown', bare, { vmFlags: 0x401000n }, 0],
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
