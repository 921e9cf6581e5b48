// SPDX-License-Identifier: MIT
/**
 * The part of Helm's template language that the chart uses: `if`, `with`, paths, `toYaml`, `toJson`, `quote`, `default`,
 * `nindent`, `.Files.Get`. Anything else throws, so that the chart does not outgrow what is checked.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The names `.Values`, `.Release`, `.Chart` lead to. */
export type Root = Readonly<Record<string, unknown>>;

type Yaml = (value: unknown) => string;

interface Token {
  readonly text?: string;
  readonly code?: string;
}

/** Text and actions in turn; `{{-` and `-}}` take the white space beside them (text/template, "Text and spaces"). */
function tokens(source: string): readonly Token[] {
  const out: Token[] = [];
  let at = 0;
  let trimmed = false;
  const text = (end: number, trim: boolean): void => {
    const plain = source.slice(at, end);
    const left = trimmed ? plain.trimStart() : plain;
    out.push({ text: trim ? left.trimEnd() : left });
  };
  for (const match of source.matchAll(/\{\{(-?)\s*(.*?)\s*(-?)\}\}/gs)) {
    const [whole, before, code = '', after] = match;
    text(match.index, before === '-');
    out.push({ code });
    at = match.index + whole.length;
    trimmed = after === '-';
  }
  text(source.length, false);
  return out;
}

export class Template {
  readonly #directory: string;
  readonly #yaml: Yaml;

  /** `directory`: of the chart, for `.Files.Get`. */
  constructor(directory: string, yaml: Yaml) {
    this.#directory = directory;
    this.#yaml = yaml;
  }

  render(source: string, root: Root): string {
    const rest = [...tokens(source)];
    const text = this.#block(rest, root, root);
    if (rest.length > 0) throw new Error('more ends than beginnings');
    return text;
  }

  #block(rest: Token[], root: Root, dot: unknown, shown = true): string {
    let out = '';
    for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
      const { text, code } = token;
      if (code === undefined) {
        out += text;
        continue;
      }
      if (code === 'end') return shown ? out : '';
      const [, word, condition] = /^(if|with) (.*)$/.exec(code) ?? [];
      if (condition === undefined) {
        if (shown) out += String(this.#pipeline(code, root, dot));
        continue;
      }
      const value = shown ? this.#pipeline(condition, root, dot) : null;
      out += this.#block(rest, root, word === 'with' ? value : dot, shown && isTrue(value));
    }
    return out;
  }

  #pipeline(code: string, root: Root, dot: unknown): unknown {
    const [first = '', ...filters] = code.split(' | ');
    return filters.reduce(
      (value: unknown, filter) => this.#filter(filter, value, root, dot),
      this.#term(first, root, dot),
    );
  }

  #term(code: string, root: Root, dot: unknown): unknown {
    if (code.startsWith('toYaml ')) return this.#yaml(this.#term(code.slice(7), root, dot)).trimEnd();
    const file = /^\.Files\.Get "([^"]+)"$/.exec(code)?.[1];
    if (file !== undefined) return readFileSync(join(this.#directory, file), 'utf8');
    if (code === '.') return dot;
    if (!/^(\.\w+)+$/.test(code)) throw new Error(`not known here: ${code}`);
    return code
      .slice(1)
      .split('.')
      .reduce((value: unknown, name) => {
        if (typeof value !== 'object' || value === null || !(name in value)) throw new Error(`there is no ${code}`);
        return (value as Root)[name];
      }, root);
  }

  #filter(code: string, value: unknown, root: Root, dot: unknown): unknown {
    const [name = '', argument = ''] = code.split(' ');
    switch (name) {
      case 'nindent':
        return `\n${String(value).replace(/^/gm, ' '.repeat(Number(argument)))}`;
      case 'quote':
      case 'toJson':
        return JSON.stringify(name === 'quote' ? String(value) : value);
      case 'default':
        return isTrue(value) ? value : this.#term(argument, root, dot);
      default:
        throw new Error(`not known here: ${code}`);
    }
  }
}

/** As `if` of text/template has it: false, 0, nil, and what is empty, are not. */
function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
