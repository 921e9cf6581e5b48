// SPDX-License-Identifier: MIT
/** Writes API.md from the docstrings of what index.ts exports: node dist/test/api-doc.js [--check] */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const read = (name: string): string => readFileSync(file(name), 'utf8');

/** Top-level declarations of a .d.ts by name, each with the comment before it: to the line that closes it at the margin. */
function declarations(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let comment: string[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const name = /^export (?:declare )?(?:class|interface|type|const|function) (\w+)/.exec(line)?.[1];
    if (name === undefined) {
      comment = /^(\/\*\*| \*)/.test(line) ? [...comment, line] : [];
      continue;
    }
    const from = i;
    if (/[{(]$/.test(line)) while (!/^[})](?!.*[{(]$)/.test(lines[i] as string)) i++;
    const declaration = [...comment, ...lines.slice(from, i + 1)].join('\n');
    found.set(name, found.has(name) ? `${found.get(name)}\n${declaration}` : declaration);
    comment = [];
  }
  return found;
}

/** What is private or internal is nobody's business, and blank lines are left out. */
function shown(declaration: string): string {
  return declaration
    .replace(/^( *)\/\*\* @internal(?:(?!\*\/)[\s\S])*\*\/\n\1\S[^\n]*\n(?:\1 +[^\n]*\n|\1\}[^\n]*\n)*/gm, '')
    .replace(/^ *(#private|private [^\n]*);\n/gm, '')
    .replace(/^export (declare )?/gm, '')
    .trim();
}

export function apiDoc(): string {
  const parts = ['# API of ebpf-ts\n', 'Written from the docstrings by `node dist/test/api-doc.js`.\n'];
  for (const [, names = '', module = ''] of read('../../src/index.ts').matchAll(
    /export (?:type )?\{([^}]*)\} from '\.\/([\w-]+)\.js'/g,
  )) {
    const of = declarations(read(`../src/${module}.d.ts`));
    for (const name of names
      .split(',')
      .map((n) => n.replace('type', '').trim())
      .filter((n) => n !== '')) {
      const declaration = of.get(name);
      if (declaration === undefined) throw new Error(`${module}.d.ts: no declaration of ${name}`);
      parts.push(`## ${name}\n`, `\`\`\`ts\n${shown(declaration)}\n\`\`\`\n`);
    }
  }
  return parts.join('\n');
}

const target = file('../../API.md');
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, apiDoc());
