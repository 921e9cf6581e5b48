// SPDX-License-Identifier: MIT
/** What observes keeps no privilege, in no thread, and can still write, end its command and name what it saw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernels, matrixOnly, runInGuest } from './guest.js';

const skip = await matrixOnly();
const NONE = '0000000000000000';

for (const kernel of kernels) {
  test(`${kernel}: privileges of every command once it observes`, { skip }, async () => {
    const result = await runInGuest({ kernel, argv: ['test/vm/guest/privileges'], timeoutS: 2400 });
    assert.equal(result.code, 0, result.stderr);
    const lines = new Map(result.stdout.split('\n').map((line) => [line.split(' ')[0], line]));
    for (const [name, uid, caps, exit] of [
      ['stat', 0, NONE, 130],
      ['check', 0, NONE, 130],
      // CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; nothing is inheritable.
      ['record-stacks', 0, `${NONE} 0000000000080004`, 130],
      ['sudo-stat', 4711, NONE, 130],
      ['sudo-rotated', 4711, NONE, 130],
      // CAP_KILL: the command runs as root.
      ['sudo-command', 4711, `${NONE} 0000000000000020`, 143],
      ['sudo-root', 0, NONE, 130],
      ['in-a-home', 4711, NONE, 130],
      ['daemon', 65534, NONE, 0],
    ] as const)
      assert.equal(lines.get(name), `${name} uids=${uid} caps=${caps} may=0 exit=${exit}`);
    assert.equal(lines.get('sudo-top'), `sudo-top uids=4711 caps=${NONE} may=0`);
    // What left the session of an action's program, lost its parent and cleared its environment.
    assert.equal(lines.get('left'), 'left 2 named, 0 run on');
    assert.equal(lines.get('daemon-socket'), 'daemon-socket root daemon 660');
    assert.ok(!result.stdout.includes('still there'), result.stdout);
    for (const file of ['stat', 'command.vmlt', 'rotated.0001.vmlt', 'vmalocktop-recording'])
      assert.match(result.stdout, new RegExp(`UNKNOWN 4711 600 .*${file}`));
    assert.match(result.stdout, /root 0 600 \/root\/stacks\.vmlt/);
  });
}
