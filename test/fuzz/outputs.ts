// SPDX-License-Identifier: MIT
/** Recordings with hostile names and rows, through every output: none throws, prints NaN or the like, or lets a name act. */
import { alertLines, collectAlerts } from '../../cli/commands/replay/alerts.js';
import { statJson } from '../../cli/commands/stat/json.js';
import { statText } from '../../cli/commands/stat/text.js';
import { load } from '../../cli/common/load.js';
import { loadRules } from '../../src/actions/rules.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import { compare } from '../../src/core/diff/compare.js';
import { diffJson } from '../../src/core/diff/json.js';
import { diffText } from '../../src/core/diff/text.js';
import type { Source } from '../../src/core/events/source.js';
import { jsonOf } from '../../src/core/present/clean.js';
import { StackSamples } from '../../src/core/present/stack-samples.js';
import { reportOf } from '../../src/core/verdict/make-report.js';
import { verdictText } from '../../src/core/verdict/text.js';
import { Verdict } from '../../src/core/verdict/verdict.js';
import { TABLES } from '../../src/export/base/choices.js';
import { FORMAT_NAMES } from '../../src/export/formats.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import { metricsText } from '../../src/metrics/text.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { redactSource } from '../../src/recording/read/redact.js';
import { reportPage } from '../../src/report/page.js';
import { verdictPage } from '../../src/report/verdict-page.js';
import { exported } from '../export/support.js';
import { chunksOf } from '../recording/support.js';
import { type CaseRandom, oddName } from './random.js';
import { type Bases, hostileRecording, loadBases } from './recording.js';
import { type Prepared, refusal, type Target } from './target.js';

/** The texts that are written; a binary format gives none. */
type Writer = (random: CaseRandom, source: Source, rules: readonly AlertRule[]) => Promise<readonly string[]>;

const loaded = (source: Source) => load(source, { samples: ({ session }) => new StackSamples(session.arch) });

const WRITERS: Readonly<Record<string, Writer>> = {
  async stat(_random, source) {
    const { snapshot } = await loaded(source);
    return [statText(snapshot), jsonOf(statJson(snapshot))];
  },
  async report(random, source) {
    const { snapshot, truncated, samples } = await loaded(source);
    return [reportPage({ name: oddName(random), snapshot, truncated, stacks: samples }).replaceAll(/[\t\n]/g, ' ')];
  },
  async verdict(random, source) {
    const sink = new Verdict(source.session);
    for await (const batch of source.batches()) sink.push(batch);
    const result = reportOf(sink.finish());
    const page = verdictPage(result, oddName(random), null).replaceAll(/[\t\n]/g, ' ');
    return [verdictText(result, []), jsonOf(result), page];
  },
  async diff(random, source) {
    const one = await loaded(source);
    const diff = compare(one, one);
    return [diffText(diff, [oddName(random), 'b']), jsonOf(diffJson(diff))];
  },
  async metrics(_random, source) {
    const { snapshot } = await loaded(source);
    return [metricsText(snapshotFamilies(snapshot, 10), 'prometheus')];
  },
  async alerts(_random, source, rules) {
    const { watch, events } = collectAlerts(source.session, new Pipeline(source.session), rules);
    for await (const batch of source.batches()) watch.push(batch);
    watch.finish();
    return [alertLines(events)];
  },
  async export(random, source) {
    const format = random.pick(FORMAT_NAMES);
    const { output, error } = await exported(source, {
      format,
      table: random.pick(TABLES),
      weight: random.pick(['count', 'time']),
    });
    if (error !== null) refusal(error);
    // The others are binary.
    return ['jsonl', 'csv', 'folded'].includes(format) ? [output.all().toString()] : [];
  },
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/;

function look(text: string): void {
  const raw = RAW.exec(text);
  if (raw !== null) throw new Error(`U+${raw[0].charCodeAt(0).toString(16)} behind ${around(text, raw.index)}`);
  const odd = /\b(?:NaN|undefined|Infinity)\b|<script>x|\[object /.exec(text);
  if (odd !== null) throw new Error(`shown: ${around(text, odd.index)}`);
}

const around = (text: string, at: number): string => JSON.stringify(text.slice(Math.max(0, at - 80), at + 30));

export const outputs: Target = {
  name: 'outputs',
  async prepare(): Promise<Prepared> {
    const bases: Bases = await loadBases();
    const rules = await loadRules();
    let used = 0;
    return {
      used: () => used,
      async run(random) {
        const bytes = await hostileRecording(random, bases);
        if (bytes === null) return;
        let texts: readonly string[];
        try {
          const opened = await openRecordingBytes(chunksOf(bytes, 65_536), 'it');
          const source = random.one(4) ? redactSource(opened) : opened;
          texts = await (WRITERS[random.pick(Object.keys(WRITERS))] as Writer)(random, source, rules);
        } catch (error) {
          refusal(error);
          return;
        }
        used++;
        for (const text of texts) look(text);
      },
    };
  },
};
