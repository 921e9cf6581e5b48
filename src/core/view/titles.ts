// SPDX-License-Identifier: MIT
/** Titles of the dashboard's views and lists. */
import type { ListId, ViewId } from './state.js';

export const VIEW_TITLES: Readonly<Record<ViewId, string>> = {
  overview: 'Overview',
  processes: 'Processes',
  vmas: 'VMAs',
  causes: 'Causes',
  waits: 'Waits',
  writers: 'Writers',
  lifecycles: 'Lifecycles',
  alerts: 'Alerts',
  health: 'Health',
};

export const LIST_TITLES: Readonly<Record<ListId, string>> = {
  processes: 'Processes',
  vmas: 'VMAs',
  causes: 'Causes',
  waits: 'Waits',
  blockers: 'Who blocked whom: mmap_lock, VMA locks',
  lockNow: 'Held now, and queued for',
  writers: 'Writers',
  latest: 'Latest',
  slowest: 'Slowest',
  inFlight: 'In flight',
  alerts: 'Alerts',
  hooks: 'Hooks',
  programs: 'Programs',
};
