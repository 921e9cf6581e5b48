// SPDX-License-Identifier: MIT
/** What /metrics says, as numbers by series. */

/** Prometheus' text format. Keys are series as they stand there: `name{label="value"}`. */
export type Scraped = ReadonlyMap<string, number>;

export function parseMetrics(text: string): Scraped {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return series;
}

export async function scrape(url: string): Promise<Scraped> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

/** By the value of the only label of `name`: `{avoidable: 3, …}`. */
export function byLabel(series: Scraped, name: string): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [key, value] of series) {
    const label = key.startsWith(`${name}{`) ? /^[^{]*\{\w+="([^"]*)"\}$/.exec(key)?.[1] : undefined;
    if (label !== undefined) out[label] = value;
  }
  return out;
}
