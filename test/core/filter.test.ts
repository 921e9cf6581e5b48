// SPDX-License-Identifier: MIT
/** The filter of lists, by cgroup: ids, names and paths as recordings have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keeps, parseFilter, rowFilter } from '../../src/core/view/filter.js';

const ID = '3f4e5d6c7b8a9012'.repeat(4);
const UID = '98cee708-023b-11eb-933d-42010a800193';
const POD = `/kubepods.slice/kubepods-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`;

/** Id, name and path, as rows of processes have them, and without the id, as other rows do. */
const ROWS = {
  nginx: `71 shop/web-0/nginx ${POD}`,
  web: `web /system.slice/docker-${ID}.scope`,
  unit: '88 nginx.service /system.slice/nginx.service',
  long: '90 /system.slice-other/nginx-2.service',
  root: '1 /',
  unknown: '',
} as const;

const CASES: readonly (readonly [filter: string, ...(keyof typeof ROWS)[]])[] = [
  ['unit:nginx', 'unit'],
  ['unit:NGINX.service', 'unit'],
  ['unit:system.slice', 'web', 'unit'],
  ['pod:shop/web-0', 'nginx'],
  [`pod:${UID}`, 'nginx'],
  ['pod:shop/web'],
  ['container:web', 'web'],
  ['container:nginx', 'nginx'],
  ['container:3f4e', 'nginx', 'web'],
  ['container:3f'],
  ['cgroup:/system.slice/', 'web', 'unit'],
  ['cgroup:/system.slice', 'web', 'unit', 'long'],
  ['cgroup:/', 'nginx', 'web', 'unit', 'long', 'root'],
  ['cgroup:nginx', 'nginx', 'unit', 'long'],
];
for (const [filter, ...kept] of CASES)
  test(filter, () => {
    const rows = Object.entries(ROWS).filter(([, cgroup]) => keeps(parseFilter(filter), { cgroup }));
    assert.deepEqual(
      rows.map(([name]) => name),
      kept,
    );
    assert.ok(keeps(parseFilter(filter), { text: 'a row of no process' }));
  });

test('what options of a session mean is a filter of rows', () => {
  assert.equal(rowFilter({ kind: 'cgroup', text: 'system.slice' }), 'cgroup:"/system.slice/"');
  assert.equal(rowFilter({ kind: 'cgroup', text: '/' }), 'cgroup:"/"');
  assert.equal(rowFilter({ kind: 'cgroup', text: '88' }), 'cgroup:"88"');
  const spaced = parseFilter(rowFilter({ kind: 'unit', text: 'a unit' }));
  assert.deepEqual(spaced.terms, [{ key: 'unit', text: 'a unit' }]);
});
