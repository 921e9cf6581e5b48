// SPDX-License-Identifier: MIT
/** The lake of a fleet: a file for each host and table, made from sixteen recordings; hosts differ by name, kernel and hour. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LAKE_TABLES } from '../../src/daemon/lake.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { exported, sourceOf } from '../export/support.js';

export const FLEET_KERNELS = ['6.12.95+deb13-amd64', '7.3.4+deb13-amd64'] as const;
const RECORDINGS = 16;

/** Returns how many lifecycles there are in all. */
export async function makeFleet(lake: string, hosts: number): Promise<number> {
  const made = await Promise.all(
    Array.from({ length: RECORDINGS }, async (_, seed) =>
      Promise.all(
        LAKE_TABLES.map(async (table) => {
          const session = { ...syntheticSession(), host: `host-${seed}`, kernel: FLEET_KERNELS[seed % 2] ?? '' };
          const { output, losses } = await exported(sourceOf(synthesize(30, seed + 1), session), {
            format: 'parquet',
            table,
          });
          return { table, bytes: output.all(), lifecycles: losses.lifecycles };
        }),
      ),
    ),
  );
  let followed = 0;
  for (let host = 0; host < hosts; host++) {
    for (const { table, bytes, lifecycles } of made[host % RECORDINGS] ?? []) {
      const folder = join(lake, table, 'date=2026-11-23', `hour=${String(host % 24).padStart(2, '0')}`);
      if (host < 24 * RECORDINGS) await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `host-${host}-0-000001.parquet`), bytes);
      if (table === 'lifecycles') followed += lifecycles;
    }
  }
  return followed;
}
