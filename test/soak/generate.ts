// SPDX-License-Identifier: MIT
/** Writes the soak's stream to standard output: generate SECONDS RATE FAULTS THREADS. */
import { Endless, type EndlessOptions } from '../core/endless.js';
import { syntheticSession } from '../core/session.js';
import { send } from './send.js';

const [seconds = 0, rate = 0, faults = 0, threads = 0] = process.argv.slice(2).map(Number);
const options: EndlessOptions = { faults, threads, rate, churn: true, unfinished: true, dropRate: 0.002 };
await send(() => new Endless(options), syntheticSession(), rate, seconds);
