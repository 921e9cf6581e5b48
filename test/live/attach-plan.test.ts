// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KernelAbility, loses, newTasksUnseen, planAttach, type Wishes } from '../../src/live/attach-plan.js';
import { HOOKS } from '../../src/live/hooks.js';
import { hookOf } from '../../src/live/program-names.js';

/** 7.3 with full preemption, as root sees it. */
const KERNEL: KernelAbility = {
  mmOwner: true,
  major: 7,
  minor: 3,
  fprobe: true,
  traceable: (target) => target !== 'swap_read_folio_bdev_sync',
  described: (target) => target !== 'swap_read_folio_bdev_sync',
  tracepoint: () => true,
};
const WISHES: Wishes = {
  start: false,
  exact: false,
  anonPrepare: false,
  observed: false,
  filter: false,
  retry: true,
  writers: true,
  lean: false,
  standby: true,
  without: new Set(),
};
const programsOf = (wishes: Partial<Wishes>, kernel: Partial<KernelAbility> = {}): string[] =>
  planAttach({ ...KERNEL, ...kernel }, { ...WISHES, ...wishes }).programs.map(({ program }) => program);

test('whichever program of the plan is refused, the next plan lacks it, and no other hook than its own', () => {
  const all = programsOf({});
  for (const program of all) {
    const lost = loses(program);
    const required = HOOKS.some((hook) => hook.required && hook.target === lost);
    const plan = planAttach(KERNEL, { ...WISHES, refused: new Map([[lost, 'refused: ESRCH from the kernel']]) });
    const left = plan.programs.map((planned) => planned.program);
    assert.ok(!left.includes(program), program);
    assert.deepEqual(
      all.filter((other) => !left.includes(other)),
      all.filter((other) => other === program || hookOf(other) === lost),
      program,
    );
    assert.equal(plan.missing.length > 0, required, program);
    const hook = plan.hooks.find(({ target }) => target === lost);
    if (hook !== undefined) assert.deepEqual([hook.attached, hook.note], [false, 'refused: ESRCH from the kernel']);
  }
});

test('where the list of traceable functions cannot be read, BTF says what is there', () => {
  const plan = planAttach({ ...KERNEL, traceable: () => null }, WISHES);
  assert.deepEqual(plan.missing, []);
  const swap = plan.hooks.filter(({ target }) => /^swapin_sync|^swap_read_folio/.test(target));
  assert.deepEqual(swap, [
    { target: 'swapin_sync', attached: true, note: '' },
    { target: 'swap_read_folio_bdev_sync', attached: false, note: 'not in this kernel: swapin_sync does it' },
  ]);
});

test('where /proc/kallsyms hides addresses the trylock for an anon_vma is told by its own function', () => {
  assert.ok(!programsOf({}).includes('fexit___vmf_anon_prepare'));
  assert.ok(programsOf({ anonPrepare: true }).includes('fexit___vmf_anon_prepare'));
});

test('where kernel code is not preempted, a function whose return is hooked has one trampoline', () => {
  const byTarget = (wishes: Partial<Wishes>): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const { target, method } of planAttach(KERNEL, { ...WISHES, ...wishes }).programs)
      found.set(target, [...(found.get(target) ?? []), method].sort());
    return found;
  };
  const lean = byTarget({ lean: true });
  const whole = byTarget({});
  for (const target of [
    'do_swap_page',
    'swapin_sync',
    'swapin_readahead',
    '__folio_lock_or_retry',
    'lock_mm_and_find_vma',
  ]) {
    assert.deepEqual(lean.get(target), ['fentry', 'fexit'], target);
    assert.deepEqual(whole.get(target), ['kprobe.multi', 'kretprobe.multi'], target);
  }
  assert.deepEqual(lean.get('get_swap_device'), ['fexit']);
  assert.deepEqual(lean.get('io_schedule'), ['kprobe.multi']);
  // What BTF does not describe has no trampoline.
  assert.ok(
    programsOf({ lean: true }, { described: (target) => target !== 'swapin_sync' }).includes('kpm_swapin_sync'),
  );
});

test('in 7.x the entry of a function whose return is hooked declines that return', () => {
  const declining = (kernel: Partial<KernelAbility>, wishes: Partial<Wishes> = {}): string[] =>
    planAttach({ ...KERNEL, ...kernel }, { ...WISHES, ...wishes })
      .programs.filter(({ declines }) => declines)
      .map(({ program }) => program);
  const both = declining({});
  assert.ok(both.includes('kpm_do_swap_page') && both.includes('kpm___folio_lock_or_retry'), both.join(' '));
  // An entry alone, and where a session is not known to be cheaper, or is not used at all.
  assert.ok(!both.includes('kpm_io_schedule'));
  assert.deepEqual(declining({ major: 6, minor: 18 }), []);
  assert.deepEqual(declining({ fprobe: false }), []);
  assert.deepEqual(declining({}, { lean: true }), []);
});

test('who queues for mmap_lock is seen in the slow paths, and by the tracepoint of all who ask where one of them lacks', () => {
  const asked = 'tp_mmap_lock_start_locking';
  const slow = ['kpm_rwsem_down_read_slowpath', 'kpm_rwsem_down_write_slowpath'];
  const seen = (kernel: Partial<KernelAbility>, wishes: Partial<Wishes> = {}): string[] =>
    programsOf(wishes, kernel).filter((program) => program === asked || /slowpath/.test(program));
  assert.deepEqual(seen({}), slow);
  assert.deepEqual(seen({ fprobe: false }), ['fentry_rwsem_down_read_slowpath', 'fentry_rwsem_down_write_slowpath']);
  const { hooks } = planAttach(KERNEL, WISHES);
  assert.deepEqual(
    hooks.find(({ target }) => target === 'mmap_lock_start_locking'),
    {
      target: 'mmap_lock_start_locking',
      attached: false,
      note: 'left out: rwsem_down_read_slowpath and rwsem_down_write_slowpath show it for less',
    },
  );
  // PREEMPT_RT.
  assert.deepEqual(seen({ traceable: (target) => !/slowpath/.test(target) }), [asked]);
  // Without CONFIG_MEMCG a lock is not known for an mm's.
  assert.deepEqual(seen({ mmOwner: false }), [asked]);
  assert.deepEqual(seen({}, { refused: new Map([['rwsem_down_read_slowpath', 'refused']]) }).sort(), [slow[1], asked]);
  assert.deepEqual(seen({}, { writers: false }), []);
});

test('one of two witnesses of new tasks is enough to follow a command; without both it is said why', () => {
  const unseen = (...without: string[]): string | null =>
    newTasksUnseen(planAttach(KERNEL, { ...WISHES, filter: true, without: new Set(without) }));
  assert.equal(unseen(), null);
  assert.equal(unseen('wake_up_new_task'), null);
  assert.equal(unseen('sched_process_fork'), null);
  assert.equal(
    unseen('wake_up_new_task', 'sched_process_fork'),
    'wake_up_new_task left out: --without, sched_process_fork left out: --without',
  );
});
