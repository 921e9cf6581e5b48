// SPDX-License-Identifier: MIT
/** A dashboard on streams, seen through a real terminal emulator: what the cells hold in the end. */
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import xterm from '@xterm/headless';
import type { DashboardOptions } from '../../cli/tui/context.js';
import { Dashboard } from '../../cli/tui/dashboard.js';
import { patience } from '../pace.js';

export interface Harness {
  readonly dashboard: Dashboard;
  /** What `onQuit` was called with. */
  readonly quits: (string | null)[];
  readonly intervals: number[];
  /** Types keys, waits until they are drawn. */
  type(...keys: string[]): Promise<void>;
  /** Waits until the screen shows it; fails after a minute: the machine may be busy. */
  until(pattern: RegExp): Promise<void>;
  /** Presses the left button on a cell, or turns the wheel over it. */
  click(x: number, y: number): Promise<void>;
  wheel(x: number, y: number, turn: -1 | 1): Promise<void>;
  /** Waits for the frame in flight. */
  settle(): Promise<void>;
  /** `wait`: until the screen of that size is drawn. */
  resize(columns: number, rows: number, wait?: boolean): Promise<void>;
  lines(): string[];
  text(): string;
  /** Colour modes of all cells: 0 when each has the default colours. */
  colouredCells(): number;
  /** Everything written. */
  written(): string;
  /** The screen with its colours, as SGR sequences. */
  ansi(): string;
  close(): void;
}

type BufferLine = ReturnType<xterm.Terminal['buffer']['active']['getLine']>;

function ansiLine(line: BufferLine, columns: number): string {
  let out = '';
  let open = '';
  for (let x = 0; x < columns; x++) {
    const cell = line?.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const codes: string[] = [];
    if (cell.isBold() !== 0) codes.push('1');
    if (cell.isUnderline() !== 0) codes.push('4');
    if (cell.isInverse() !== 0) codes.push('7');
    if (cell.isFgPalette()) codes.push(`38;5;${cell.getFgColor()}`);
    if (cell.isBgPalette()) codes.push(`48;5;${cell.getBgColor()}`);
    const code = codes.join(';');
    if (code !== open) out += code === '' ? '\x1b[0m' : `\x1b[0m\x1b[${code}m`;
    open = code;
    out += cell.getChars() || ' ';
  }
  return `${out}\x1b[0m`;
}

export async function open(columns: number, rows: number, options: Partial<DashboardOptions> = {}): Promise<Harness> {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const output = Object.assign(new PassThrough(), { columns, rows, isTTY: true });
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode(raw: boolean): void {
      this.isRaw = raw;
    },
  });
  let written = '';
  output.on('data', (chunk: Buffer) => {
    written += chunk.toString();
    terminal.write(chunk);
  });
  const quits: (string | null)[] = [];
  const intervals: number[] = [];
  const dashboard = new Dashboard({
    input,
    output,
    term: 'xterm-256color',
    colours: 256,
    mode: 'live',
    intervalMs: 1000,
    onQuit: (signal) => quits.push(signal),
    onInterval: (ms) => intervals.push(ms),
    ...options,
  });
  const drained = (): Promise<void> => new Promise((resolve) => terminal.write('', resolve));
  const settle = async (): Promise<void> => {
    // Input and output pass through streams: on a busy machine that takes more than a turn or two.
    const held = (): number =>
      input.writableLength + input.readableLength + output.writableLength + output.readableLength;
    for (let calm = 0; calm < 2; calm++) {
      await delay(5);
      while (dashboard.pending || held() > 0) await delay(5);
      await drained();
    }
  };
  // A blank at the end is the same on the screen whether it was written or never touched.
  const cells = (): string[] =>
    Array.from({ length: terminal.rows }, (_, y) =>
      (terminal.buffer.active.getLine(y)?.translateToString(true) ?? '').trimEnd(),
    );
  const harness: Harness = {
    dashboard,
    quits,
    intervals,
    async type(...keys) {
      for (const key of keys) {
        input.write(key);
        // One chunk a key, as a terminal sends them.
        await delay(5);
      }
      await settle();
    },
    async until(pattern) {
      for (let waited = 0; waited < patience(5000); waited += 50) {
        await drained();
        if (pattern.test(harness.text())) return;
        await delay(50);
      }
      throw new Error(`the screen never showed ${pattern}:\n${harness.text()}`);
    },
    async click(x, y) {
      await harness.type(`\x1b[<0;${x + 1};${y + 1}M\x1b[<0;${x + 1};${y + 1}m`);
    },
    async wheel(x, y, turn) {
      await harness.type(`\x1b[<${turn < 0 ? 64 : 65};${x + 1};${y + 1}M`);
    },
    settle,
    async resize(c, r, wait = true) {
      Object.assign(output, { columns: c, rows: r });
      terminal.resize(c, r);
      output.emit('resize');
      if (!wait) return;
      await delay(400);
      await settle();
    },
    lines: cells,
    text: () => cells().join('\n'),
    colouredCells() {
      let count = 0;
      for (let y = 0; y < terminal.rows; y++) {
        for (let x = 0; x < terminal.cols; x++) {
          const cell = terminal.buffer.active.getLine(y)?.getCell(x);
          if (cell !== undefined && (!cell.isFgDefault() || !cell.isBgDefault())) count++;
        }
      }
      return count;
    },
    written: () => written,
    ansi: () =>
      Array.from({ length: terminal.rows }, (_, y) => ansiLine(terminal.buffer.active.getLine(y), terminal.cols)).join(
        '\n',
      ),
    close: () => dashboard.destroy(),
  };
  await settle();
  return harness;
}
