// SPDX-License-Identifier: MIT
/** What `info` prints for people. Pure. */
import { pidWords } from '../../../src/core/events/session.js';
import { type CleanText, textOf } from '../../../src/core/present/clean.js';
import { formatBytes, formatDuration, formatExact } from '../../../src/core/present/format.js';
import type { Inventory, Losses } from '../../../src/recording/read/inventory.js';

/** Markers listed; the rest is counted. */
const MAX_MARKERS = 20;

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(3)} s`;

function lossLines(losses: Losses, events: number): string[] {
  const lines: string[] = [];
  if (losses.damage !== null) lines.push(`DAMAGED  ${losses.damage}`);
  if (losses.cutOff !== null) {
    lines.push(`CUT OFF  ${losses.cutOff}`);
    if (!losses.cutOff.includes('further part') && losses.longestPauseNs !== null)
      lines.push(
        `         its recorder wrote all it had at each sample, and samples came up to ${formatDuration(losses.longestPauseNs)} apart:`,
        '         if it was killed, no more than that is missing; if the file was shortened, nobody can tell',
      );
  }
  const of = (what: Readonly<Record<string, number>>): string =>
    Object.entries(what)
      .map(([name, count]) => `${name} ${formatExact(count)}`)
      .join(', ');
  const { dropped, missed } = losses;
  const share = dropped.total > 0 ? `: ${of(dropped.perKind)}` : '';
  lines.push(`dropped      ${formatExact(dropped.total)} of ${formatExact(events + dropped.total)} records${share}`);
  lines.push(`missed       ${formatExact(missed.total)} runs${missed.total > 0 ? `: ${of(missed.perProgram)}` : ''}`);
  const unaccounted =
    losses.unaccounted === null
      ? 'not known: the last counters are not the final ones'
      : `${formatExact(losses.unaccounted)} records neither here nor dropped`;
  lines.push(`unaccounted  ${unaccounted}`);
  lines.push(`not opened   ${formatExact(losses.notOpened)} lifecycles: no room for a per-task record`);
  const notes = losses.notesLost === null ? 'not counted when this was recorded' : formatExact(losses.notesLost);
  lines.push(`notes lost   ${notes}`);
  return lines;
}

function contentLines({ bytes, messages, rows, time, parts, written }: Inventory): string[] {
  const { events, others } = rows;
  const lines: string[] = [];
  if (written !== null) lines.push(`of a flight recorder, written out: ${written}`);
  if (parts !== null)
    lines.push(parts.count === 1 ? `part ${parts.first}` : `parts ${parts.first} to ${parts.first + parts.count - 1}`);
  const each = events > 0 ? `, ${(bytes / events).toFixed(1)} bytes an event` : '';
  lines.push(
    `${formatExact(events)} events, ${formatExact(others)} other rows, ${formatExact(messages)} batches`,
    `${formatBytes(bytes)}${each}`,
  );
  const rate = time.durationNs > 0 ? `, ${formatExact(Math.round((events * 1e9) / time.durationNs))} events/s` : '';
  if (time.firstNs !== null)
    lines.push(`${seconds(time.durationNs)} from ${seconds(time.firstNs)} on${rate}, began ${time.began ?? '?'}`);
  if (time.silence !== null)
    lines.push(`longest silence ${formatDuration(time.silence.ns)}, from ${seconds(time.silence.atNs)} on`);
  return lines;
}

function sessionLines({ session }: Inventory): string[] {
  const filters = Object.entries(session.filters).map(([key, value]) => `${key} ${value}`);
  const lines = [
    `${session.host}, Linux ${session.kernel} ${session.arch}, ${session.cpus} CPUs, preemption ${session.preemption}`,
    `${session.tool}: ${session.commandLine.join(' ')}`,
    `scope ${session.scope}, release ${session.release}, filters ${filters.length > 0 ? filters.join(', ') : 'none'}`,
  ];
  const pids = pidWords(session);
  if (pids !== '') lines.push(pids);
  const attached = session.hooks.filter((hook) => hook.attached).map((hook) => hook.target);
  lines.push(`hooks: ${attached.join(', ')}`);
  for (const hook of session.hooks) if (!hook.attached) lines.push(`without ${hook.target}: ${hook.note}`);
  return lines;
}

export function infoText(inventory: Inventory): CleanText {
  const { markers, rows } = inventory;
  const kinds = Object.entries(rows.perKind).sort(([, x], [, y]) => y - x);
  const width = Math.max(0, ...kinds.map(([, count]) => formatExact(count).length));
  const sections: [string, string[]][] = [
    ['Losses', lossLines(inventory.losses, rows.events)],
    ['Recording', contentLines(inventory)],
    ['Session', sessionLines(inventory)],
    ['Rows', kinds.map(([name, count]) => `${formatExact(count).padStart(width)}  ${name}`)],
    ['Markers', markers.slice(0, MAX_MARKERS).map(({ time, kind, text }) => `${seconds(time)}  ${kind}: ${text}`)],
  ];
  if (markers.length > MAX_MARKERS) sections.at(-1)?.[1].push(`and ${markers.length - MAX_MARKERS} more`);
  const lines = [inventory.file];
  for (const [title, body] of sections) if (body.length > 0) lines.push('', title, ...body.map((line) => `  ${line}`));
  return textOf(lines);
}
