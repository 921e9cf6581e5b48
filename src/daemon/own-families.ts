// SPDX-License-Identifier: MIT
/** The daemon about itself, as metric families. */
import { SCOPES, type Scope } from '../core/events/session.js';
import { counter, type Family, gauge, samplesBy, single } from '../metrics/family.js';
import type { Lake } from './lake.js';
import type { SocketFigures } from './socket.js';

export interface DaemonFigures {
  /** What is followed now. */
  readonly scope: Scope;
  /** Times it was lowered. */
  readonly lowered: number;
  readonly overBudget: boolean;
  readonly reloads: number;
  /** The latest reload was refused. */
  readonly configKept: boolean;
  /** null: there is no socket. */
  readonly socket: Readonly<SocketFigures> | null;
  /** null: no flight recorder. */
  readonly flightBytes: number | null;
  /** null: there is no lake. */
  readonly lake: Lake['figures'] | null;
  /** null: nothing is exported. */
  readonly otlp: { readonly sent: number; readonly failed: number } | null;
}

/** Of now and of this process, also where a recording is played, whose counters are those of the recorder. */
function memoryParts(): Record<'resident' | 'heap' | 'buffers', number> {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed, buffers: external };
}

export function daemonFamilies(figures: DaemonFigures): Family[] {
  const { scope, socket, flightBytes, lake, otlp } = figures;
  const families: Family[] = [
    gauge('scope', 'Which faults are followed now: 1 for that scope.', [
      ...samplesBy('scope', Object.fromEntries(SCOPES.map((name) => [name, name === scope ? 1 : 0]))),
    ]),
    counter('scope_lowered', 'Times the scope was lowered to keep to the budget.', single(figures.lowered)),
    gauge('over_budget', '1 while over budget with nothing left to lower.', single(figures.overBudget ? 1 : 0)),
    counter('config_reloads', 'Times a new configuration was taken.', single(figures.reloads)),
    gauge('config_stale', '1 when the latest reload was refused.', single(figures.configKept ? 1 : 0)),
    gauge(
      'daemon_memory_bytes',
      'Memory of the daemon; of what is resident, the JavaScript heap in use, and what lies outside of it in buffers.',
      samplesBy('part', memoryParts()),
      'bytes',
    ),
  ];
  if (socket !== null) {
    const { clients, accepted, dropped, refused } = socket;
    families.push(
      gauge('socket_clients', 'Clients at the socket now.', single(clients)),
      counter(
        'socket_connections',
        'Clients that connected, by what became of them.',
        samplesBy('result', { accepted, dropped, refused }),
      ),
    );
  }
  if (flightBytes !== null)
    families.push(gauge('flight_recorder_bytes', 'Memory the flight recorder uses.', single(flightBytes), 'bytes'));
  if (lake !== null) {
    families.push(
      counter('lake_files', 'Parquet files closed, and those deleted to stay within lake.size.', [
        ...samplesBy('what', { closed: lake.parts, removed: lake.removed }),
      ]),
      counter(
        'lake_lifecycles_dropped',
        'Lifecycles not written: the disk was too slow, or refused their file.',
        single(lake.dropped),
      ),
      counter('lake_failures', 'Times the disk refused a file.', single(lake.failed)),
    );
  }
  if (otlp !== null)
    families.push(counter('otlp_exports', 'Exports to the collector.', samplesBy('result', { ...otlp })));
  return families;
}
