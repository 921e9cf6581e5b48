// SPDX-License-Identifier: MIT
/** Two changes made on a copy of the tree, as those of changes.test.ts: another export format, another architecture. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { longOnly } from '../long.js';
import { Change, run, wrong } from './copied-tree.js';

const ARCH = 'src/core/vocabulary/arch.ts';
const clang = spawnSync('clang', ['--version']).status === 0;

test('an export format: a file and a row, and the command line has it', { skip: longOnly }, () => {
  const change = new Change();
  const FORMATS = 'src/export/formats.ts';
  change.edit(
    FORMATS,
    '  perfetto: {',
    `  lines: {
    binary: false,
    make: async ({ output }: Wanted): Promise<Exporter> => (await import('./tables/lines.js')).linesExporter(output),
  },
`,
  );
  change.write(
    'src/export/tables/lines.ts',
    `// SPDX-License-Identifier: MIT
/** One line a lifecycle: its length, ns. */
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Output } from '../../output/output.js';
import type { Exporter } from '../base/exporter.js';

class Lines implements Exporter {
  rows = 0;
  readonly #output: Output;
  #lines = '';

  constructor(output: Output) {
    this.#output = output;
  }

  batch(): void {}

  lifecycle({ first, last }: Lifecycle): void {
    this.rows++;
    this.#lines += \`\${last - first}\\n\`;
  }

  async drain(): Promise<void> {
    await this.#output.write(Buffer.from(this.#lines));
    this.#lines = '';
  }

  finish(): Promise<void> {
    return this.drain();
  }
}

export function linesExporter(output: Output): Exporter {
  return new Lines(output);
}
`,
  );
  assert.deepEqual(wrong(), [FORMATS], 'a row that does not say what --table and --weight mean to it');
  change.edit(FORMATS, '    binary: false,\n    make: async ({ output }: Wanted)', '    of: null,\n');
  assert.deepEqual(wrong(), []);
  const main = (...args: string[]): string => {
    const { status, output } = run(process.execPath, 'dist/cli/main.js', ...args);
    assert.equal(status, 0, output);
    return output;
  };
  assert.match(main('export', '--help'), /"lines", *"perfetto"/);
  assert.match(main('completion', 'bash'), /\blines perfetto\b/);
  const lines = main('export', '-f', 'lines', '-o', '-', 'test/golden/mixed-7.3.vmlt').match(/^\d+$/gm);
  const stat = JSON.parse(main('stat', '--json', 'test/golden/mixed-7.3.vmlt'));
  assert.equal(lines?.length, stat.lifecycles.total);
  assert.deepEqual(change.files, [FORMATS, 'src/export/tables/lines.ts']);
  change.undo();
});

test('another architecture: clang and the table of layouts name what it lacks', {
  skip: longOnly || (clang ? false : 'clang is not installed'),
}, () => {
  const change = new Change();
  const HEADER = 'bpf/arch.bpf.h';
  /** Where clang stops, compiling the programs for RISC-V; null where it does not. */
  const stops = (): string | null => {
    const flags = [
      '-g',
      '-O2',
      '-Wall',
      '-Werror',
      '-Wfatal-errors',
      '-target',
      'bpf',
      '-D__TARGET_ARCH_riscv',
      '-mcpu=v3',
    ];
    const { status, output } = run('clang', ...flags, '-c', 'bpf/vmalocktop.bpf.c', '-o', 'riscv.o');
    const file = /^(?:\S*\/)?(bpf\/\S+?):\d+:\d+: (?:fatal )?error/m.exec(output)?.[1] ?? null;
    assert.equal(status === 0, file === null, output);
    return file;
  };
  const pte = (): unknown =>
    JSON.parse(
      run(
        process.execPath,
        '--input-type=module',
        '-e',
        `const { layoutOf, pteKind } = await import('./dist/src/core/vocabulary/arch.js');
        console.log(JSON.stringify([layoutOf('riscv64') !== null, pteKind(1n << 7n, 'riscv64')]));`,
      ).output,
    );
  assert.equal(stops(), HEADER);
  change.edit(
    HEADER,
    '#else\n#error',
    `#elif defined(__TARGET_ARCH_riscv)
struct pt_regs {
	unsigned long a0, a1, a2, a7, status, orig_a0;
} __core;
#define REGS_ARG1(r) ((r)->a0)
#define REGS_ARG2(r) ((r)->a1)
#define REGS_ARG3(r) ((r)->a2)
#define REGS_RET(r) ((r)->a0)
#define SYSCALL_NR(r) ((r)->a7)
#define SYSCALL_FD(r) ((r)->orig_a0)
#define SYSCALL_READS(nr) ((nr) == 29 || ((nr) >= 63 && (nr) <= 65) || (nr) == 67 || (nr) == 69)
#define PAGE_MASK (~0xfffull)
static __attribute__((always_inline)) inline bool regs_user_mode(const struct pt_regs *regs)
{
	unsigned long status = 0x100;

	bpf_core_read(&status, sizeof status, &regs->status);
	return (status & 0x100) == 0;
}
`,
  );
  assert.equal(stops(), null);
  assert.deepEqual(pte(), [false, 'unknown'], 'without a layout, what a PTE says is not known');
  change.edit(ARCH, '  aarch64: {\n', '  riscv64: {\n    swapTypeShift: 7n,\n  },\n');
  assert.deepEqual(wrong(), [ARCH], 'a layout without the flags of a signal');
  change.edit(ARCH, '    swapTypeShift: 7n,\n', '    signalFlags: () => 1 << 2,\n', 'behind');
  assert.deepEqual(wrong(), []);
  assert.deepEqual(pte(), [true, 'swap']);
  assert.deepEqual(change.files, [HEADER, ARCH]);
  change.undo();
});
