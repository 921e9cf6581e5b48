// SPDX-License-Identifier: MIT
/** The configuration as a JSON Schema (2020-12): for editors, and for programs that write such files. */
import { KEYS } from './config.js';
import type { Key } from './config-kinds.js';
import { fileName } from './read-config.js';

type Tables = Readonly<Record<string, Readonly<Record<string, Key<unknown>>>>>;

/** `[[rule]]` and `[[action]]` are described in words alone: their fields depend on each other. */
const LISTS: Readonly<Record<string, string>> = {
  rule: 'alert rules, in place of the default ones: docs/alerts.md',
  action: 'what is done when a rule fires or is over: docs/alerts.md',
};

export function configSchema(): object {
  const tables = Object.entries(KEYS as Tables).map(([table, keys]) => [
    table,
    {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(keys).map(([name, { kind, help, reloadable }]) => [
          fileName(name),
          { ...kind.schema, description: `${help} (${kind.allowed})${reloadable ? '; reloadable' : ''}` },
        ]),
      ),
    },
  ]);
  const lists = Object.entries(LISTS).map(([name, description]) => [
    name,
    { type: 'array', items: { type: 'object' }, description },
  ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'vmalocktop daemon',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries([...tables, ...lists]),
  };
}
