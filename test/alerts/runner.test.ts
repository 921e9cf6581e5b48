// SPDX-License-Identifier: MIT
/** Several actions at once: which events each takes, how many, and that nothing waits for them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Action, ExecAction } from '../../src/actions/actions.js';
import { type ActionDeps, ActionRunner } from '../../src/actions/runner.js';
import type { AlertEvent } from '../../src/core/alerts/event.js';
import { syntheticSession } from '../core/session.js';
import { patience } from '../pace.js';
import { COMMON, EVENT } from './event.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-runner-'));
after(() => rm(directory, { recursive: true }));

const LOG: Action = { type: 'log', ...COMMON };
const RESOLVED: AlertEvent = { ...EVENT, kind: 'resolved' };

function shell(text: string, changes: Partial<ExecAction> = {}): Action {
  const argv = ['/bin/sh', '-c', text] as const;
  return { type: 'exec', ...COMMON, argv, timeoutMs: patience(5000), uid: null, gid: null, ...changes };
}

function runner(actions: readonly Action[], deps: Partial<ActionDeps> = {}): { runner: ActionRunner; lines: string[] } {
  const lines: string[] = [];
  const all = { session: syntheticSession(), log: (line: string) => void lines.push(line), ...deps };
  return { runner: new ActionRunner(actions, all), lines };
}

describe('actions', () => {
  it('take the events they are for', async () => {
    const { runner: actions, lines } = runner([
      { ...LOG, on: ['resolved'] },
      { ...LOG, minSeverity: 'critical' },
      { ...LOG, rules: ['other'] },
      { ...LOG, rules: ['retry-fallbacks'], minSeverity: 'warning', on: ['firing'] },
    ]);
    actions.handle([EVENT, RESOLVED]);
    await actions.close();
    assert.deepEqual(
      actions.stats().map(({ done }) => done),
      [1, 0, 0, 1],
    );
    assert.equal(lines.length, 2);
    assert.match(lines.join('\n'), /warning retry-fallbacks firing \(postgres \(812\)\)/);
  });

  it('do not keep each other, or the source of their events, waiting', async () => {
    const { runner: actions, lines } = runner([shell('sleep 1'), LOG]);
    actions.handle([EVENT]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(lines.length, 1);
    assert.deepEqual(
      actions.stats().map(({ waiting }) => waiting),
      [1, 0],
    );
    await actions.close();
  });

  it('are told one time of an event, whenever they come to it', async () => {
    const session = syntheticSession();
    const clocks = [{ time: 0, realtimeNs: '1000000000000000000' }];
    const [early, late] = [join(directory, 'early'), join(directory, 'late')];
    const into = (path: string, before: string): Action => ({
      ...(shell('') as ExecAction),
      argv: ['/bin/sh', '-c', `${before} cat >> "$1"`, 'sh', path],
    });
    const { runner: actions } = runner([into(early, ''), into(late, 'sleep 0.3;')], {
      session: { ...session, clocks },
    });
    actions.handle([EVENT, EVENT]);
    // The second one waits behind the first when the clock is found to have been set.
    clocks.push({ time: EVENT.time - 1, realtimeNs: '2000000000000000000' });
    await actions.idle();
    assert.equal(await readFile(late, 'utf8'), await readFile(early, 'utf8'));
    assert.match(await readFile(early, 'utf8'), /"at":"2001-/);
    await actions.close();
  });

  it('are done one after the other, in order', async () => {
    const path = join(directory, 'order');
    const { runner: actions } = runner([
      { ...(shell('') as ExecAction), argv: ['/bin/sh', '-c', 'cat >> "$1"; sleep 0.1', 'sh', path] },
    ]);
    actions.handle([EVENT, RESOLVED, EVENT]);
    await actions.idle();
    const kinds = (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    assert.deepEqual(kinds, ['firing', 'resolved', 'firing']);
  });

  it('take no more than their rate, say so once, and take more when time has passed', async () => {
    let now = 0;
    const { runner: actions, lines } = runner([{ ...LOG, perMinute: 3 }], { now: () => now });
    actions.handle([EVENT, EVENT, EVENT, EVENT, EVENT]);
    now = 20_000;
    actions.handle([EVENT, EVENT]);
    await actions.close();
    const [{ done, dropped } = { done: 0, dropped: 0 }] = actions.stats();
    assert.deepEqual([done, dropped], [4, 3]);
    const notes = lines.filter((line) => line.startsWith('action log'));
    assert.deepEqual(
      notes,
      Array(2).fill('action log takes 3 a minute; more events are dropped until it takes them again'),
    );
  });

  it('hold a bounded number that wait', async () => {
    const { runner: actions, lines } = runner([shell('sleep 0.01; exit 1', { perMinute: 6000 })]);
    actions.handle(Array(100).fill(EVENT));
    assert.equal(actions.stats()[0]?.waiting, 64);
    assert.equal(actions.stats()[0]?.dropped, 36);
    assert.deepEqual(lines, [
      'action exec /bin/sh is too slow: 64 wait; more events are dropped until it takes them again',
    ]);
    await actions.close();
    assert.equal(actions.stats()[0]?.waiting, 0);
    assert.equal(actions.stats()[0]?.failed, 64);
  });

  it('that fail are said to, and the next event is tried again', async () => {
    const { runner: actions, lines } = runner([shell('echo broken >&2; exit 3')]);
    actions.handle([EVENT, RESOLVED]);
    await actions.close();
    assert.deepEqual(lines, Array(2).fill('action exec /bin/sh failed for retry-fallbacks: exit code 3: broken'));
  });

  it('write out the flight recorder, and say where, or that there is none', async () => {
    const flight: Action = { type: 'flight-recorder', ...COMMON, on: ['firing'] };
    const asked: string[] = [];
    const dumpFlight = async (why: string): Promise<string> => {
      asked.push(why);
      return '/var/lib/x.vmlt';
    };
    const { runner: actions, lines } = runner([flight], { dumpFlight });
    actions.handle([EVENT, RESOLVED]);
    await actions.close();
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /^warning retry-fallbacks firing/);
    assert.deepEqual(lines, ['flight recorder written to /var/lib/x.vmlt']);
    const without = runner([flight]);
    without.runner.handle([EVENT]);
    await without.runner.close();
    assert.deepEqual(without.lines, ['action flight-recorder failed for retry-fallbacks: no flight recorder runs']);
    const failing = runner([flight], { dumpFlight: () => Promise.reject(new Error('no space left')) });
    failing.runner.handle([EVENT]);
    await failing.runner.close();
    assert.match(failing.lines[0] ?? '', /failed for retry-fallbacks: Error: no space left/);
  });

  it('hand the path of the recording to programs, in whatever order the actions stand', async () => {
    const path = join(directory, 'flight');
    const argv: ExecAction['argv'] = ['/bin/sh', '-c', 'cat > "$1"; echo "$VMALOCKTOP_FLIGHT" >> "$1"', 'sh', path];
    const actions: Action[] = [
      { ...(shell('') as ExecAction), argv },
      { type: 'flight-recorder', ...COMMON, on: ['firing'] },
    ];
    const slow = async (): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return '/var/lib/x.vmlt';
    };
    const { runner: written } = runner(actions, { dumpFlight: slow });
    written.handle([EVENT]);
    await written.close();
    const [body = '', variable] = (await readFile(path, 'utf8')).trimEnd().split('\n');
    assert.equal(JSON.parse(body).flight, '/var/lib/x.vmlt');
    assert.equal(variable, '/var/lib/x.vmlt');
    // None was written: neither the field nor the variable is there.
    const { runner: failing } = runner(actions, { dumpFlight: () => Promise.reject(new Error('no space left')) });
    failing.handle([EVENT]);
    await failing.close();
    const [without = '', empty = 'absent'] = (await readFile(path, 'utf8')).split('\n');
    assert.ok(!('flight' in JSON.parse(without)));
    assert.equal(empty, '');
  });

  it('of all kinds arrive for one event; addresses are not logged whole', async (t) => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.on('data', (chunk) => bodies.push(String(chunk)));
      request.on('end', () => response.writeHead(bodies.length > 1 ? 403 : 200).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-token`;
    const path = join(directory, 'all');
    const { runner: actions, lines } = runner(
      [
        LOG,
        { ...(shell('') as ExecAction), argv: ['/bin/sh', '-c', 'cat > "$1"', 'sh', path] },
        { type: 'webhook', ...COMMON, url, headers: {}, timeoutMs: patience(2000), retries: 0, backoffMs: 10 },
        { type: 'flight-recorder', ...COMMON, on: ['firing'] },
      ],
      { dumpFlight: async () => 'f' },
    );
    actions.handle([EVENT]);
    await actions.idle();
    assert.deepEqual(
      actions.stats().map(({ type, done }) => `${type} ${done}`),
      ['log 1', 'exec 1', 'webhook 1', 'flight-recorder 1'],
    );
    assert.equal(await readFile(path, 'utf8'), bodies[0]);
    assert.equal(JSON.parse(bodies[0] ?? '').rule, 'retry-fallbacks');
    actions.handle([RESOLVED]);
    await actions.close();
    const failure = lines.find((line) => line.includes('webhook'));
    assert.match(failure ?? '', /^action webhook http:\/\/127\.0\.0\.1:\d+ failed for retry-fallbacks: HTTP 403/);
    assert.ok(!lines.join('\n').includes('secret-token'));
  });

  it('take nothing after they were closed', async () => {
    const { runner: actions } = runner([LOG]);
    await actions.close();
    actions.handle([EVENT]);
    assert.equal(actions.stats()[0]?.dropped, 1);
  });
});
