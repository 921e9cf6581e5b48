// SPDX-License-Identifier: MIT
/** In a guest: ask-prometheus PORT. What it knows of the daemon, as one line of JSON. */

/** What the test wants to know of a Prometheus. */
export interface Asked {
  readonly scrapes: number;
  /** Of those, failed. */
  readonly failed: number;
  /** Series a scrape brought: the most, and the latest. */
  readonly mostSeries: number;
  readonly latestSeries: number;
  /** In its head, over all processes that ever were in the list. */
  readonly headSeries: number;
  /** Names of counters that went back, and how often, over all series of the name. */
  readonly resets: Readonly<Record<string, number>>;
  readonly rulesOk: number;
  /** Counters as they were scraped last: series by its text, without what Prometheus adds. */
  readonly counters: Readonly<Record<string, number>>;
}

interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const [port = ''] = process.argv.slice(2);
const api = async (path: string): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json() as Promise<unknown>;
const rows = async (expression: string): Promise<readonly Row[]> => {
  const answer = (await api(`query?query=${encodeURIComponent(expression)}`)) as {
    readonly error?: string;
    readonly data?: { readonly result: readonly Row[] };
  };
  if (answer.data === undefined) throw new Error(`${expression}: ${answer.error}`);
  return answer.data.result;
};
const one = async (expression: string): Promise<number> => Number((await rows(expression))[0]?.value[1]);

function seriesOf({ __name__: name, ...labels }: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).filter(([label]) => label !== 'instance' && label !== 'job');
  return own.length === 0 ? `${name}` : `${name}{${own.map(([label, value]) => `${label}="${value}"`).join()}}`;
}

/** Series whose name matches, as they were scraped last: after a scrape that failed, Prometheus knows of no value now. */
const newest = (name: string): string => `last_over_time({__name__=~"vmalocktop_${name}"}[1h])`;

/** Of one name after the other: resets() takes the names off, and series of two counters would be the same one then. */
async function resets(): Promise<Record<string, number>> {
  const names = new Set((await rows(newest('.*_(total|count)'))).map(({ metric }) => metric.__name__ ?? ''));
  if (names.size === 0) throw new Error('no counter was scraped');
  const back: Record<string, number> = {};
  for (const name of names) {
    const times = await one(`sum(resets(${name}[1h]))`);
    if (times !== 0) back[name] = times;
  }
  return back;
}

async function ask(): Promise<Asked> {
  const head = (await api('status/tsdb')) as { data: { headStats: { numSeries: number } } };
  return {
    scrapes: await one('count_over_time(up[1h])'),
    failed: (await one('count_over_time(up[1h])')) - (await one('sum_over_time(up[1h])')),
    mostSeries: await one('max_over_time(scrape_samples_scraped[1h])'),
    latestSeries: await one('last_over_time(scrape_samples_scraped[1h])'),
    headSeries: head.data.headStats.numSeries,
    resets: await resets(),
    rulesOk: JSON.stringify(await api('rules')).match(/"health":"ok"/g)?.length ?? 0,
    counters: Object.fromEntries(
      (await rows(newest('.*_total')))
        .filter(({ metric }) => metric.__name__?.startsWith('vmalocktop_process_') === false)
        .map(({ metric, value }) => [seriesOf(metric), Number(value[1])]),
    ),
  };
}

process.stdout.write(`${JSON.stringify(await ask())}\n`);
