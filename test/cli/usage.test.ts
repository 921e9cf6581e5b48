// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from './run.js';

const COMMANDS = ['top', 'stat', 'record', 'replay', 'doctor'];

test('--help lists every command on stdout and exits 0', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  for (const name of COMMANDS) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
});

test('every command has its own help', async () => {
  for (const name of COMMANDS) {
    const { code, stdout } = await run([name, '--help']);
    assert.equal(code, 0, name);
    assert.match(stdout, new RegExp(`^Usage: vmalocktop ${name} `));
  }
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const { code, stdout } = await run(['--version']);
  assert.equal(code, 0);
  assert.equal(stdout, `${version}\n`);
});

const WRONG: readonly (readonly [argv: readonly string[], cause: RegExp, remedy: RegExp])[] = [
  [['sat'], /unknown command 'sat'/, /did you mean stat\?/],
  [['stat', '--jsn'], /unknown option '--jsn'/, /did you mean --json\?/],
  [['--bogus'], /unknown option '--bogus'/, /vmalocktop top --help/],
  [['stat', '-d', 'soon'], /'soon' is invalid.*number of seconds/, /stat --help/],
  [['stat', '-d', '0'], /'0' is invalid/, /stat --help/],
  [['stat', '-p', '1,x'], /'1,x' is invalid/, /stat --help/],
  [['stat', '--ring-size', '100000'], /power of two/, /stat --help/],
  [['stat', '--scope', 'some'], /'some' is invalid.*swap, retry, all/, /stat --help/],
  [['stat', '--comm', 'sixteen-bytes-xx'], /1 to 15 bytes/, /stat --help/],
  [['record'], /required option '-o, --output <file>'/, /record --help/],
  [['replay'], /missing required argument 'file'/, /replay --help/],
  [['replay', 'x', '--speed', '-1'], /invalid/, /replay --help/],
  [['stat', '--'], /no command after --/, /name one/],
  [['doctor', '--', 'true'], /doctor runs no command/, /stat.*record/],
  [['stat', 'a.vmlt', '--pid', '7'], /--pid acts only while the kernel is observed/, /record/],
  [['stat', 'a.vmlt', '--unit', 'nginx'], /--unit acts only while the kernel is observed/, /record/],
  [['stat', '--cgroup', ' '], /It must not be empty/, /stat --help/],
  [['replay', 'a.vmlt', '--unit', 'nginx', '--pod', 'shop/web-0'], /one cgroup, container, pod or unit/, /with \//],
];

for (const [argv, cause, remedy] of WRONG) {
  test(`usage error: vmalocktop ${argv.join(' ')}`, async () => {
    const { code, stdout, stderr } = await run(argv);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    const [first = '', second = ''] = stderr.split('\n');
    assert.match(first, /^vmalocktop: cannot read the command line: /);
    assert.match(first, cause);
    assert.match(second, /^→ /);
    assert.match(second, remedy);
  });
}

test('what is no directory cannot be the root of the host', async () => {
  for (const [root, why] of [
    ['/nowhere/at/all', 'no such file or directory'],
    ['/etc/passwd', 'a part of the path is not a directory'],
  ] as const) {
    const { code, stderr } = await run(['stat', '-d', '1', '--host-root', root]);
    assert.equal(code, 2);
    assert.ok(stderr.startsWith(`vmalocktop: cannot use ${root} as the host's root: ${why}\n→ `), stderr);
  }
});

test('top without a terminal names stat instead', async () => {
  const { code, stderr } = await run([]);
  assert.equal(code, 2);
  assert.match(stderr, /not a terminal\n→ use `vmalocktop stat`/);
});

test('a time range that lies behind the end of a recording has no figures: the error alone', async () => {
  const recording = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
  for (const command of ['stat', 'check']) {
    const { code, stdout, stderr } = await run([command, '--from', '999999', recording]);
    assert.equal(code, 2, command);
    assert.equal(stdout, '', command);
    assert.match(stderr, /cannot begin at 999999\.000 s: the recording ends at/);
  }
});
