// SPDX-License-Identifier: MIT
/** The page of `verdict`: its figures, and the distributions behind them. It needs nothing besides itself. */
import { formatDuration, formatExact } from '../core/present/format.js';
import type { Bar } from '../core/verdict/bars.js';
import { between } from '../core/verdict/conclusions.js';
import { ALTERNATIVES, POLICY_FACTS, POLICY_NAMES } from '../core/verdict/policies.js';
import type { Spread, StalledWriterRow, VerdictReport, VerdictRow } from '../core/verdict/report.js';
import { documentText } from './document.js';
import { type Html, html, type Part, section, table } from './html.js';

const ns = (value: number | null): string => (value === null ? '–' : formatDuration(value));

/** Bars with their counts; a table, so that it reads without seeing. */
function chart(title: string, bars: readonly Bar[], what: string): Html {
  if (bars.length === 0) return html`<p class="soft">${title}: none.</p>`;
  const most = Math.max(...bars.map(({ count }) => count));
  const range = ({ lo, hi }: Bar): string => (lo === 0 ? 'none' : `${formatDuration(lo)} to ${formatDuration(hi)}`);
  const bar = ({ count }: Bar): Html =>
    html`<svg viewBox="0 0 100 4" preserveAspectRatio="none" style="width:16rem;height:.8rem" aria-hidden="true"><rect width="${((100 * count) / most).toFixed(2)}" height="4" fill="#56b4e9"/></svg>`;
  return table(title, bars, [
    { title: 'time', get: range },
    { title: what, figure: true, get: ({ count }) => formatExact(count) },
    { title: '', get: bar },
  ]);
}

function rows(caption: string, of: readonly VerdictRow[]): Html | null {
  if (of.length === 0) return null;
  return table(caption, of, [
    { title: '', get: ({ key }) => key },
    { title: 'faults', figure: true, get: ({ retries }) => formatExact(retries) },
    { title: 'took', figure: true, get: ({ tookNs }) => formatDuration(tookNs) },
    { title: 'queued for mmap_lock', figure: true, get: ({ queued }) => between(queued) },
    ...ALTERNATIVES.flatMap((name) => [
      { title: `${name}: saved`, figure: true as const, get: ({ under }: VerdictRow) => between(under[name].saved) },
      {
        title: `${name}: a fault, p50 / p99 / at most`,
        figure: true as const,
        get: ({ under }: VerdictRow) => {
          const { p50Ns, p99Ns, maxNs } = under[name].saved.most;
          return `${ns(p50Ns)} / ${ns(p99Ns)} / ${ns(maxNs)}`;
        },
      },
      {
        title: `${name}: lost`,
        figure: true as const,
        get: ({ under }: VerdictRow) => {
          const { lost } = under[name];
          return lost === null ? 'not known' : between(lost);
        },
      },
      {
        title: `${name}: not known`,
        figure: true as const,
        get: ({ under }: VerdictRow) => formatExact(under[name].courses.unknown),
      },
      {
        title: `${name}: writers stalled`,
        figure: true as const,
        get: ({ under }: VerdictRow) => {
          const { stalls } = under[name];
          return stalls === null ? 'not known' : `${formatExact(stalls.count)}, ${formatDuration(stalls.sumNs)}`;
        },
      },
    ]),
  ]);
}

const SPREAD: readonly (readonly [string, (spread: Spread) => string])[] = [
  ['stalls', ({ count }) => formatExact(count)],
  ['p50', ({ p50Ns }) => ns(p50Ns)],
  ['p99', ({ p99Ns }) => ns(p99Ns)],
  ['at most', ({ maxNs }) => ns(maxNs)],
  ['in all', ({ sumNs }) => formatDuration(sumNs)],
];

function stalls(report: VerdictReport): Part {
  return ALTERNATIVES.map((name) => {
    const { rows: writers, forks, others, inversions } = report.writers[name];
    if (writers.length === 0)
      return html`<p class="soft">${name}: ${report.basis === 'none' ? 'not known, no hook shows writers' : 'no writer seen would stall'}.</p>`;
    const kinds: readonly (readonly [string, Spread])[] = [
      ['forks', forks],
      ['other system calls', others],
    ];
    const vmas = ({ vmas: of }: StalledWriterRow): string =>
      of
        .map((vma) => `${vma.start}-${vma.end} (${formatExact(vma.stalls)} for ${formatDuration(vma.sumNs)})`)
        .join(', ');
    return html`<h3>${name}</h3>
${table('Forks apart', kinds, [
  { title: '', get: ([kind]) => kind },
  ...SPREAD.map(([title, get]) => ({
    title,
    figure: true as const,
    get: ([, spread]: readonly [string, Spread]) => get(spread),
  })),
])}
${table(
  report.basis === 'exact' ? 'Writers that would stall' : 'Writers that might stall: their VMA was not seen',
  writers,
  [
    { title: 'writer', get: ({ tgid, comm, syscall }) => `${tgid} ${comm} ${syscall}` },
    ...SPREAD.map(([title, get]) => ({
      title,
      figure: true as const,
      get: (row: StalledWriterRow) => get(row.stalls),
    })),
    { title: 'on VMAs', get: vmas },
  ],
)}
<p>Behind a thread of lower priority: ${formatExact(inversions.inverted)} of them; ${formatExact(inversions.upright)} not; of ${formatExact(inversions.unknown)} a priority was not seen.</p>`;
  });
}

function reasons({ all }: VerdictReport): Part {
  const list = ALTERNATIVES.flatMap((name) =>
    Object.entries(all.under[name].why).map(([why, faults]) => ({ name, why, faults })),
  );
  if (list.length === 0) return html`<p class="soft">What every fault would have saved is known.</p>`;
  return table('Faults whose saving is an interval, or not known', list, [
    { title: 'policy', get: ({ name }) => name },
    { title: 'faults', figure: true, get: ({ faults }) => formatExact(faults) },
    { title: 'why', get: ({ why }) => why },
  ]);
}

/** `name`: what the recording is called. */
export function verdictPage(report: VerdictReport, name: string, truncated: string | null): string {
  const { events } = report;
  return documentText({
    title: `Should these faults keep the VMA lock: ${name}`,
    main: 'the verdict',
    header: html`<h1>Should these faults keep the VMA lock, or try it once more?</h1>
<p>${name}: ${report.host}, Linux ${report.kernel} (${report.arch}), ${report.cpus} CPUs, ${formatDuration(report.durationNs)} observed, scope ${report.scope}.
${formatExact(events.decoded)} events of ${formatExact(events.emitted)}, ${formatExact(events.dropped)} dropped, ${formatExact(events.missed)} program runs missed.</p>`,
    body: html`${truncated === null ? null : html`<p class="warn">Cut off: ${truncated}</p>`}
${section(
  'verdict',
  'Verdict',
  html`<ul>${report.conclusions.map((sentence) => html`<li>${sentence}</li>`)}</ul>`,
  table('Policies', POLICY_NAMES, [
    { title: 'policy', get: (policy) => POLICY_FACTS[policy].title },
    { title: 'what it does', get: (policy) => POLICY_FACTS[policy].sentence },
  ]),
)}
${section('faults', 'What faults would save, and lose behind stalled writers', rows('In all and by cause', [report.all, ...report.byCause]), rows('By process', report.byProcess))}
${section(
  'distributions',
  'Distributions',
  chart('Queued for mmap_lock today, a fault', report.queuedChart, 'faults'),
  ALTERNATIVES.map((policy) => [
    chart(`Saved by ${policy}, a fault (at most)`, report.charts[policy].saved, 'faults'),
    chart(`Stalled by ${policy}, a writer's hold of mmap_lock`, report.charts[policy].stalls, 'writers'),
  ]),
)}
${section('writers', 'Writers that would stall', stalls(report))}
${section('unknown', 'What is not known', reasons(report))}
${section('assumed', 'What is assumed', html`<ul>${report.assumptions.map((sentence) => html`<li>${sentence}</li>`)}</ul>`)}`,
  });
}
