// SPDX-License-Identifier: MIT
/** The configuration of a daemon before it starts: what is refused, what is taken, and by whom it may be written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { holdConfig } from '../../src/daemon/read-config.js';
import { run } from '../cli/run.js';
import { root, scratch } from './support.js';

const directory = scratch();

before(() => chmodSync(directory.path, 0o777));
after(() => directory.remove());

test('--check-config passes nothing that is refused at the start', async () => {
  const path = join(directory.path, 'start.toml');
  for (const [text, why] of [
    ['[metrics]\nlisten = "127.0.0.1:99999"', /not an address/],
    ['[metrics]\nlisten = "localhost"', /not an address/],
    ['[metrics]\ntls_cert = "/x"', /tls_key is missing/],
    ['[metrics]\npassword_file = "/no/such/file"', /no such file/],
    ['[metrics]\ntls_cert = "/etc/passwd"\ntls_key = "/etc/passwd"', /over TLS: .*PEM/i],
    ['[socket]\npath = "/tmp/x"\ngroup = "no-such-group"', /no group of that name/],
    ['[socket]\npath = "/etc/passwd"\ngroup = ""', /what is there is not a socket/],
    ['[[action]]\ntype = "exec"\nargv = ["/bin/true"]\nuid = 4711', /may not change its uid/],
    [`[[rule]]\nname = "a"\ngroup_by = "process"\nwhen = 'comm.matches("(((") && retry_rate > 0'`, /Unterminated/],
    ...(process.geteuid?.() === 0
      ? ([
          ['[privileges]\nuser = "no-such-user"', /no user of that name/],
          ['[privileges]\nuser = "root"', /privileges\.user is root/],
        ] as const)
      : []),
  ] as const) {
    writeFileSync(path, text.includes('privileges') ? text : `${text}\n[privileges]\nuser = "nobody"\n`);
    const { code, stderr } = await run(['daemon', '--config', path, '--check-config']);
    assert.ok(code === 2 || code === 3, `${text}: ${code}`);
    assert.match(stderr, why);
  }
});

test('--check-config passes what a daemon that runs has taken, and says that it is taken', async (t) => {
  const path = join(directory.path, 'taken.toml');
  const taken = createServer().listen(0, '127.0.0.1');
  const listening = createNetServer().listen(join(directory.path, 'taken'));
  t.after(() => {
    taken.close();
    listening.close();
  });
  await Promise.all([once(taken, 'listening'), once(listening, 'listening')]);
  const { port } = taken.address() as AddressInfo;
  const made = join(directory.path, 'not', 'there', 'yet');
  writeFileSync(
    path,
    `[metrics]\nlisten = "127.0.0.1:${port}"\n[socket]\npath = "${join(directory.path, 'taken')}"\ngroup = ""\n` +
      `[flight]\nkeep = "30s"\ndirectory = "${made}"\n[privileges]\nuser = "nobody"\n`,
  );
  const { code, stdout, stderr } = await run(['daemon', '--config', path, '--check-config']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /: ok, \d+ alert rules\n127\.0\.0\.1:\d+ is in use: .*\na daemon listens at /);
  assert.ok(!existsSync(join(directory.path, 'not')), 'nothing is made');
});

test('a configuration that others may write is not used: it names programs to be run', async () => {
  const path = join(directory.path, 'shared.toml');
  writeFileSync(path, '[privileges]\nuser = "nobody"\n');
  const check = () => run(['daemon', '--config', path, '--check-config']);
  assert.equal((await check()).code, 0);
  chmodSync(path, 0o666);
  const open = await check();
  assert.equal(open.code, 2);
  assert.match(open.stderr, /everybody may write to it\n→ chmod o-w/);
  chmodSync(path, 0o644);
  if (!root) return;
  chownSync(path, 4711, 4712);
  const foreign = await check();
  assert.equal(foreign.code, 2);
  assert.match(foreign.stderr, /it belongs to another user \(4711\)/);
});

test('nor is one held for reloads that took the place of the one that was read', {
  skip: !root && 'needs root, and another user',
}, async () => {
  const path = join(directory.path, 'swapped.toml');
  writeFileSync(path, '');
  const held = await holdConfig(path);
  assert.ok(held);
  await held.close();
  chownSync(path, 4711, 4712);
  await assert.rejects(holdConfig(path), /it belongs to another user/);
  unlinkSync(path);
  // Who waits for a writer of it waits for ever.
  execFileSync('mkfifo', [path]);
  assert.equal(await holdConfig(path), null);
});

test('--check-config says whether it can be used, and nothing else', async () => {
  const good = join(directory.path, 'good.toml');
  writeFileSync(good, '[observe]\nscope = "swap"\n[privileges]\nuser = "nobody"\n');
  const fine = await run(['daemon', '--config', good, '--check-config']);
  assert.equal(fine.code, 0);
  assert.match(fine.stdout, /good\.toml: ok, \d+ alert rules/);
  const bad = join(directory.path, 'bad.toml');
  writeFileSync(bad, '[observe]\nscope = "most"\n');
  const wrong = await run(['daemon', '--config', bad, '--check-config']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /bad\.toml: line 2: observe\.scope is "most"\n→ it must be one of "swap", "retry", "all"/);
});
