// SPDX-License-Identifier: MIT
/** Writes a storm to standard output until something comes on its standard input: swap-storm-generate FAULTS RETRIES THREADS. */
import { send } from '../soak/send.js';
import { STORM_SESSION, SwapStorm } from './swap-storm.js';

const [faults = 0, retries = 0, threads = 0] = process.argv.slice(2).map(Number);
const make = (): SwapStorm => new SwapStorm({ faults, retries, threads });
await send(make, STORM_SESSION, make().rows, Number.POSITIVE_INFINITY);
