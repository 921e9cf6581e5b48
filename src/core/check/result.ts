// SPDX-License-Identifier: MIT
/** What the report says of a rule, from its tally. */
import type { SessionInfo } from '../events/session.js';
import { describeTrace } from './describe.js';
import type { Policies } from './policies.js';
import type { Example, RuleResult, SightResult } from './report.js';
import type { Suspicion, Tally } from './tally.js';

/** A rule's place in the report. */
export function resultOf(tally: Tally, policies: Policies, session: SessionInfo): RuleResult {
  const { rule, why, held, setAside, suspected, words } = tally;
  let { unseen, unseenWhy } = tally;
  const undecided = setAside + suspected.length + tally.waiting;
  let violated = 0;
  let first: Suspicion | null = null;
  for (const [policy, violations] of tally.violations) {
    const excuse = policy === null ? '' : policies.why(policy);
    if (excuse === '') {
      violated += violations.count;
      first ??= violations.first;
    } else {
      unseen += violations.count;
      unseenWhy = excuse;
    }
  }
  const sees = seesOf(tally);
  const base = { rule: rule.number, held, violated, unseen, setAside: undecided, statement: rule.statement, sees };
  if (rule.claim && why === '') return { ...base, result: 'finding', why: '' };
  if (violated > 0) {
    const example = first === null ? {} : { example: exampleOf(first, session) };
    return { ...base, result: 'violated', why: '', ...example, ...(words === '' ? {} : { words }) };
  }
  if (held > 0) return { ...base, result: 'held', why: unseenWhy };
  const nothing = undecided > 0 ? `${undecided} seen, each of them set aside` : `no ${rule.premise} was seen`;
  return { ...base, result: 'not observable here', why: why || unseenWhy || nothing };
}

function exampleOf({ trace, before, words, at }: Suspicion, session: SessionInfo): Example {
  const hex = (n: number): string => (Number.isNaN(n) ? 'not known' : `0x${n.toString(16)}`);
  return {
    words,
    lifecycle: `${trace.faultCpu}:${trace.fault}`,
    tid: trace.tid,
    tgid: trace.tgid,
    comm: trace.comm,
    address: hex(trace.address),
    vma: trace.vmaEnd === 0 ? '' : `${hex(trace.vmaStart)}-${hex(trace.vmaEnd)}`,
    ...(before === null ? {} : { before: describeTrace(before, session) }),
    steps: describeTrace(trace, session),
    at,
  };
}

function seesOf({ why, sees }: Tally): readonly SightResult[] {
  return [...sees.values()].map(({ sight, hooks, why: unseen }) => ({
    shows: sight.shows,
    hooks,
    options: sight.options ?? [],
    why: unseen || why,
  }));
}
