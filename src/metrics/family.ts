// SPDX-License-Identifier: MIT
/** A metric family: what Prometheus' text, OpenMetrics and OTLP say in their own words. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  /** Counters are cumulative over the session. */
  readonly value: number;
}

export interface Distribution {
  readonly labels: Labels;
  /** Upper bounds, ascending, each inclusive; `counts` has one more: what is above the last bound. Not cumulative. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  /** null: not known. */
  readonly sum: number | null;
}

interface Head {
  /** Without `_total`, with the unit at its end. */
  readonly name: string;
  readonly help: string;
  /** As in the name: 'seconds', 'bytes'; '' for counts. */
  readonly unit: string;
}

export interface ScalarFamily extends Head {
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** Sum and count alone: OpenMetrics' summary without quantiles. */
export interface SummaryFamily extends Head {
  readonly type: 'summary';
  readonly samples: readonly { readonly labels: Labels; readonly sum: number; readonly count: number }[];
}

export interface HistogramFamily extends Head {
  readonly type: 'histogram';
  readonly samples: readonly Distribution[];
}

export type Family = ScalarFamily | SummaryFamily | HistogramFamily;

/** One sample for each entry whose value is known: what is not known is absent, never 0. */
export function samplesBy(label: string, values: Readonly<Record<string, number | null | undefined>>): Sample[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null || value === undefined || Number.isNaN(value) ? [] : [{ labels: { [label]: key }, value }],
  );
}

/** The one sample of a family without labels. */
export function single(value: number): Sample[] {
  return Number.isNaN(value) ? [] : [{ labels: {}, value }];
}

/** Seconds in a nanosecond: metrics are in base units. */
export const NS = 1e-9;
export const PREFIX = 'vmalocktop_';

export function counter(name: string, help: string, samples: readonly Sample[], unit = ''): ScalarFamily {
  return { name: PREFIX + name, help, unit, type: 'counter', samples };
}

export function gauge(name: string, help: string, samples: readonly Sample[], unit = ''): ScalarFamily {
  return { name: PREFIX + name, help, unit, type: 'gauge', samples };
}
