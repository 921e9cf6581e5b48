// SPDX-License-Identifier: MIT
/** What the faults of a process did, and those of all processes of a cgroup: the same figures of either. */
import type { WorkFigures } from '../../aggregate/snapshot-rows.js';
import { WAIT_FACTS } from '../../vocabulary/waits.js';
import { type Field, formatOf, type Metric, num, type Unit } from './field.js';

function figure(
  id: string,
  title: string,
  unit: Unit,
  width: number,
  get: (row: WorkFigures) => number,
  json: string,
  metric: Metric,
): Field<WorkFigures> {
  return num(id, title, unit, width, get, formatOf(unit), { json, metric });
}

const counter = (name: string, help: string): Metric => ({ name, help, type: 'counter' });

export const workFields: readonly Field<WorkFigures>[] = [
  figure('retries', 'retries', '', 8, (r) => r.retries, 'retries', counter('retries', 'RETRYs under the VMA lock')),
  figure('aborts', 'aborts', '', 6, (r) => r.aborts, 'aborts', counter('aborts', 'faults that got no VMA lock')),
  figure('inFlight', 'in flight', '', 10, (r) => r.inFlight, 'inFlight', {
    name: 'in_flight',
    help: 'faults that have not ended',
    type: 'gauge',
  }),
  figure(
    'folioWait',
    WAIT_FACTS.folio.title,
    'ns',
    10,
    (r) => r.folioWaitNs,
    'folioWaitNs',
    counter('folio_wait', 'waits for a folio lock'),
  ),
  figure(
    'mmapWait',
    WAIT_FACTS.mmapLock.title,
    'ns',
    9,
    (r) => r.mmapWaitNs,
    'mmapWaitNs',
    counter('mmap_wait', 'waits for mmap_lock'),
  ),
  figure(
    'lifecycles',
    'traced',
    '',
    6,
    (r) => r.lifecycles,
    'lifecycles',
    counter('lifecycles', 'faults that were followed'),
  ),
  figure('swap', 'swap', '', 6, (r) => r.swap, 'swap', counter('swap_faults', 'swap faults, followed or counted')),
  figure(
    'total',
    'total',
    'ns',
    9,
    (r) => r.totalNs,
    'totalNs',
    counter('fault', 'from first step to end of the faults that were followed'),
  ),
];
