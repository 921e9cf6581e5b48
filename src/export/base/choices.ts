// SPDX-License-Identifier: MIT
/** What a format leaves to choose: plain words, which the command line lists without loading the code behind them. */

/** What a row is, of parquet, jsonl and csv. */
export const TABLES = ['lifecycles', 'attempts', 'waits', 'stacks', 'events'] as const;
export type TableName = (typeof TABLES)[number];

/** What a stack weighs, of folded and pprof: how often it was taken, or the ns it stands for. */
export const WEIGHTS = ['count', 'time'] as const;
export type Weight = (typeof WEIGHTS)[number];
