// SPDX-License-Identifier: MIT
/** Runs, run time and misses, by program and by link. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BpfObject, enableStats } from '../../src/index.js';
import { file, loadedKinds, OPENAT, opens, SYS, since } from './support.js';

describe('accounts', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());

  it('accounts for run time and runs', () => {
    using _ = enableStats();
    using __ = object.program('on_fexit').attach();
    for (let i = 0; i < 5; i++) opens();
    const { runCount, runTimeNs, recursionMisses, id } = object.program('on_fexit').account();
    assert.ok(id > 0 && runCount > 0 && runTimeNs > 0 && recursionMisses === 0);
  });

  it('accounts for a link', () => {
    using _ = enableStats();
    using link = object.program('on_multi').attachKprobeMulti([`${SYS}openat`]);
    const before = link.account();
    for (let i = 0; i < 5; i++) opens();
    const after = link.account();
    assert.ok(after.runCount - before.runCount >= 5 && after.runTimeNs > before.runTimeNs, JSON.stringify(after));
    assert.equal(after.missed, since(6, 7) ? 0 : after.missed);
    link.close();
    assert.throws(() => link.account(), { code: 'ERR_BPF_CLOSED' });
  });

  it('hits that did not run a program are counted, by link', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const CALLED = 'strncpy_from_kernel_nofault'; // by a helper of the program that is hit first
    using link = stores.program('is_missed').attachKprobe(CALLED);
    {
      using _ = stores.program('hits_kprobe').attachKprobe(OPENAT);
      for (let i = 0; i < 20; i++) opens();
    }
    const { missed } = link.account();
    if (since(6, 7)) assert.ok(missed !== null && missed >= 20, `${missed} missed`);
    using multi = stores.program('hits_itself').attachKprobeMulti([OPENAT, CALLED]);
    for (let i = 0; i < 20; i++) opens();
    const account = multi.account();
    console.log(`# kprobe: ${missed} missed; kprobe.multi: ${JSON.stringify(account)}`);
    assert.ok((account.missed ?? 0) + account.recursionMisses >= 20, JSON.stringify(account));
  });
});
