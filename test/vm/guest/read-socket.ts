// SPDX-License-Identifier: MIT
/** In a guest: the session at a daemon's socket to its end, as one line of JSON. */
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import { connectDaemon } from '../../../src/daemon/connect.js';

const source = await connectDaemon(process.argv[2] ?? '');
console.error('connected');
const pipeline = new Pipeline(source.session);
for await (const batch of source.batches()) pipeline.push(batch);
const { events, processes } = pipeline.snapshot();
console.log(JSON.stringify({ truncated: source.truncated, dropped: events.dropped, processes }));
