// SPDX-License-Identifier: MIT
/** What comes of a load that the verifier refuses, or that a signal interrupts. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { libbpf } from '../../src/ffi.js';
import { BpfObject, VerifierError } from '../../src/index.js';
import { file, SMALL, since } from './support.js';

describe('loading', () => {
  it('a refused program comes with what the verifier said', () => {
    const object = BpfObject.open(SMALL);
    object.program('refused').setAutoload(true);
    assert.throws(
      () => object.load(),
      (error: unknown) => {
        assert.ok(error instanceof VerifierError);
        assert.equal(error.program, 'refused');
        const said = since(7, 3) ? /null/i : /invalid mem access 'map_value_or_null'$/;
        assert.match(error.lastLines.join('\n'), said);
        assert.match(error.why, said);
        console.log(`# ${JSON.stringify({ why: error.why, remedy: error.remedy, lastLines: error.lastLines })}`);
        assert.match(error.remedy, /NULL/);
        assert.match(error.log, /BEGIN PROG LOAD LOG[\s\S]*END PROG LOAD LOG/);
        assert.equal(error.errno, constants.errno.EACCES);
        return true;
      },
    );
    assert.throws(() => object.load(), { code: 'ERR_BPF_CLOSED' });
  });

  it('a long log is whole', () => {
    const object = BpfObject.open(SMALL);
    object.program('long_way').setAutoload(true);
    try {
      object.load();
      assert.fail('was not refused');
    } catch (error) {
      assert.ok(error instanceof VerifierError);
      // libbpf's messages were cut at 4 096 bytes.
      assert.ok(error.log.length > 8192 && error.log.includes('END PROG LOAD LOG'), String(error.log.length));
      assert.match(error.log, /^processed \d+ insns/m);
      assert.equal(error.program, 'long_way');
    }
  });

  it('signals do not make the verifier give up', async () => {
    const elf = readFileSync(file('core.bpf.o'));
    const ignore = (): void => {};
    process.on('SIGUSR2', ignore);
    const storm = spawn('perl', ['-e', '1 while kill "USR2", $ARGV[0]', String(process.pid)], { stdio: 'ignore' });
    // libuv's pipe of signals is full, and the SIGCHLD of its end may be lost: it must not hold the process open.
    storm.unref();
    try {
      // As libbpf alone does it: five tries, then EAGAIN.
      let interrupted = 0;
      for (let i = 0; i < 500 && interrupted === 0; i++) {
        const handle = libbpf().objectOpenMem(elf, elf.length, null);
        if (libbpf().objectLoad(handle) === -constants.errno.EAGAIN) interrupted++;
        libbpf().objectClose(handle);
        if (i % 10 === 0) await sleep(1);
      }
      assert.equal(interrupted, 1, 'no signal came in time');
      for (let i = 0; i < 50; i++) {
        using object = BpfObject.open(elf);
        object.load();
      }
    } finally {
      // The handler stays: a signal sent before this one arrives behind it, and would end the process.
      storm.kill('SIGKILL');
    }
  });
});
