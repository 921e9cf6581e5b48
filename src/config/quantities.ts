// SPDX-License-Identifier: MIT
/** Durations as people write them. */

const NS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86400e9 };

/** `500ms`, `5s`, `1.5m`, `2h`, `7d` in ns; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  return match === null ? undefined : Number(match[1]) * (NS[match[2] ?? ''] ?? Number.NaN);
}

/** ns, in the largest unit that needs no fraction: `5s`, `90s`, `2m`. */
export function formatDurationText(ns: number): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = NS[unit] ?? Number.NaN;
    if (ns >= size && ns % size === 0) return `${ns / size}${unit}`;
  }
  return `${ns / 1e9}s`;
}
