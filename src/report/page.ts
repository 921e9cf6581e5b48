// SPDX-License-Identifier: MIT
/** The report: one page that needs nothing besides itself, readable on a phone, on paper and by a screen reader. */

import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { Diff } from '../core/diff/compare.js';
import { wallNs } from '../core/events/clocks.js';
import { conclusion } from '../core/present/conclusion.js';
import { formatDuration, formatExact } from '../core/present/format.js';
import type { StackSample } from '../core/present/stack-samples.js';
import { WAIT_FACTS, WAIT_KINDS } from '../core/vocabulary/waits.js';
import { blockerTable, noBlocker, victimTable } from './blocker-tables.js';
import { heatMap, outcomeChart } from './charts.js';
import { diffSection } from './diff-section.js';
import { documentText } from './document.js';
import { flameGraph } from './flame-graph.js';
import { foldedSection, type Html, html, type Part, section } from './html.js';
import {
  causeTable,
  cgroupTable,
  counterfactualTable,
  deviceTable,
  hookTable,
  lossTable,
  mmapLockTable,
  processTable,
  vmaTable,
  waitTable,
  writerTable,
} from './tables.js';
import { waterfall } from './waterfall.js';
import { summary, unbroken } from './words.js';

export interface ReportInputs {
  /** What the recording is called. */
  readonly name: string;
  readonly snapshot: Snapshot;
  /** How the recording was cut off, in words; null when it is whole. */
  readonly truncated: string | null;
  /** Where faults and writers came from; empty where no stacks were taken. */
  readonly stacks?: readonly StackSample[];
  /** An earlier recording, and what differs from it. */
  readonly against?: { readonly name: string; readonly diff: Diff };
}

const WATERFALLS = 10;
const SECTIONS: readonly (readonly [id: string, title: string])[] = [
  ['summary', 'Summary'],
  ['time', 'Over time'],
  ['causes', 'Causes'],
  ['waits', 'Waits'],
  ['counterfactual', 'Avoidable or not'],
  ['blockers', 'Who blocked whom'],
  ['writers', 'mmap_lock and its writers'],
  ['processes', 'Processes, VMAs and swap'],
  ['slowest', 'Slowest faults'],
  ['stacks', 'Stacks'],
  ['losses', 'What is missing'],
];

export function reportPage(inputs: ReportInputs): string {
  const { snapshot, truncated, against, name } = inputs;
  const { session } = snapshot;
  const none = (what: string): Html => html`<p class="soft">${what}</p>`;
  const links = [
    ...SECTIONS.slice(0, 1),
    ...(against ? [['against', 'What differs'] as const] : []),
    ...SECTIONS.slice(1),
  ];
  const title = (id: string): string => SECTIONS.find(([at]) => at === id)?.[1] ?? '';
  const part = (id: string, ...content: readonly Part[]): Html =>
    (id === 'summary' ? section : foldedSection)(id, title(id), ...content);
  return documentText({
    title: `Page faults on ${session.host}: ${name}`,
    main: 'the report',
    header: html`<h1>Page faults under per-VMA locks</h1>
<p>${name}: ${session.host}, Linux ${session.kernel} (${session.arch}), ${session.cpus} CPUs${startedAt(snapshot)}.
Scope ${session.scope}; releases of the VMA lock are ${session.release}.</p>
<nav aria-label="Sections"><ul>${links.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul></nav>`,
    body: html`${part(
      'summary',
      html`<p class="verdict">${unbroken(conclusion(snapshot).join(' '))}</p>`,
      summary(snapshot).map((sentence) => html`<p>${unbroken(sentence)}</p>`),
      truncated === null ? null : html`<p class="warn">The recording was cut off: ${truncated}.</p>`,
    )}
${against ? diffSection(against.diff, against.name) : null}
${part('time', outcomeChart(snapshot.timeline.whole) ?? none('No fault was counted.'))}
${part('causes', causeTable(snapshot) ?? none('No RETRY and no ABORT was followed.'))}
${part('waits', waitTable(snapshot), heatMaps(snapshot))}
${part('counterfactual', counterfactualTable(snapshot) ?? none('No RETRY was followed.'))}
${part('blockers', blockerTable(snapshot) ?? none(noBlocker(snapshot)), victimTable(snapshot))}
${part('writers', mmapLockTable(snapshot), writerTable(snapshot))}
${part('processes', processTable(snapshot) ?? none('No fault was followed.'), vmaTable(snapshot), cgroupTable(snapshot), deviceTable(snapshot))}
${part('slowest', slowest(snapshot))}
${part('stacks', flameGraph(inputs.stacks ?? []) ?? none('No stacks were taken (--stacks kernel,user takes them).'))}
${part('losses', lossTable(snapshot, truncated), html`<details><summary>Hooks</summary>${hookTable(snapshot)}</details>`)}`,
    footer: html`
<footer><p class="soft">${session.tool}. Command: ${session.commandLine.join(' ')}</p></footer>`,
  });
}

function startedAt({ session }: Snapshot): string {
  const ns = wallNs(session, 0);
  if (ns === null) return '';
  return `, from ${new Date(Number(ns / 1_000_000n)).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

function heatMaps(snapshot: Snapshot): Part {
  return WAIT_KINDS.map((kind) => {
    const stats = snapshot.waits[kind];
    const figures = `${formatExact(stats.count)} waits, p50 ${formatDuration(stats.p50Ns)}, p99 ${formatDuration(stats.p99Ns)}`;
    return heatMap(snapshot.timeline.whole, kind, `Waits: ${WAIT_FACTS[kind].title}`, figures);
  });
}

function slowest(snapshot: Snapshot): Part {
  if (snapshot.slowest.length === 0) return html`<p class="soft">No fault was followed to its end.</p>`;
  return snapshot.slowest
    .slice(0, WATERFALLS)
    .map((lifecycle) => waterfall(lifecycle, snapshot.time, snapshot.session.arch));
}
