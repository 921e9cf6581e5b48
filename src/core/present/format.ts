// SPDX-License-Identifier: MIT
/** Numbers as people read them. Durations are ns, rates per second; NaN (not known) is always `?`. */
import type { Interval } from '../lifecycle/lifecycle.js';

const UNKNOWN = '?';

/** Three significant digits, without a trailing `.0`. */
function three(value: number): string {
  if (value >= 100) return Math.round(value).toString();
  return (value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/\.?0+$/, '');
}

function scaled(value: number, step: number, units: readonly string[]): [string, string] {
  let v = value;
  let i = 0;
  // 999.5 would round to 1000 of this unit: it belongs to the next.
  while (v >= step - 0.5 && i < units.length - 1) {
    v /= step;
    i++;
  }
  return [i === 0 && Number.isInteger(v) ? v.toString() : three(v), units[i] ?? ''];
}

/** `0`, `950`, `12.3k`, `4.5M`. */
export function formatCount(value: number): string {
  if (Number.isNaN(value)) return UNKNOWN;
  if (value < 0) return `-${formatCount(-value)}`;
  const [digits, unit] = scaled(value, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
  return digits + unit;
}

/** Every digit, in groups: `1,234,567`. */
export function formatExact(value: number): string {
  return Number.isNaN(value) ? UNKNOWN : value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `12.3k/s`; `–` for a rate there is no earlier snapshot for. */
export function formatRate(perSecond: number): string {
  return Number.isNaN(perSecond) ? '–' : `${formatCount(perSecond)}/s`;
}

/** `0 ns`, `850 ns`, `12.3 µs`, `4.5 ms`, `1.2 s`, `3 m 20 s`. */
export function formatDuration(ns: number): string {
  if (Number.isNaN(ns)) return UNKNOWN;
  if (ns === Number.POSITIVE_INFINITY) return '∞';
  if (ns < 0) return `-${formatDuration(-ns)}`;
  if (ns >= 99.95e9) return `${Math.floor(Math.round(ns / 1e9) / 60)} m ${Math.round(ns / 1e9) % 60} s`;
  const [digits, unit] = scaled(Math.round(ns), 1000, ['ns', 'µs', 'ms', 's']);
  return `${digits} ${unit}`;
}

/** A duration known to lie in [lo, hi]: `12 µs`, `12 µs…40 µs`, `≥ 12 µs`, `≤ 40 µs`, `?`. */
export function formatInterval(interval: Interval): string {
  const { lo, hi } = interval;
  if (Number.isNaN(lo) || Number.isNaN(hi)) return UNKNOWN;
  if (lo === hi) return formatDuration(lo);
  const bounded = Number.isFinite(hi);
  // Nothing lasts less than no time: a lower bound of 0 or less says nothing.
  if (lo <= 0) return bounded ? `≤ ${formatDuration(hi)}` : UNKNOWN;
  return bounded ? `${formatDuration(lo)}…${formatDuration(hi)}` : `≥ ${formatDuration(lo)}`;
}

/** The same where there is room for one figure: `12 µs`, or the lower bound `≥ 12 µs`. */
export function formatLower(interval: Interval): string {
  const exact = interval.lo === interval.hi;
  return formatInterval(exact ? interval : { lo: interval.lo, hi: Number.POSITIVE_INFINITY });
}

/** `00:02:13`, hours without bound. */
export function formatClock(ns: number): string {
  const s = Math.max(0, Math.floor(ns / 1e9));
  const two = (n: number): string => n.toString().padStart(2, '0');
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Time within the session, to the µs: `12.345678`. */
export function formatTime(ns: number): string {
  return Number.isFinite(ns) ? (ns / 1e9).toFixed(6) : UNKNOWN;
}

/** `7f3a1c000000`: 48-bit user addresses fit twelve digits. */
export function formatAddress(address: number): string {
  return Number.isNaN(address) ? UNKNOWN : address.toString(16);
}

/** `512 B`, `4 KiB`, `85.3 MiB`. */
export function formatBytes(bytes: number): string {
  if (Number.isNaN(bytes)) return UNKNOWN;
  const [digits, unit] = scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
  return `${digits} ${unit}`;
}

/** A share in [0, 1] as percent, at most six columns: `62.5%`, `<0.1%`, `100%`; `–` of nothing. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '–';
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (percent < 0.1) return '<0.1%';
  if (percent > 99.9 && percent < 100) return '>99.9%';
  return `${percent.toFixed(1)}%`;
}
