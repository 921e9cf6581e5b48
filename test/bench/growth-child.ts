// SPDX-License-Identifier: MIT
/** A long session through `Pipeline` in a process of its own: growth-child OPTIONS, `GrowthOptions` as JSON. The points go to standard output. */
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { syntheticSession } from '../core/session.js';
import type { GrowthOptions, GrowthPoint } from './growth.js';
import { Crowd } from './growth-crowd.js';

/** Events in a second of the session. */
const RATE = 100_000;
/** Of the session, as its parts. */
const POINTS = [1 / 10, 1 / 3, 1];

const { gc } = globalThis;
if (gc === undefined) throw new Error('to be started with --expose-gc');
const crowd = new Crowd({ ...(JSON.parse(process.argv[2] ?? '{}') as GrowthOptions), rate: RATE });
const pipeline = new Pipeline(syntheticSession());

/** CPU time, ns: of the collector's threads too. */
const cpuNs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

let events = 0;
let spent = { events: 0, foldNs: 0, snapshots: 0, snapshotNs: 0 };
let nextSnapshot = 1e9;
const points: GrowthPoint[] = [];
for (let round = 1; round <= crowd.rounds; round++) {
  for (const batch of crowd.next()) {
    const begun = cpuNs();
    pipeline.push(batch);
    const pushed = cpuNs();
    spent.foldNs += pushed - begun;
    spent.events += batch.length;
    events += batch.length;
    if ((batch.time[batch.length - 1] as number) < nextSnapshot) continue;
    nextSnapshot += 1e9;
    pipeline.snapshot();
    spent.snapshotNs += cpuNs() - pushed;
    spent.snapshots++;
  }
  const part = POINTS[points.length];
  if (part === undefined || round < Math.round(crowd.rounds * part)) continue;
  for (let i = 0; i < 3; i++) gc();
  const { lifecycles, events: records } = pipeline.snapshot();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  points.push({
    part,
    events,
    lifecycles: lifecycles.total,
    ended: lifecycles.total - lifecycles.byEnd['in-flight'],
    decoded: records.decoded,
    emitted: records.emitted,
    seen: crowd.seen,
    nsPerEvent: spent.foldNs / spent.events,
    snapshotMs: spent.snapshotNs / 1e6 / Math.max(1, spent.snapshots),
    rssBytes: rss,
    aliveBytes: heapUsed + arrayBuffers,
  });
  spent = { events: 0, foldNs: 0, snapshots: 0, snapshotNs: 0 };
}
process.stdout.write(JSON.stringify(points));
