// SPDX-License-Identifier: MIT
/** The Waits view: each kind with its percentiles, its latency over time, and how long mmap_lock was asked for. */

import { formatCount, formatDuration, formatShare } from '../present/format.js';
import { bar, type Line, lineWidth, pad, sanitise, seg } from '../present/text.js';
import { WAIT_FACTS, WAIT_KINDS, type WaitKind } from '../vocabulary/waits.js';
import { BOX_COLUMNS, BOX_ROWS } from './frame.js';
import { heatMap } from './heat.js';
import { above, type Block, beside, panel } from './layout.js';
import type { Figures } from './list.js';
import { listBox, rowsOf } from './list-box.js';
import { listState } from './state.js';

/** The kind whose heat map shows: that of the selected row. */
function chosenKind(figures: Figures): WaitKind {
  const rows = rowsOf('waits', figures);
  const { key, selected } = listState(figures.state, 'waits');
  const id = key ?? rows.keyAt(Math.min(selected, rows.count - 1)) ?? 'folio';
  const kind = WAIT_KINDS.find((known) => known === id);
  return kind ?? (id === 'mmapLockQueued' ? 'mmapLock' : 'folio');
}

function heatPanel(figures: Figures, width: number, height: number): Block {
  const kind = chosenKind(figures);
  const timeline = figures.now.timeline[figures.state.axis];
  const { lines, legend } = heatMap(timeline, kind, width - BOX_COLUMNS, height - BOX_ROWS);
  const title = [seg(`Length of waits: ${WAIT_FACTS[kind].title}`, 'strong')];
  return panel({ title, info: legend === '' ? [] : [seg(legend, 'dim')] }, lines, width, height);
}

const DECADES = ['< 1 µs', '< 10 µs', '< 100 µs', '< 1 ms', '< 10 ms', '< 100 ms', '< 1 s', '≥ 1 s'];

function decadePanel({ now }: Figures, width: number, height: number): Block {
  const title = [seg('mmap_lock asked for', 'strong')];
  const { read, write, tryFailed, known } = now.mmapLock;
  if (!known) {
    const why = ['not observed: the', 'mmap_lock tracepoints', 'are not attached'];
    return panel(
      { title },
      why.map((text) => [seg(text, 'dim')]),
      width,
      height,
    );
  }
  const inner = width - BOX_COLUMNS;
  const sides = [read, write] as const;
  const most = Math.max(1, ...sides.flatMap((side) => side.decades));
  const room = Math.floor((inner - 9 - 2 * 7) / 2);
  const cell = (count: number): Line => [
    seg(pad(formatCount(count), 6, 'right'), count === 0 ? 'dim' : 'plain'),
    seg(` ${room > 1 ? bar(count === 0 ? 0 : Math.log1p(count) / Math.log1p(most), room) : ''}`, 'kernel'),
  ];
  const head = pad('took', 9) + pad('read', 6, 'right') + ' '.repeat(Math.max(0, room) + 1) + pad('write', 6, 'right');
  const rows = DECADES.map(
    (name, i): Line => [seg(pad(name, 9)), ...sides.flatMap((side) => cell(side.decades[i] ?? 0))],
  );
  const sums: Line[] = [
    [
      seg(pad('sum', 9), 'dim'),
      ...sides.flatMap((side) => [
        seg(pad(formatDuration(side.waitNs), 8, 'right')),
        seg(' '.repeat(Math.max(0, room - 1))),
      ]),
    ],
    [seg('trylocks failed ', 'dim'), seg(formatCount(tryFailed))],
  ];
  return panel({ title }, [[seg(head, 'head')], ...rows, ...sums], width, height);
}

const HELD = [
  ['vma', 'VMA lock'],
  ['mmap', 'mmap_lock'],
  ['none', 'none'],
  ['unknown', 'unknown'],
] as const;

/** Which lock was held during the waits: time under a lock is what others may stand behind. */
function heldPanel({ now }: Figures, width: number, height: number): Block {
  const total = HELD.reduce((sum, [id]) => sum + now.held[id].sumNs, 0);
  const inner = width - BOX_COLUMNS;
  const room = inner - 10 - 7 - 9 - 7 - 1;
  const body = HELD.map(([id, name]): Line => {
    const { count, sumNs } = now.held[id];
    const share = sumNs / (total || Number.NaN);
    const style = count === 0 ? 'dim' : 'plain';
    const line: Line = [
      seg(pad(name, 10), style),
      seg(pad(formatCount(count), 7, 'right'), style),
      seg(pad(formatDuration(sumNs), 9, 'right'), style),
      seg(pad(formatShare(share), 7, 'right'), style),
    ];
    return room >= 3 ? [...line, seg(' '), seg(bar(share, room), 'kernel')] : line;
  });
  return panel({ title: [seg('Lock held during waits', 'strong')] }, body, width, height);
}

/** What backs the swap faults: a synchronous device (zram) is waited for with the lock held, others without. */
function devicePanel({ now }: Figures, width: number, height: number): Block {
  const { devices, synchronous, asynchronous } = now.swap;
  const n = formatCount;
  const body: Line[] = devices.flatMap((device): Line[] => {
    const { folioWait } = device;
    const counts = seg(`  ${n(device.faults)} faults, ${n(device.reads)} reads, ${n(device.retries)} retries`);
    const wait = seg(folioWait.count > 0 ? `  folio lock p99 ${formatDuration(folioWait.p99Ns)}` : '', 'dim');
    const fits = lineWidth([counts, wait]) <= width - BOX_COLUMNS;
    return [
      [
        seg(`${device.type} ${sanitise(device.name || '(name not known)')}`, 'strong'),
        seg(device.synchronous ? '  synchronous' : '  asynchronous', 'dim'),
      ],
      ...(fits || wait.text === '' ? [[counts, wait]] : [[counts], [wait]]),
    ];
  });
  if (devices.length === 0) body.push([seg('none was faulted from', 'dim')]);
  const info = [seg(`${n(synchronous)} sync  ${n(asynchronous)} async`, 'dim')];
  return panel({ title: [seg('Swap devices', 'strong')], info }, body, width, height);
}

/** Rows the two panels beside the list need. */
const HELD_ROWS = 6;
const DEVICE_ROWS = 4;

export function waitsView(figures: Figures, width: number, height: number): Block {
  const lower = Math.max(11, Math.floor(height * 0.5));
  const upper = height - lower;
  const side = Math.min(58, Math.max(30, Math.floor(width * 0.38)));
  return above(
    upperHalf(figures, width, upper),
    beside(heatPanel(figures, width - side, lower), decadePanel(figures, side, lower)),
  );
}

/** The list needs 80 columns; what is beyond them shows what the waits were under, and for which device. */
function upperHalf(figures: Figures, width: number, height: number): Block {
  if (width < 120) return listBox('waits', figures, width, height);
  const room = Math.min(58, width - 80);
  const devices = height - HELD_ROWS >= DEVICE_ROWS;
  const held = heldPanel(figures, room, devices ? HELD_ROWS : height);
  const beyond = devices ? above(held, devicePanel(figures, room, height - HELD_ROWS)) : held;
  return beside(listBox('waits', figures, width - room, height), beyond);
}
