// SPDX-License-Identifier: MIT
/** docs/kernels.md says what boots.json has, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { boots, kernelsPage, PAGE } from './boots.js';

test('docs/kernels.md is what the boots that are kept say', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), kernelsPage(boots()), 'node dist/scripts/kernels.js');
});
