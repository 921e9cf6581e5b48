// SPDX-License-Identifier: MIT
/** The report of `check` for people: a line a rule, the offending lifecycles step by step, findings, what was lost. */
import { blocksOf, type CleanText } from '../present/clean.js';
import { sanitise } from '../present/text.js';
import type { DescribedStep } from './describe.js';
import type { CheckReport, Example, RuleResult } from './report.js';

const exact = (n: number): string => n.toLocaleString('en-US');
const RESULT_WIDTH = 22;

function times(n: number): string {
  return n === 1 ? 'once' : `${exact(n)} times`;
}

function outcome(rule: RuleResult): string {
  if (rule.result === 'held') return `held ${times(rule.held)}`;
  if (rule.result === 'violated') return `VIOLATED ${times(rule.violated)}`;
  return rule.result;
}

function notes(rule: RuleResult): readonly string[] {
  const lines: string[] = [];
  if (rule.unseen > 0)
    lines.push(`${rule.unseen.toLocaleString('en-US')} seen where a violation might not have been: ${rule.why}`);
  else if (rule.why !== '') lines.push(rule.why);
  if (rule.words !== undefined) lines.push(rule.words);
  if (rule.result === 'violated' && rule.held > 0) lines.push(`held ${times(rule.held)}`);
  if (rule.setAside > 0 && rule.result !== 'not observable here')
    lines.push(`set aside ${times(rule.setAside)}: steps were lost, or may have been`);
  return lines;
}

function ruleLines(rule: RuleResult): readonly string[] {
  const head = `${String(rule.rule).padStart(4)}  ${outcome(rule).padEnd(RESULT_WIDTH)}  ${rule.statement}`;
  return [head, ...notes(rule).map((note) => `${' '.repeat(RESULT_WIDTH + 8)}(${sanitise(note)})`)];
}

/** µs since the first step shown: `+12.345`. */
function stepLine(step: DescribedStep, zero: number, marked: boolean): string {
  const us = ((step.timeNs - zero) / 1000).toFixed(3);
  return `  ${marked ? '>' : ' '} ${us.padStart(14)}  ${step.hook.padEnd(24)}  ${step.words}`;
}

function exampleLines(rule: RuleResult, example: Example): readonly string[] {
  const zero = (example.before?.[0] ?? example.steps[0])?.timeNs ?? 0;
  const where = example.vma === '' ? example.address : `${example.address} in ${example.vma}`;
  return [
    ` Rule ${rule.rule} violated: ${example.words}`,
    ` ${rule.statement}`,
    ` ${sanitise(example.comm)} ${example.tgid}, thread ${example.tid}, address ${where}, lifecycle ${example.lifecycle}`,
    '',
    `    ${'us'.padStart(14)}  hook`,
    ...(example.before === undefined
      ? []
      : ['  the fault before it:', ...example.before.map((step) => stepLine(step, zero, false)), '  and this one:']),
    ...example.steps.map((step, i) => stepLine(step, zero, i === example.at)),
  ];
}

/** `remarks`: lines about the whole (a cut-off recording, the command's exit). */
export function checkText(report: CheckReport, host: string, remarks: readonly string[] = []): CleanText {
  const { rules, events, lifecycles } = report;
  const held = rules.filter((rule) => rule.result === 'held').length;
  const violated = rules.filter((rule) => rule.result === 'violated').length;
  const unseen = rules.filter((rule) => rule.result === 'not observable here').length;
  const blocks: (readonly string[])[] = [
    [
      ` ${sanitise(host)}, Linux ${sanitise(report.kernel)}, scope ${report.scope}, VMA-lock releases ${report.release}`,
    ],
    rules.flatMap(ruleLines),
    ...rules.flatMap((rule) => (rule.example === undefined ? [] : [exampleLines(rule, rule.example)])),
    report.findings.map(({ rule, what, count }) => `${exact(count).padStart(16)}  ${what} (${rule})`),
    [
      `${exact(lifecycles.total).padStart(16)}  lifecycles, ${exact(lifecycles.incomplete)} of them incomplete: set aside`,
      `${exact(events.decoded).padStart(16)}  events decoded of ${exact(events.emitted)} emitted, ${exact(events.dropped)} dropped, ${exact(events.missed)} program runs missed`,
      `${exact(held).padStart(16)}  rules held, ${exact(violated)} violated, ${exact(unseen)} not observable here`,
      ...remarks.map((remark) => ` ${sanitise(remark)}`),
    ],
  ];
  return blocksOf(blocks);
}
