// SPDX-License-Identifier: MIT
/** Faults through the rules, and what the report says of one of them. */
import assert from 'node:assert/strict';
import { Checker } from '../../src/core/check/checker.js';
import type { CheckReport, RuleResult } from '../../src/core/check/report.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { BREAKS, livesOf } from './check-breaks.js';
import { type Flavour, type Life, sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { type StreamOptions, streamOf } from './check-streams.js';
import { Random } from './scripts.js';
import { SWAP_DISK, SWAP_ZRAM } from './session.js';

const DEVICES = [
  [0, SWAP_DISK, 0],
  [1, SWAP_ZRAM, 1],
] as const;

export function check(session: SessionInfo, ...batches: readonly EventBatch[]): CheckReport {
  const checker = new Checker(session);
  for (const batch of batches) checker.push(batch);
  checker.finish();
  return checker.report();
}

export function ruleOf(report: CheckReport, number: number): RuleResult {
  const found = report.rules.find((rule) => rule.rule === number);
  assert.ok(found !== undefined);
  return found;
}

export function brokenBy(rule: number): readonly Life[] {
  const broken = BREAKS.find((one) => one.rule === rule);
  assert.ok(broken !== undefined);
  return livesOf(broken, '7.3');
}

/** Faults of a few threads, of every shape this kernel sends, in any order. */
export function mix(flavour: Flavour, seed: number, faults: number, threads = 3): Life[][] {
  const random = new Random(seed);
  const shapes = shapesOf(flavour);
  return Array.from({ length: threads }, () => Array.from({ length: faults }, () => random.pick(shapes)));
}

export const violated = (report: CheckReport): number[] =>
  report.rules.filter((rule) => rule.violated > 0).map((rule) => rule.rule);

export function run(
  flavour: Flavour,
  lives: readonly (readonly Life[])[],
  seed: number,
  options: StreamOptions = {},
): CheckReport {
  return check(sessionOf(flavour), streamOf(lives, seed, { devices: DEVICES, ...options }));
}
