// SPDX-License-Identifier: MIT
/** A struct_ops map in use. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BpfObject } from '../../src/index.js';
import { file } from './support.js';

describe('struct_ops', () => {
  it('struct_ops: a congestion control is there while attached, and is asked', async () => {
    using congestion = BpfObject.open(file('congestion.bpf.o'));
    congestion.load();
    const control = '/proc/sys/net/ipv4/tcp_congestion_control';
    const available = (): string[] =>
      readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'latin1').trim().split(' ');
    const usual = readFileSync(control, 'latin1').trim();
    assert.equal(available().includes('ebpf_ts'), false);
    const link = congestion.attachStructOps('least');
    assert.ok(available().includes('ebpf_ts'), String(available()));
    writeFileSync(control, 'ebpf_ts');
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(Buffer.alloc(2 ** 20));
    await once(socket, 'close');
    server.close();
    writeFileSync(control, usual);
    assert.ok(congestion.global('asked').get() > 0n);
    assert.throws(() => link.account(), { code: 'ERR_BPF_TYPE' });
    link.close();
    for (let i = 0; i < 100 && available().includes('ebpf_ts'); i++) await sleep(20);
    assert.equal(available().includes('ebpf_ts'), false);
  });
});
