// SPDX-License-Identifier: MIT
/** Configuration files: every value knows its line, and whatever a file contains, the errors help its author. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDurationText, parseDuration } from '../../src/config/quantities.js';
import type { Section } from '../../src/config/section.js';
import { parseToml, readToml } from '../../src/config/toml.js';
import { errorLines, UserError } from '../../src/errors.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-config-'));
after(() => rm(directory, { recursive: true }));

const TEXT = `# a comment
title = "x"
[observe]
scope = "all"
min_us = 5
ratio = 0.5

[[rule]]
name = "a"
inline = { one = "1", two.three = true }
list = [
  "p",
  "q",
]

[[rule]]
name = "b"
[rule.nested]
for = "5s"
`;

function error(read: () => unknown): string {
  try {
    read();
  } catch (thrown) {
    assert.ok(thrown instanceof UserError, String(thrown));
    assert.equal(thrown.exitCode, 2);
    return errorLines(thrown).join('\n');
  }
  return 'no error';
}

describe('a section', () => {
  const top = parseToml(TEXT, 'c.toml');
  const [a, b] = top.sections('rule') as [Section, Section];
  const observe = top.section('observe') as Section;

  it('knows the line of each table and of each key, wherever it stands', () => {
    assert.equal(top.line('title'), 2);
    assert.equal(observe.line(), 3);
    assert.equal(observe.line('scope'), 4);
    assert.equal(a.line(), 8);
    assert.equal(a.section('inline')?.line('one'), 10);
    assert.equal(a.line('list'), 11);
    assert.equal(b.line(), 16);
    assert.equal(b.line('name'), 17);
    assert.equal(b.section('nested')?.line('for'), 19);
    // Of a key that is not there, the table's.
    assert.equal(b.line('absent'), 16);
  });

  it('reads values of their kinds', () => {
    assert.equal(top.string('title'), 'x');
    assert.equal(observe.oneOf('scope', ['swap', 'all']), 'all');
    assert.equal(observe.integer('min_us', { min: 0, max: 10 }), 5);
    assert.equal(observe.number('ratio'), 0.5);
    assert.deepEqual(a.strings('list'), ['p', 'q']);
    assert.equal(a.section('inline')?.section('two')?.boolean('three'), true);
    assert.equal(b.section('nested')?.duration('for'), 5e9);
    assert.equal(top.string('absent'), undefined);
    assert.deepEqual(top.sections('absent'), []);
    assert.equal(top.section('absent'), undefined);
  });

  it('names file, line, key and what is allowed', () => {
    assert.equal(
      error(() => observe.integer('min_us', { min: 6, max: 10 })),
      'cannot use c.toml: line 5: observe.min_us is 5\n→ it must be a whole number from 6 up to 10',
    );
    assert.equal(
      error(() => observe.oneOf('scope', ['swap', 'retry'])),
      'cannot use c.toml: line 4: observe.scope is "all"\n→ it must be one of "swap", "retry"',
    );
    assert.equal(
      error(() => observe.integer('ratio')),
      'cannot use c.toml: line 6: observe.ratio is 0.5\n→ it must be a whole number',
    );
    assert.equal(
      error(() => a.strings('list', ['p', 'r'])),
      'cannot use c.toml: line 11: rule[0].list holds "q"\n→ it may hold "p", "r"',
    );
    assert.equal(
      error(() => top.section('title')),
      'cannot use c.toml: line 2: title is "x"\n→ it must be a table, [title]',
    );
    assert.equal(
      error(() => top.sections('observe')),
      'cannot use c.toml: line 3: observe is a table\n→ it must be tables, [[observe]]',
    );
    assert.equal(
      error(() => b.required('absent')),
      'cannot use c.toml: line 16: rule[1].absent is missing\n→ give rule[1].absent a string',
    );
  });

  it('refuses what nobody asked for', () => {
    const own = parseToml('known = 1\nunknown = 2\n', 'c.toml');
    own.integer('known');
    assert.equal(
      error(() => own.finish()),
      'cannot use c.toml: line 2: unknown is not known\n→ known here: known',
    );
    own.integer('unknown');
    own.finish();
  });

  it('is not fooled by names that objects have anyway', () => {
    assert.equal(parseToml('', 'c.toml').string('constructor'), undefined);
    assert.equal(parseToml('', 'c.toml').has('toString'), false);
  });
});

describe('a file', () => {
  it('that is no TOML is refused with the line', async () => {
    const path = join(directory, 'bad.toml');
    await writeFile(path, 'a = 1\nb = [1,\n');
    await assert.rejects(readToml(path), (thrown) => {
      assert.ok(thrown instanceof UserError);
      assert.match(errorLines(thrown).join('\n'), /^cannot read .*bad\.toml: line \d: .+\n→ it must be TOML 1\.0/);
      return true;
    });
    await assert.rejects(readToml(directory), /it is a directory/);
  });

  it('of any content is read, or refused in words', () => {
    const word = fc.constantFrom(
      'a',
      '[',
      ']',
      '[[',
      ']]',
      '=',
      '"',
      "'",
      '\n',
      '.',
      '{',
      '}',
      ',',
      '1',
      '-',
      '#',
      '1979-05-27',
      'true',
      '\u0000',
      'é',
      '"""',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
        ),
        (text) => {
          assert.ok(/^(no error|cannot read c\.toml: line \d+: )/.test(error(() => parseToml(text, 'c.toml'))));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a file that means harm', () => {
  const refused = (text: string): void => {
    const before = process.cpuUsage().user;
    assert.match(
      error(() => parseToml(text, 'c.toml')),
      /^cannot read c\.toml: /,
      text.slice(0, 40),
    );
    // Seconds of a busy machine; it took twenty of a quiet one.
    assert.ok(process.cpuUsage().user - before < 5e6, `${text.slice(0, 40)} takes time`);
  };

  it('nests without end, or has a key of a thousand parts', () => {
    refused(`x = ${'['.repeat(5000)}${']'.repeat(5000)}`);
    refused(`x = ${'{a='.repeat(5000)}1${'}'.repeat(5000)}`);
    refused(`a${'.a'.repeat(20_000)} = 1`);
    refused(`[a${' . "a"'.repeat(20_000)}]`);
    refused(`[[a${'.a'.repeat(20_000)}]]`);
    refused(`x = { a${'.a'.repeat(20_000)} = 1 }`);
    refused(`x = "${'y'.repeat(200_000)}"${'0'.repeat(200_000)}`);
  });

  it('reaches into what all objects have', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'a.__proto__.b', '"__proto__"'])
      for (const text of [`[${key}]\npolluted = 1`, `[[${key}]]\npolluted = 1`, `${key} = 1`, `x = { ${key} = 1 }`])
        refused(text);
    assert.equal('polluted' in {}, false);
  });

  it('is not taken for one by what stands in strings and comments', () => {
    const deep = '['.repeat(100) + 'a.'.repeat(100);
    for (const text of [
      `a = "${deep}"`,
      `a = '${deep}'`,
      `a = """\n${deep}\n"""`,
      `a = '''${deep}'''`,
      `# ${deep}\na = 1`,
      `a = "\\"${deep}"`,
    ])
      assert.equal(parseToml(text, 'c.toml').has('a'), true, text);
  });

  it('has no end', async () => {
    await assert.rejects(readToml('/dev/zero'), /more than \d+ bytes/);
  });
});

describe('durations', () => {
  it('are read as people write them, and written as they are read', () => {
    for (const [text, ns] of [
      ['500ms', 5e8],
      ['5s', 5e9],
      ['1.5m', 9e10],
      ['2h', 7.2e12],
      ['7d', 6.048e14],
      ['0s', 0],
    ] as const)
      assert.equal(parseDuration(text), ns);
    for (const text of ['', '5', 's', '5 s', '-1s', '1e3s', '5S', '5sec', '1m30s'])
      assert.equal(parseDuration(text), undefined, text);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (ms) => {
        assert.equal(parseDuration(formatDurationText(ms * 1e6)), ms * 1e6);
      }),
    );
  });
});
