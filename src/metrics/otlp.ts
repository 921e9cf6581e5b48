// SPDX-License-Identifier: MIT
/**
 * Families as an OTLP export request in JSON (opentelemetry-proto, metrics/v1): what POST /v1/metrics takes.
 *
 * Written here and not by the OpenTelemetry SDK: that one aggregates single observations, and what there is are sums and
 * buckets the kernel has kept already.
 */
import type { Family, Labels, SummaryFamily } from './family.js';

export interface OtlpOptions {
  /** ns since the epoch: when the counters began, and now. */
  readonly startNs: bigint;
  readonly nowNs: bigint;
  /** `host.name`, `service.version` and the like. */
  readonly resource: Labels;
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE */
const CUMULATIVE = 2;

function attributes(labels: Labels): unknown[] {
  return Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** OTLP wants UCUM. */
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', '': '1' };

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

function metric(family: Exclude<Family, SummaryFamily>, times: Times): unknown {
  const { name, help, unit } = family;
  const head = { name, description: help, unit: UNITS[unit] ?? unit };
  switch (family.type) {
    case 'gauge':
    case 'counter': {
      const dataPoints = family.samples.map(({ labels, value }) => ({
        ...times,
        attributes: attributes(labels),
        asDouble: value,
      }));
      return family.type === 'gauge'
        ? { ...head, gauge: { dataPoints } }
        : { ...head, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
    }
    case 'histogram': {
      const dataPoints = family.samples.map(({ labels, bounds, counts, sum }) => ({
        ...times,
        attributes: attributes(labels),
        count: String(counts.reduce((all, n) => all + n, 0)),
        ...(sum === null ? {} : { sum }),
        bucketCounts: counts.map(String),
        explicitBounds: bounds,
      }));
      return { ...head, histogram: { dataPoints, aggregationTemporality: CUMULATIVE } };
    }
  }
}

/**
 * A summary without quantiles is two sums: OTLP keeps its type Summary for old clients, and collectors and back ends drop
 * it or take it apart.
 */
function withoutSummaries(family: Family): Exclude<Family, SummaryFamily>[] {
  if (family.type !== 'summary') return [family];
  const { name, help, unit, samples } = family;
  const type = 'counter';
  return [
    { name: `${name}_sum`, help, unit, type, samples: samples.map(({ labels, sum }) => ({ labels, value: sum })) },
    {
      name: `${name}_count`,
      help: `How many: ${help}`,
      unit: '',
      type,
      samples: samples.map(({ labels, count }) => ({ labels, value: count })),
    },
  ];
}

/** The request's body; families without samples are left out. */
export function otlpRequest(families: readonly Family[], options: OtlpOptions): object {
  const times = { startTimeUnixNano: String(options.startNs), timeUnixNano: String(options.nowNs) };
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributes({ 'service.name': 'vmalocktop', ...options.resource }) },
        scopeMetrics: [
          {
            scope: { name: 'vmalocktop' },
            metrics: families
              .filter(({ samples }) => samples.length > 0)
              .flatMap(withoutSummaries)
              .map((family) => metric(family, times)),
          },
        ],
      },
    ],
  };
}
