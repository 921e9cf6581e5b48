// SPDX-License-Identifier: MIT
/** Files of rules and actions: what is taken, and how errors name file, line, key and what is allowed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { type Action, readActions } from '../../src/actions/actions.js';
import { compileCondition, fieldTypes } from '../../src/actions/cel.js';
import { DEFAULT_RULES, loadRules, readRules, wantsCheck } from '../../src/actions/rules.js';
import { parseToml } from '../../src/config/toml.js';
import { errorLines, UserError } from '../../src/errors.js';

function refusal(text: string): string {
  try {
    const top = parseToml(text, 'x.toml');
    const rules = readRules(top);
    readActions(
      top,
      rules.map(({ name }) => name),
    );
    top.finish();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return errorLines(error).join('\n');
  }
  return 'taken';
}

const RULE = '[[rule]]\nname = "a"\nwhen = "retry_rate > 1"\n';

function actions(text: string): Action[] {
  return readActions(parseToml(text, 'x.toml'), ['a']);
}

describe('rules', () => {
  it('are read with their defaults', () => {
    const [rule] = readRules(parseToml(`${RULE}for = "1500ms"\ncooldown = "2m"`, 'x.toml'));
    assert.ok(rule);
    const { when, ...plain } = rule;
    assert.deepEqual(plain, {
      name: 'a',
      summary: 'a',
      severity: 'warning',
      groupBy: null,
      forNs: 1.5e9,
      clearForNs: 0,
      cooldownNs: 120e9,
      clear: null,
    });
    assert.deepEqual(when.fields, ['retry_rate']);
  });

  const REFUSED: readonly (readonly [what: string, text: string, error: RegExp])[] = [
    ['syntax', 'a = \n', /^cannot read x\.toml: line \d: .+\n→ .*TOML/],
    ['an unknown key', `${RULE}\nwehn = "x"\n`, /line 5: rule\[0\]\.wehn is not known\n→ known here: name, .*when/],
    ['an unknown table', `${RULE}[rules]\n`, /line 4: rules is not known\n→ known here: rule, action/],
    ['no name', '[[rule]]\nwhen = "retry_rate > 1"\n', /line 1: rule\[0\]\.name is missing/],
    [
      'a strange name',
      '[[rule]]\nname = "A b"\nwhen = "retry_rate > 1"',
      /line 2: rule\[0\]\.name is "A b"\n→ lower-case/,
    ],
    ['a name twice', `${RULE}${RULE}`, /line 5: rule\[1\]\.name is taken already: a/],
    ['no condition', '[[rule]]\nname = "a"\n', /line 1: rule\[0\]\.when is missing/],
    [
      'a severity',
      `${RULE}severity = "bad"`,
      /line 4: .*severity is "bad"\n→ it must be one of "info", "warning", "critical"/,
    ],
    ['a grouping', `${RULE}group_by = "host"`, /line 4: .*group_by is "host"\n→ .*"process", "cgroup", "cause"/],
    ['a duration', `${RULE}for = 5`, /line 4: rule\[0\]\.for is 5\n→ it must be a time such as "500ms"/],
    ['a duration that is too long', `${RULE}for = "2d"`, /line 4: rule\[0\]\.for is too long\n→ at most 1d/],
    [
      'an unknown field',
      '[[rule]]\nname = "a"\nwhen = "1 < 2 && rety > 1"',
      /line 3: .*there is no field rety at column 10 .*\n→ fields: .*retry_rate/,
    ],
    ['a field of groups', `${RULE}clear = "pid == 1"`, /line 4: rule\[0\]\.clear .*no field pid/],
    [
      'a field of the host in a group',
      `${RULE}group_by = "process"\nclear = "dropped == 0"`,
      /no field dropped.*\n→ fields: comm, pid/,
    ],
    ['no condition at all', '[[rule]]\nname = "a"\nwhen = "retry_rate + 1"', /it gives a double, not true or false/],
    ['nothing to read', '[[rule]]\nname = "a"\nwhen = "1 < 2"', /it reads no field/],
    [
      'a pattern that is none',
      `${RULE}group_by = "process"\nclear = 'comm.matches("(((") && retry_rate > 0'`,
      /line 5: .*Unterminated group at column 14/,
    ],
    ['a pattern of the moment', `${RULE}group_by = "process"\nclear = 'comm.matches(comm)'`, /not known beforehand/],
    ['a constant that fails', `${RULE}clear = 'retry_rate > double(1 / 0)'`, /division by zero/],
    ['a time that is none', `${RULE}clear = 'retry_rate > 0 && duration("x") < duration("1s")'`, /Invalid duration/],
    ['broken CEL', '[[rule]]\nname = "a"\nwhen = "retry_rate >"', /line 3: .*Unexpected token.*\n→ write it in CEL/],
    ['types that do not fit', `${RULE}group_by = "process"\nclear = "comm > 1"`, /no such overload: string > int/],
    [
      'an action without type',
      '[[action]]\non = ["firing"]',
      /line 1: action\[0\]\.type is missing\n→ one of log, exec/,
    ],
    [
      'a relative program',
      '[[action]]\ntype = "exec"\nargv = ["sh"]',
      /line 3: action\[0\]\.argv begins with "sh"\n→ .*absolute path/,
    ],
    [
      'a shell line',
      '[[action]]\ntype = "exec"\nargv = "/bin/sh -c x"',
      /argv is "\/bin\/sh -c x"\n→ it must be a list of strings/,
    ],
    [
      'a negative uid',
      '[[action]]\ntype = "exec"\nargv = ["/bin/true"]\nuid = -1',
      /line 4: action\[0\]\.uid is -1\n→ .*from 0/,
    ],
    ['another protocol', '[[action]]\ntype = "webhook"\nurl = "ftp://x"', /line 3: .*url is "ftp:\/\/x"/],
    [
      'a password in an address',
      '[[action]]\ntype = "webhook"\nurl = "http://u:p@x/"',
      /url holds a user or a password/,
    ],
    [
      'a header',
      '[[action]]\ntype = "webhook"\nurl = "http://x/"\nheaders = { "a b" = "c" }',
      /line 4: .*headers holds/,
    ],
    [
      'a rule that is none',
      `${RULE}[[action]]\ntype = "log"\nrules = ["b"]`,
      /line 6: action\[0\]\.rules holds "b"\n→ it may hold "a"/,
    ],
    ['a key of another action', '[[action]]\ntype = "log"\nurl = "http://x/"', /line 3: action\[0\]\.url is not known/],
  ];
  for (const [what, text, error] of REFUSED) it(`are refused for ${what}`, () => assert.match(refusal(text), error));

  it('of the default set are those that are promised, and say what each is about', async () => {
    const rules = await loadRules();
    assert.deepEqual(
      rules.map(({ name }) => name),
      [
        'retry-fallbacks',
        'avoidable-retries',
        'folio-wait',
        'stuck-fault',
        'writer-stall',
        'mmap-lock-blocked',
        'priority-inversion',
        'unknown-causes',
        'records-dropped',
        'runs-missed',
        'invariant-violated',
      ],
    );
    for (const { name, summary } of rules) assert.notEqual(summary, name);
    assert.ok(wantsCheck(rules));
    assert.ok(!wantsCheck(rules.filter(({ name }) => name !== 'invariant-violated')));
  });

  it('that are not there are said to be missing', async () => {
    await assert.rejects(loadRules('/nowhere/rules.toml'), /cannot read \/nowhere\/rules\.toml: no such file/);
  });

  it('and all they can read are documented', async () => {
    const text = await readFile(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
    for (const { name } of await loadRules()) assert.ok(text.includes(`\`${name}\``), name);
    for (const groupBy of [null, 'process', 'cgroup', 'cause'] as const)
      for (const field of fieldTypes(groupBy).keys()) {
        const folded = field.replace(/_wait_(p99_seconds|max_seconds|rate)$/, '_wait');
        assert.ok(text.includes(`\`${field}\``) || text.includes(`\`${folded}\``), field);
      }
    assert.ok(DEFAULT_RULES.endsWith('share/alerts/default.toml'));
  });
});

describe('actions', () => {
  it('are read with their defaults', () => {
    assert.deepEqual(actions('[[action]]\ntype = "exec"\nargv = ["/bin/true", "x"]\ntimeout = "2s"\nuid = 65534'), [
      {
        type: 'exec',
        on: ['firing', 'resolved'],
        minSeverity: 'info',
        rules: null,
        perMinute: 10,
        argv: ['/bin/true', 'x'],
        timeoutMs: 2000,
        uid: 65534,
        gid: null,
      },
    ]);
    assert.deepEqual(actions('[[action]]\ntype = "flight-recorder"\nrules = ["a"]')[0], {
      type: 'flight-recorder',
      on: ['firing'],
      minSeverity: 'info',
      rules: ['a'],
      perMinute: 10,
    });
  });
});

describe('expressions', () => {
  const test = (source: string, known: Record<string, number>): boolean | null =>
    compileCondition(source, null).test(known);

  it('take whole numbers beside figures', () => {
    for (const source of [
      'retry_rate == 2',
      '2 == retry_rate',
      'retry_rate * 60 > 100',
      '60 * retry_rate == 120',
      'retry_rate - 1 == 1.0',
      'retry_rate / 2 == 1',
      'retry_rate != 3',
    ])
      assert.equal(test(source, { retry_rate: 2 }), true, source);
  });

  it('tell what can be told without a field, and nothing else', () => {
    const both = 'retry_ratio > 0.5 && retry_rate > 10';
    assert.equal(test(both, { retry_rate: 5 }), false);
    assert.equal(test(both, { retry_rate: 50 }), null);
    assert.equal(test(both, {}), null);
    const either = 'retry_ratio > 0.5 || retry_rate > 10';
    assert.equal(test(either, { retry_rate: 50 }), true);
    assert.equal(test(either, { retry_rate: 5 }), null);
    assert.equal(test('!(retry_ratio > 0.5)', {}), null);
  });
});
