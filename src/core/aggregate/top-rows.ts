// SPDX-License-Identifier: MIT
/** Rows of a snapshot out of the sums: devices, and the processes and addresses with the most retries. */
import type { Names } from '../events/names.js';
import type { Aggregate } from './aggregate.js';
import type { AddressRow, ProcessRow, SwapDeviceRow } from './snapshot-rows.js';
import { type AddressSums, DeviceSums, type ProcessSums } from './sums.js';
import { topOf } from './top-of.js';

export const MAX_PROCESS_ROWS = 256;
export const MAX_CGROUP_ROWS = 256;
const MAX_ADDRESS_ROWS = 256;

/** Devices that faults came to, and those that are only known by name. */
export function deviceRows(sums: Aggregate, names: Names): SwapDeviceRow[] {
  const types = new Set([...sums.devices.keys(), ...names.devices.keys()]);
  return [...types]
    .sort((x, y) => x - y)
    .map((type) => {
      const named = names.devices.get(type);
      const device = sums.devices.get(type) ?? new DeviceSums(type, named?.synchronous ?? false);
      const { synchronous, faults, reads, retries } = device;
      return {
        type,
        name: named?.name ?? '',
        synchronous,
        faults,
        reads,
        retries,
        folioWait: device.folioWait.stats(),
        syncRead: device.syncRead.stats(),
      };
    });
}

/** `series`: with the lost faults over time, which are null without. */
export function processRows(sums: Aggregate, names: Names, series: boolean): ProcessRow[] {
  const order = (x: ProcessSums, y: ProcessSums): number =>
    y.retries - x.retries || y.lifecycles - x.lifecycles || y.swap - x.swap || x.tgid - y.tgid;
  return topOf(sums.processes.values(), MAX_PROCESS_ROWS, order).map(
    ({ mm, mmIndex, counterfactual, lost, ...row }) => ({
      ...row,
      lost: (series && lost?.copy()) || null,
      comm: names.processes.of(row.tgid, row.comm),
      cgroupName: names.cgroup(row.cgroup),
    }),
  );
}

export function addressRows(sums: Aggregate, names: Names): AddressRow[] {
  const order = (x: AddressSums, y: AddressSums): number =>
    y.retries - x.retries || x.mm - y.mm || x.address - y.address;
  const top = topOf(sums.addresses.values(), MAX_ADDRESS_ROWS, order);
  return top.map(({ tgid, comm, mm, address, vmaStart, lifecycles, retries, joined, closed, byCause, byEnd }) => {
    const open = lifecycles - closed;
    return {
      tgid,
      comm: names.processes.of(tgid, comm),
      mm,
      address,
      mapping: names.vmas.of(mm, vmaStart).label,
      lifecycles,
      retries,
      joined,
      byCause: byCause.counts(),
      byEnd: open > 0 ? { ...byEnd.counts(), 'in-flight': open } : byEnd.counts(),
    };
  });
}
