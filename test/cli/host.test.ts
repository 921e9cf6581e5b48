// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosen, parseKernelRelease, parseNames, preemptionModel } from '../../src/live/host.js';

test('kernel releases', () => {
  assert.deepEqual(parseKernelRelease('6.12.95+deb12-amd64'), { release: '6.12.95+deb12-amd64', major: 6, minor: 12 });
  assert.deepEqual(parseKernelRelease('7.3-rc1'), { release: '7.3-rc1', major: 7, minor: 3 });
  assert.deepEqual(parseKernelRelease('odd'), { release: 'odd', major: 0, minor: 0 });
});

test('the chosen one of a list', () => {
  assert.equal(chosen('none [integrity] confidentiality'), 'integrity');
  assert.equal(chosen('none voluntary (full) lazy'), 'full');
  assert.equal(chosen('none'), null);
});

test('names of available_filter_functions and of kallsyms, of the kernel and of modules', () => {
  assert.deepEqual([...parseNames('do_swap_page\nzram_submit_bio [zram]\n', 0)], ['do_swap_page', 'zram_submit_bio']);
  assert.deepEqual([...parseNames('ffff0 T do_swap_page\nffff1 t zram_x\t[zram]\n', 2)], ['do_swap_page', 'zram_x']);
});

test('preemption: what runs beats what was told beats what was built', () => {
  const dynamic = 'CONFIG_PREEMPT_VOLUNTARY=y\nCONFIG_PREEMPT_DYNAMIC=y\n';
  assert.equal(preemptionModel('none voluntary (full) lazy', 'preempt=none', dynamic), 'full');
  assert.equal(preemptionModel(null, 'quiet preempt=none', dynamic), 'none');
  assert.equal(preemptionModel(null, 'quiet', dynamic), 'voluntary');
  assert.equal(preemptionModel(null, 'preempt=full', 'CONFIG_PREEMPT_NONE=y\n'), 'none');
  assert.equal(preemptionModel(null, '', 'CONFIG_PREEMPT_RT=y\n'), 'full');
  assert.equal(preemptionModel(null, '', 'CONFIG_PREEMPT_LAZY=y\nCONFIG_PREEMPT_DYNAMIC=y\n'), 'lazy');
  assert.equal(preemptionModel(null, '', '# CONFIG_PREEMPT is not set\n'), 'unknown');
});
