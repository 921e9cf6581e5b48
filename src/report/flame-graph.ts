// SPDX-License-Identifier: MIT
/**
 * A flame graph without a script: SVG whose frames are links, so that keys, fingers and screen readers reach them. What a
 * link leads to is the frame in words below the graph, which the style sheet shows alone.
 */

import { functionOf } from '../core/events/frames.js';
import { formatDuration, formatExact } from '../core/present/format.js';
import { pathOf, type StackSample } from '../core/present/stack-samples.js';
import { type Html, html } from './html.js';

interface Frame {
  readonly name: string;
  readonly isKernel: boolean;
  ns: number;
  count: number;
  readonly callees: Map<string, Frame>;
}

interface Box {
  readonly frame: Frame;
  readonly depth: number;
  /** Share of the whole before it, and its own. */
  readonly x: number;
  readonly width: number;
}

const ROW = 20;
/** Narrower frames are a pixel of colour on a phone and a stop for the tab key: they are left out, and said to be. */
const MIN_SHARE = 0.005;
const MAX_BOXES = 400;
/** Okabe and Ito's, light enough for dark text. */
const COLOURS = { kernel: '#e8a33d', user: '#7cc7ec', other: '#b8b8b8' } as const;

const frameOf = (name: string, isKernel: boolean): Frame => ({ name, isKernel, ns: 0, count: 0, callees: new Map() });

function tree(samples: readonly StackSample[]): Frame {
  const root = frameOf('all stacks', false);
  for (const sample of samples) {
    const path = pathOf(sample, functionOf);
    const kernelFrom = path.length - sample.kernel.length;
    let at = root;
    root.ns += sample.ns;
    root.count += sample.count;
    for (const [depth, name] of path.entries()) {
      const isKernel = depth >= kernelFrom;
      const key = `${isKernel} ${name}`;
      let next = at.callees.get(key);
      if (next === undefined) {
        next = frameOf(name, isKernel);
        at.callees.set(key, next);
      }
      next.ns += sample.ns;
      next.count += sample.count;
      at = next;
    }
  }
  return root;
}

function layOut(root: Frame): { readonly boxes: readonly Box[]; readonly left: number } {
  const boxes: Box[] = [];
  let left = 0;
  const place = (frame: Frame, depth: number, x: number): void => {
    const width = frame.ns / root.ns;
    if (width < MIN_SHARE || boxes.length >= MAX_BOXES) {
      left++;
      return;
    }
    boxes.push({ frame, depth, x, width });
    let at = x;
    for (const callee of [...frame.callees.values()].sort((a, b) => b.ns - a.ns)) {
      place(callee, depth + 1, at);
      at += callee.ns / root.ns;
    }
  };
  place(root, 0, 0);
  return { boxes, left };
}

function words({ frame, width }: Box): string {
  const share = `${(100 * width).toFixed(1)}%`;
  return `${frame.name}${frame.isKernel ? ' (kernel)' : ''}: ${share}, ${formatDuration(frame.ns)} in ${formatExact(frame.count)}`;
}

function drawn(box: Box, at: number): Html {
  const { frame, depth, x, width } = box;
  const colour = depth < 3 ? COLOURS.other : frame.isKernel ? COLOURS.kernel : COLOURS.user;
  const percent = (share: number): string => `${(100 * share).toFixed(3)}%`;
  // A picture within the picture clips its text and stretches with the page, which a transformed group would distort.
  return html`<a href="#frame-${at}" aria-label="${words(box)}"><svg x="${percent(x)}" y="${depth * ROW}" width="${percent(width)}" height="${ROW - 1}"><title>${words(box)}</title><rect width="100%" height="100%" fill="${colour}"/><text x="3" y="14">${frame.name}</text></svg></a>`;
}

/** By time; null when there is no stack, or none took any. */
export function flameGraph(samples: readonly StackSample[]): Html | null {
  const root = tree(samples);
  if (!(root.ns > 0)) return null;
  const { boxes, left } = layOut(root);
  const rows = 1 + Math.max(...boxes.map(({ depth }) => depth));
  const note =
    left === 0 ? '' : ` ${formatExact(left)} frames are narrower than ${100 * MIN_SHARE}% or too many, and left out.`;
  return html`<figure><figcaption>Time by stack</figcaption>
<p class="soft">The wider, the longer: of a fault its whole length, of a writer its wait, of a holder its hold. Callers stand above what they call; the kernel's functions are orange. Click, tap or press Enter on one to have it in words.${note}</p>
<p><a href="#after-flame">Skip the graph</a></p>
<svg class="flame" style="height:${rows * ROW}px" role="group" aria-label="Flame graph, ${formatDuration(root.ns)} in ${formatExact(root.count)} stacks">${boxes.map(drawn)}</svg>
<ol class="frames" id="after-flame" tabindex="-1">${boxes.map((box, at) => html`<li id="frame-${at}">${words(box)}</li>`)}</ol></figure>`;
}
