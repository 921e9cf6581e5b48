// SPDX-License-Identifier: MIT
/**
 * Sessions recorded in a guest (test/vm/guest/causes, mixed): workloads with the truth of each, and every fault the tool
 * followed meanwhile. The recordings are read here, where Node is not emulated.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../cli/run.js';
import { type GuestOptions, runInGuest } from './guest.js';
import { Session } from './guest-session.js';
import { assertConserved, type Fault, type Head, type Rule, type Stat } from './session.js';

/** Files the guest's block devices need: swap and the file system. */
export const DISKS: readonly string[] = ['512M', '256M'];
/** Runs the workloads: its arguments are the sessions and a pattern for the workloads' names. */
export const CAUSES = 'test/vm/guest/causes';
/** Two NUMA nodes to migrate between. */
export const NUMA = 'numa=fake=2';

/** Runs the tool here; what it printed. Exit codes other than 0 and `finding` are failures. */
async function tool(argv: readonly string[], finding = 0): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  const words: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  assert.ok(code === 0 || code === finding, `${argv.join(' ')}: exit ${code}; ${Buffer.concat(words).toString()}`);
  return Buffer.concat(chunks).toString();
}

async function readSession(head: Head): Promise<Session> {
  assert.equal(head.code, 0, `session ${head.observed}: ${head.words}`);
  const directory = await mkdtemp(join(tmpdir(), 'observed-'));
  try {
    const file = join(directory, 'recording');
    await writeFile(file, Buffer.from(head.recording, 'base64'));
    // VM_KEEP=DIRECTORY: what failed once in ten runs can be looked at.
    const { VM_KEEP: keep = '' } = process.env;
    if (keep !== '') {
      const name = join(keep, `${head.observed}-${Date.now()}`);
      await copyFile(file, `${name}.vmlt`);
      await writeFile(`${name}.json`, JSON.stringify(head.truths));
    }
    const stat = JSON.parse(await tool(['stat', '--json', file])) as Stat;
    const { rules } = JSON.parse(await tool(['check', '--json', file], 1)) as { rules: Rule[] };
    const session = new Session(head, stat, rules);
    const lines = await tool(['export', '--format', 'jsonl', '--output', '-', file]);
    for (const line of lines.trim().split('\n')) {
      const row = JSON.parse(line) as Fault | { session: unknown };
      if (!('session' in row)) session.add(row); // the first line says what the session was
    }
    return session;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Boots, records, and reads what came back, by session. `argv` ends with one of the guest scripts and its arguments. */
export async function observe(
  argv: readonly string[],
  options: Omit<GuestOptions, 'argv'>,
): Promise<Map<string, Session>> {
  const result = await runInGuest({
    swap: 'gate',
    disks: DISKS,
    timeoutS: 1800,
    ...options,
    argv: ['test/vm/guest/files-setup', ...argv],
  });
  assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
  const sessions = new Map<string, Session>();
  for (const line of result.stdout.trim().split('\n')) {
    const session = await readSession(JSON.parse(line) as Head);
    sessions.set(session.name, session);
    assertConserved(session.stat);
    assert.equal(session.stat.ended, true);
    const violated = session.rules.filter((rule) => rule.result === 'violated');
    assert.deepEqual(violated, [], 'no invariant is violated');
  }
  return sessions;
}
