// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as api from '../src/index.js';
import { apiDoc } from './api-doc.js';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('API.md is what the docstrings say: node packages/ebpf-ts/dist/test/api-doc.js', () => {
  assert.equal(read('API.md'), apiDoc());
});

test('every export is in it', () => {
  for (const name of Object.keys(api)) assert.ok(read('API.md').includes(`## ${name}\n`), name);
});

test('files the README links to are there', () => {
  const links = [...read('README.md').matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => target);
  assert.ok(links.length >= 6);
  for (const target of links) assert.ok(existsSync(new URL(`../../${target}`, import.meta.url)), target);
});

test('six examples, each under thirty lines and by the public API alone', () => {
  const names = readdirSync(new URL('../../examples/', import.meta.url)).filter((name) => /(?<!\.gen)\.ts$/.test(name));
  assert.equal(names.length, 6);
  for (const name of names) {
    const text = read(`examples/${name}`);
    assert.ok(text.split('\n').length < 30, name);
    for (const [, from = ''] of text.matchAll(/ from '([^']+)'/g))
      assert.match(from, /^(ebpf-ts|node:.*|\.\/\w+\.gen\.js)$/, name);
  }
});
