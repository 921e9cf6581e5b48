// SPDX-License-Identifier: MIT
/**
 * The terminal. The only file that knows blessed: it hands blessed finished lines and gets keys and sizes back,
 * so blessed is here a screen differ (smart scrolling regions, only the changed cells are written) and a key decoder.
 */
import type { Readable, Writable } from 'node:stream';
import blessed, { type Widgets } from 'blessed';
import lineChart from 'blessed-contrib/lib/widget/charts/line.js';
import type { Chart } from '../../src/core/view/layout.js';
import type { View } from '../../src/core/view/view.js';
import { type Colours, chartColour, coloursFor, paint } from './theme.js';

export interface ScreenOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Name of the terminal; TERM by default. */
  readonly term?: string;
  /** Overrides what the terminal and NO_COLOR say. */
  readonly colours?: Colours;
}

interface Tty {
  isRaw?: boolean;
  setRawMode?(raw: boolean): void;
  columns?: number;
  rows?: number;
}

interface MouseEvent {
  readonly action: string;
  readonly button: string;
  readonly x: number;
  readonly y: number;
}

type LineChart = ReturnType<typeof lineChart>;

/** Presses and the wheel alone, in the encoding that has no limit of columns: motion would flood a slow line. */
const MOUSE = { vt200Mouse: true, sgrMouse: true };

/** What blessed has and its types lack. */
interface Untyped {
  program: {
    tput: { colors: number; brokenACS: boolean };
    bindMouse(): void;
    setMouse(modes: object, enable: boolean): void;
    disableMouse(): void;
    flush(): void;
  };
  leave(): void;
  enter(): void;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are removed
const SGR = /\x1b\[[\d;]*m/g;

const Y_LABELS = 4;
/** The chart loses its topmost dots above the maximum. */
const HEADROOM = 1.15;

/** Close together, so that a curve fills its chart; labels stay whole numbers. */
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8];

/** The least of these times a power of ten that is no less than `value`. */
function roundStep(value: number): number {
  if (!(value > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const whole = STEPS.filter((n) => Number.isInteger(n * power));
  return power * (whole.find((n) => n * power >= value) ?? 10);
}

export class Screen {
  readonly colours: Colours;
  private readonly screen: Widgets.Screen;
  private readonly untyped: Untyped;
  private readonly frame: Widgets.BoxElement;
  private readonly input: Readable & Tty;
  private readonly charts: { at: string; widget: LineChart }[] = [];
  private readonly output: Writable;
  private mouse = false;
  private closed = false;

  constructor(options: ScreenOptions) {
    this.input = options.input;
    this.output = options.output;
    this.screen = blessed.screen({
      input: options.input,
      output: options.output,
      terminal: knownTerm(options.term ?? process.env.TERM ?? 'xterm'),
      smartCSR: true,
      fullUnicode: true,
      // The locale of a root shell often says C while the terminal draws UTF-8 well.
      forceUnicode: true,
      // blessed's own exit and debug keys and cursor shapes are not used.
      ignoreLocked: [],
      warnings: false,
    } as unknown as Widgets.IScreenOptions);
    this.untyped = this.screen as unknown as Untyped;
    const { tput } = this.untyped.program;
    // Box characters as themselves, not as the alternate character set: that is what tmux captures and fonts align.
    tput.brokenACS = true;
    this.colours = options.colours ?? coloursFor(tput.colors, process.env);
    // No tags and no wrap: a brace in a comm is a brace, and every line is already as wide as the screen.
    this.frame = blessed.box({
      parent: this.screen,
      top: 0,
      left: 0,
      width: '100%',
      height: '100%',
      tags: false,
      wrap: false,
    });
  }

  get width(): number {
    return Number(this.screen.width);
  }

  get height(): number {
    return Number(this.screen.height);
  }

  /** Calls back with blessed's name of a key (`C-c`, `up`, `S-tab`) and the character it types, if any. */
  onKey(handler: (name: string, char: string) => void): void {
    this.screen.program.on('keypress', (char: string | undefined, key: { full?: string }) => {
      handler(key.full ?? char ?? '', char ?? '');
    });
  }

  /** Calls back with the cell of a press of the left button, or of a turn of the wheel: -1 up, 1 down. */
  onMouse(handler: (x: number, y: number, wheel: -1 | 0 | 1) => void): void {
    this.untyped.program.bindMouse();
    this.untyped.program.setMouse({ ...MOUSE }, true);
    this.screen.program.on('mouse', ({ action, button, x, y }: MouseEvent) => {
      if (action === 'wheelup' || action === 'wheeldown') handler(x, y, action === 'wheelup' ? -1 : 1);
      else if (action === 'mousedown' && button === 'left') handler(x, y, 0);
    });
    this.mouse = true;
  }

  bell(): void {
    this.untyped.program.flush();
    this.output.write('\x07');
  }

  /** Sends text to the clipboard of the terminal (OSC 52); whether it takes it, it does not say. */
  copy(text: string): void {
    this.untyped.program.flush();
    this.output.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
  }

  onResize(handler: () => void): void {
    this.screen.on('resize', handler);
  }

  draw(view: View): void {
    if (this.closed) return;
    this.frame.setContent(view.lines.map((line) => paint(line, this.colours)).join('\n'));
    view.charts.forEach((chart, i) => {
      this.drawChart(i, chart);
    });
    for (const { widget } of this.charts.splice(view.charts.length)) widget.destroy();
    this.screen.render();
  }

  private drawChart(index: number, chart: Chart): void {
    const at = `${chart.left} ${chart.top} ${chart.width} ${chart.height} ${chart.style}`;
    let entry = this.charts[index];
    if (entry?.at !== at) {
      entry?.widget.destroy();
      entry = { at, widget: this.createChart(chart) };
      this.charts[index] = entry;
    }
    const y = chart.values.slice();
    if (y.length === 0) y.push(0);
    // Without a maximum the chart divides by the greatest value, and that may be 0; and its own scale is not round.
    entry.widget.options.maxY = Y_LABELS * roundStep((Math.max(...y) * HEADROOM) / Y_LABELS);
    entry.widget.setData([{ x: y.map(() => ' '), y }]);
  }

  private createChart(chart: Chart): LineChart {
    const widget = lineChart({
      screen: this.screen,
      // A dot too many at the right edge must not push the rows below it down.
      wrap: false,
      left: chart.left,
      top: chart.top,
      width: chart.width,
      height: chart.height,
      numYLabels: Y_LABELS,
      style: { line: chartColour(chart.style, this.colours), text: 'white', baseline: 'white' },
    });
    // A cell is two by four dots. The chart keeps room for a border, and two rows for labels below, that it does not have here.
    widget.calcSize = function calcSize(this: LineChart): void {
      this.canvasSize = { width: chart.width * 2, height: (chart.height + 2) * 4 };
    };
    if (this.colours === 0) {
      const setContent = widget.setContent.bind(widget);
      widget.setContent = (text: string): void => setContent(text.replace(SGR, ''));
    }
    this.screen.append(widget);
    return widget;
  }

  /** Gives the terminal back as it was, to be entered again. */
  leave(): void {
    if (this.closed) return;
    if (this.mouse) this.untyped.program.disableMouse();
    this.untyped.leave();
    if (this.input.isRaw !== undefined) this.input.setRawMode?.(false);
    this.input.pause();
  }

  enter(): void {
    if (this.closed) return;
    if (this.input.isRaw !== undefined) this.input.setRawMode?.(true);
    this.input.resume();
    this.untyped.enter();
    if (this.mouse) this.untyped.program.setMouse({ ...MOUSE }, true);
    // Everything is drawn again: whatever ran meanwhile wrote over it.
    this.screen.alloc();
  }

  /** Leaves for good. May be called again, and from an exit handler: it is synchronous. */
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.mouse) this.untyped.program.disableMouse();
    this.screen.destroy();
    if (this.input.isRaw === true) this.input.setRawMode?.(false);
    this.input.pause();
  }
}

/**
 * blessed compiles terminfo itself and chokes, loudly, on extended capabilities of current ncurses entries
 * (`Setulc` of xterm-256color, of tmux-256color). The sequences used here are those of xterm in all of these.
 */
function knownTerm(term: string): string {
  if (/^(linux|xterm)$/.test(term)) return term;
  return /256|direct|kitty|ghostty|alacritty|wezterm|foot/.test(term) ? 'xterm-256color' : term;
}
