// SPDX-License-Identifier: MIT
/** Where a single executable puts its files: once, whole, and never where somebody else could change them. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Contents, cacheOf, place } from '../../scripts/package/single/place.js';
import { scratch } from '../output/support.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const uid = process.geteuid?.() ?? -1;

function contents(hash = 'abc', fail = ''): Contents & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    hash,
    files: ['package.json', 'dist/cli/main.js'],
    reads,
    read(path) {
      if (path === fail) throw new Error('no room');
      reads.push(path);
      return Buffer.from(`this is ${path}`);
    },
  };
}

/** Where it goes when the cache cannot be trusted or used: whole, and to be removed by who asked. */
function assertFleeting(t: TestContext, cache: string | null, owner = uid): void {
  const { folder, fleeting } = place(contents(), cache, owner, NOW);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.ok(fleeting);
  assert.ok(cache === null || !folder.startsWith(cache));
  assert.equal(readFileSync(join(folder, 'dist/cli/main.js'), 'utf8'), 'this is dist/cli/main.js');
}

test('root has a place that no variable of its caller moves; others have theirs', () => {
  const env = { HOME: '/home/a', XDG_CACHE_HOME: '/home/a/cache' };
  assert.equal(cacheOf(0, env), '/var/cache/vmalocktop');
  assert.equal(cacheOf(1000, env), '/home/a/cache/vmalocktop');
  assert.equal(cacheOf(1000, { HOME: '/home/a' }), '/home/a/.cache/vmalocktop');
  assert.equal(cacheOf(1000, { HOME: '/home/a', XDG_CACHE_HOME: 'relative' }), '/home/a/.cache/vmalocktop');
  for (const without of [{}, { HOME: '' }, { HOME: 'relative' }]) assert.equal(cacheOf(1000, without), null);
});

test('files are written once, whole, and readable by the user that the daemon becomes', (t) => {
  const cache = join(scratch(t), 'deep/vmalocktop');
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  const first = contents();
  const { folder, fleeting } = place(first, cache, uid, NOW);
  assert.deepEqual([fleeting, folder], [false, join(cache, 'single-abc')]);
  assert.deepEqual(first.reads, first.files);
  assert.equal(statSync(join(folder, 'dist/cli/main.js')).mode & 0o777, 0o644);
  assert.equal(statSync(folder).mode & 0o777, 0o755);
  assert.equal(statSync(cache).mode & 0o777, 0o755);
  assert.equal(process.umask(), 0o077);
  const second = contents();
  assert.equal(place(second, cache, uid, NOW).folder, folder);
  assert.deepEqual(second.reads, []);
  assert.deepEqual(readdirSync(cache), ['single-abc']);
});

test('a folder that another user could have made or changed is not loaded from', (t) => {
  const path = scratch(t);
  const cache = join(path, 'vmalocktop');
  // All is of this user, and asked for by another.
  place(contents(), cache, uid, NOW);
  assertFleeting(t, cache, uid + 1);

  chmodSync(cache, 0o777);
  assertFleeting(t, cache);
  chmodSync(cache, 0o755);

  chmodSync(join(cache, 'single-abc'), 0o775);
  assertFleeting(t, cache);

  const link = join(path, 'link');
  symlinkSync(cache, link);
  assertFleeting(t, link);
});

test('without a home, or with one that is a file, it runs from a folder of its own', (t) => {
  assertFleeting(t, null);
  assertFleeting(t, '/dev/null/vmalocktop');
});

test('what could not be written whole leaves nothing behind', (t) => {
  const cache = join(scratch(t), 'vmalocktop');
  const elsewhere = scratch(t);
  const { TMPDIR } = process.env;
  process.env.TMPDIR = elsewhere;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  assert.throws(() => place(contents('abc', 'dist/cli/main.js'), cache, uid, NOW), /no room/);
  assert.deepEqual([readdirSync(cache), readdirSync(elsewhere)], [[], []]);
});

test('versions nobody has used for a month go, and what an ended start left half written', (t) => {
  const cache = join(scratch(t), 'vmalocktop');
  const make = (name: string, age: number): void => {
    mkdirSync(join(cache, name), { recursive: true });
    utimesSync(join(cache, name), new Date(NOW - age), new Date(NOW - age));
  };
  make('single-old', 31 * DAY_MS);
  make('single-used', 29 * DAY_MS);
  make('.single-half', DAY_MS / 12);
  make('.single-begun', DAY_MS / 48);
  make('not-ours', 400 * DAY_MS);
  place(contents(), cache, uid, NOW);
  assert.deepEqual(readdirSync(cache).sort(), ['.single-begun', 'not-ours', 'single-abc', 'single-used']);
  // A start is a use.
  place(contents(), cache, uid, NOW + 29 * DAY_MS);
  place(contents('def'), cache, uid, NOW + 31 * DAY_MS);
  assert.ok(existsSync(join(cache, 'single-abc')));
});
