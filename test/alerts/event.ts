// SPDX-License-Identifier: MIT
/** An event to act upon. */
import type { AlertEvent } from '../../src/core/alerts/event.js';

export const EVENT: AlertEvent = {
  kind: 'firing',
  rule: 'retry-fallbacks',
  summary: 'excessive RETRY fallbacks',
  severity: 'warning',
  group: { by: 'process', key: '812', name: 'postgres (812)' },
  time: 12e9,
  since: 9e9,
  values: { retry_ratio: 0.25, retry_rate: 4000 },
  expression: 'retry_ratio > 0.05 && retry_rate > 100',
};

export const COMMON = { on: ['firing', 'resolved'], minSeverity: 'info', rules: null, perMinute: 600 } as const;
