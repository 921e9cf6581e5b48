// SPDX-License-Identifier: MIT
/** Texts that hold together, so that what is tried lies behind the parsers: configurations by key and value, rules by grammar. */
import { fieldTypes } from '../../src/actions/cel.js';
import { KEYS } from '../../src/daemon/config.js';
import { fileName } from '../../src/daemon/read-config.js';
import { type CaseRandom, oddText } from './random.js';

/** Values of TOML, of every type. */
const VALUES = [
  'true',
  '0',
  '1',
  '-1',
  '17',
  '0x10',
  '1_000',
  '0.5',
  'inf',
  'nan',
  '1e400',
  '9223372036854775807',
  '""',
  '"x"',
  "'''a\nb'''",
  '"127.0.0.1:0"',
  '"[::1]:9"',
  '"http://127.0.0.1/v1/metrics"',
  '"5s"',
  '"1.5m"',
  '"0ms"',
  '"9999999d"',
  '"64K"',
  '"1G"',
  '"retry"',
  '"all"',
  '"/nowhere"',
  '[]',
  '["1"]',
  '["/bin/true", "x"]',
  '["firing", "resolved"]',
  '[1, "a", [true]]',
  '[{ a = 1 }, { a = { b = [2] } }]',
  '{}',
  '{ a = "b", "c.d" = "e" }',
  '{ a = 1, b = { c = [[], {}] } }',
  '1979-05-27T07:32:00Z',
  '07:32:00',
];

const ACTION = [
  'on',
  'rules',
  'severities',
  'per_minute',
  'uid',
  'gid',
  'retries',
  'backoff',
  'timeout',
  'argv',
  'url',
  'headers',
];
const ACTIONS = [
  'type = "log"',
  'type = "exec"\nargv = ["/bin/true"]',
  'type = "webhook"\nurl = "http://127.0.0.1/"',
  'type = "flight-recorder"',
  'type = "x"',
];
const RULE = ['summary', 'for', 'clear_for', 'cooldown', 'severity', 'group_by', 'clear'];

const quote = (text: string): string => JSON.stringify(text);

/** Tables of the daemon with keys they know, and values that may or may not be theirs. */
export function configText(random: CaseRandom): string {
  const tables = Object.entries(KEYS);
  const line = (key: string): string => `${random.one(20) ? quote(oddText(random)) : key} = ${random.pick(VALUES)}\n`;
  const parts: string[] = [];
  for (let n = random.below(3); n > 0; n--) {
    const [table, keys] = random.pick(tables);
    const names = Object.keys(keys).map(fileName);
    // One key, so that it is its value that decides.
    parts.push(`[${table}]\n${line(random.pick(names))}`);
  }
  if (random.one(2))
    parts.push(`[[action]]\n${random.pick(ACTIONS)}\n${random.one(2) ? '' : line(random.pick(ACTION))}`);
  if (random.one(2)) {
    const group = random.pick([null, 'process', 'cgroup'] as const);
    const by = group === null ? '' : `group_by = "${group}"\n`;
    parts.push(
      `[[rule]]\nname = "a"\n${by}when = ${quote(ruleText(random, group))}\n${random.one(2) ? '' : line(random.pick(RULE))}`,
    );
  }
  return parts.join('');
}

type Group = Parameters<typeof fieldTypes>[0];

const PATTERNS = ['^a', '(a+)+$', '(((', '[', '\\\\d{1,3}', '', '\\\\p{L}', '(?<=x)y', '(?i)a'];

/** A condition over the fields of `group`: mostly of the right types, and deep at times. */
export function ruleText(random: CaseRandom, group: Group): string {
  const fields = [...fieldTypes(group)];
  const of = (type: string): string[] => fields.filter(([, its]) => its === type).map(([name]) => name);
  const [doubles, strings] = [of('double'), of('string')];
  const text = (): string =>
    strings.length > 0 && !random.one(3) ? random.pick(strings) : quote(random.pick(['', 'postgres', 'é', '\u202e']));
  const number = (depth: number): string => {
    switch (depth <= 0 ? random.below(3) : random.below(7)) {
      case 0:
        return random.pick(['0', '1', '-1', '100', '9223372036854775807']);
      case 1:
        return random.pick(['0.0', '0.5', '1e3', '1e308', '-0.0']);
      case 2:
        return random.pick(doubles);
      case 3:
        return `size(${text()})`;
      case 4:
        return `(${bool(depth - 1)} ? ${number(depth - 1)} : ${number(depth - 1)})`;
      default:
        return `(${number(depth - 1)} ${random.pick(['+', '-', '*', '/', '%'])} ${number(depth - 1)})`;
    }
  };
  const bool = (depth: number): string => {
    switch (depth <= 0 ? random.below(4) : random.below(9)) {
      case 0:
      case 1:
        return `${number(depth - 1)} ${random.pick(['<', '<=', '>', '>=', '==', '!='])} ${number(depth - 1)}`;
      case 2:
        return `${text()}.${random.pick(['startsWith', 'endsWith', 'contains'])}(${text()})`;
      case 3:
        return random.one(3)
          ? `matches(${text()}, ${quote(random.pick(PATTERNS))})`
          : `${text()}.matches(${random.one(4) ? text() : quote(random.pick(PATTERNS))})`;
      case 4:
        return `!(${bool(depth - 1)})`;
      case 5:
        return `[${number(0)}, ${number(0)}].${random.pick(['exists', 'all', 'exists_one'])}(x, x > ${number(0)} || x.matches("("))`;
      case 6:
        return `(${bool(depth - 1)} ? ${bool(depth - 1)} : ${bool(depth - 1)})`;
      default:
        return `(${bool(depth - 1)} ${random.pick(['&&', '||'])} ${bool(depth - 1)})`;
    }
  };
  return bool(random.one(30) ? 40 : random.below(5));
}
