// SPDX-License-Identifier: MIT
/** The dashboard of a live session after two snapshots, as tests of keys and of the terminal find it. */
import { snapshotAt } from './fixture.js';
import { type Harness, open } from './terminal.js';

export async function dashboard(t: { after(f: () => void): void }, rows = 24, columns = 80): Promise<Harness> {
  const harness = await open(columns, rows);
  t.after(() => harness.close());
  harness.dashboard.update(snapshotAt(129));
  harness.dashboard.update(snapshotAt(130));
  await harness.settle();
  return harness;
}
