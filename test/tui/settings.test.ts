// SPDX-License-Identifier: MIT
/** The file of a person's settings: it is found again, private, and never causes an error. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SettingsFile } from '../../cli/tui/settings.js';
import { initialState } from '../../src/core/view/state.js';
import { patience } from '../pace.js';
import { snapshotAt } from './fixture.js';
import { type Harness, open } from './terminal.js';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'settings-'));
  t.after(() => {
    chmodSync(path, 0o700);
    rmSync(path, { recursive: true });
  });
  return path;
}

async function dashboard(settings: SettingsFile): Promise<Harness> {
  const h = await open(160, 45, { settings });
  h.dashboard.update(snapshotAt(130));
  await h.settle();
  return h;
}

test('orders, tree and axis are found again, in a file of its owner alone', async (t) => {
  const config = folder(t);
  const first = await dashboard(new SettingsFile({ XDG_CONFIG_HOME: config }));
  await first.type('2', 't', 'r', '5', 'a');
  first.close();
  const path = join(config, 'vmalocktop/dashboard.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(config, 'vmalocktop')).mode & 0o777, 0o700);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    tree: true,
    axis: 'whole',
    sorts: { processes: { field: 'retries', descending: false } },
  });
  const second = await dashboard(new SettingsFile({ XDG_CONFIG_HOME: config }));
  await second.type('2');
  assert.match(second.text(), /retries▲/);
  assert.match(second.text(), /▾ /);
  second.close();
});

test('a replay leaves the axis of live sessions as it is, and where nothing was chosen there is no file', (t) => {
  const config = folder(t);
  const settings = new SettingsFile({ XDG_CONFIG_HOME: config });
  const replay = initialState(80, 24, 'replay', 1000);
  settings.save(replay);
  assert.equal(existsSync(join(config, 'vmalocktop')), false);
  settings.save({ ...replay, tree: true });
  assert.deepEqual(new SettingsFile({ XDG_CONFIG_HOME: config }).load(), { tree: true, axis: 'recent', sorts: {} });
});

test('without XDG_CONFIG_HOME it is in ~/.config', (t) => {
  const home = folder(t);
  assert.equal(new SettingsFile({}, home).path, join(home, '.config/vmalocktop/dashboard.json'));
  // The specification: a path that is not absolute is ignored.
  assert.equal(
    new SettingsFile({ XDG_CONFIG_HOME: 'here' }, home).path,
    join(home, '.config/vmalocktop/dashboard.json'),
  );
});

test('what is wrong with the file or its folder is no error', async (t) => {
  const config = folder(t);
  mkdirSync(join(config, 'vmalocktop'));
  const path = join(config, 'vmalocktop/dashboard.json');
  for (const text of ['', '[', '7', 'null', '{"tree":7,"axis":1,"sorts":{"processes":{"field":1},"no list":{}}}']) {
    writeFileSync(path, text);
    assert.deepEqual(new SettingsFile({ XDG_CONFIG_HOME: config }).load().tree, undefined, text);
    const h = await dashboard(new SettingsFile({ XDG_CONFIG_HOME: config }));
    assert.match(h.text(), /Faults/);
    h.close();
  }
  rmSync(join(config, 'vmalocktop'), { recursive: true });
  // In its place stands a file; and a folder that is nowhere.
  writeFileSync(join(config, 'vmalocktop'), '');
  for (const base of [config, join(config, 'nowhere')]) {
    const h = await dashboard(new SettingsFile({ XDG_CONFIG_HOME: base }));
    await h.type('2', 't');
    h.close();
  }
  assert.equal(readFileSync(join(config, 'vmalocktop'), 'utf8'), '');
});

test('a pipe in its place is not waited for', (t) => {
  const config = folder(t);
  mkdirSync(join(config, 'vmalocktop'));
  assert.equal(spawnSync('mkfifo', [join(config, 'vmalocktop/dashboard.json')]).status, 0);
  const module = fileURLToPath(new URL('../../cli/tui/settings.js', import.meta.url));
  const load = `import { SettingsFile } from ${JSON.stringify(module)};
    console.log(JSON.stringify(new SettingsFile({ XDG_CONFIG_HOME: ${JSON.stringify(config)} }).load()));`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', load], {
    timeout: patience(3000),
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, signal], ['{}\n', null]);
});

test('root in the home of another user keeps nothing there', (t) => {
  const home = folder(t);
  const { geteuid } = process;
  assert.ok(geteuid !== undefined);
  t.after(() => {
    process.geteuid = geteuid;
  });
  const other = geteuid() + 1;
  process.geteuid = () => other;
  assert.equal(new SettingsFile({}, home).path, null);
});
