// SPDX-License-Identifier: MIT
/** `daemon`: metrics, alerts, a flight recorder and a socket for dashboards, for as long as the host runs. */

import type { FileHandle } from 'node:fs/promises';
import { reapAsInit } from '../../../src/actions/strays.js';
import { checkUsers, checkUsersFor } from '../../../src/actions/users.js';
import { textOf } from '../../../src/core/present/clean.js';
import { CGROUP_FILTERS } from '../../../src/core/vocabulary/cgroup-filter.js';
import { checkDirectory, checkPlaces, directoriesOf } from '../../../src/daemon/check-places.js';
import { Daemon, type DaemonSource } from '../../../src/daemon/daemon.js';
import { checkFlightDirectory, makeFlightDirectory } from '../../../src/daemon/flight-directory.js';
import { notifyManager } from '../../../src/daemon/notify.js';
import { otlpSecrets, otlpTarget } from '../../../src/daemon/otlp-target.js';
import { pacedSource } from '../../../src/daemon/paced.js';
import { holdConfig, type Loaded, readConfig } from '../../../src/daemon/read-config.js';
import { serveOptions } from '../../../src/daemon/serve-options.js';
import { listenSocket, type StreamSocket } from '../../../src/daemon/socket.js';
import { ExitCode, UserError } from '../../../src/errors.js';
import { stayResident } from '../../../src/live/resident.js';
import { type MetricsServer, parseListen, serveMetrics } from '../../../src/metrics/server.js';
import { giveUpPrivileges } from '../../../src/privileges/give-up.js';
import { findGroup, findUser, type User } from '../../../src/privileges/users.js';
import { loadPacker } from '../../../src/recording/format/zstd.js';
import { boundHeap } from '../../common/heap.js';
import { openRecorded } from '../../common/open.js';
import { print, report, say, signalExitCode } from '../../common/process.js';

export interface DaemonOptions {
  readonly config: string;
  readonly checkConfig?: boolean;
  /** A recording to play at its pace in place of the kernel. */
  readonly play?: string;
}

/** Returns the exit code: 0 when a signal ended it, which is how services end. */
export async function daemon(options: DaemonOptions): Promise<number> {
  const loaded = await readConfig(options.config);
  if (options.checkConfig === true) {
    const notes = await checkPlaces(loaded.config, checkStart(loaded));
    await print(textOf([`${options.config}: ok, ${loaded.rules.length} alert rules`, ...notes]));
    return ExitCode.Ok;
  }
  const opened = new Opened();
  try {
    return await serve(options, loaded, opened);
  } finally {
    await opened.close();
  }
}

/** What is to be closed again, however far the start came. */
class Opened {
  socket: StreamSocket | null = null;
  metrics: MetricsServer | null = null;
  /** The configuration, which privileges.user may not be allowed to open. */
  config: FileHandle | null = null;
  source: DaemonSource | null = null;

  async close(): Promise<void> {
    await this.source?.close();
    await this.socket?.close();
    await this.metrics?.close();
    await this.config?.close();
  }
}

/** What is refused at the start whatever the host does meanwhile: names, addresses, secrets. Returns whom to become. */
function checkStart({ config, actions }: Loaded): User | null {
  otlpTarget(config.otlp);
  otlpSecrets(config.otlp);
  const { metrics, socket, privileges } = config;
  if (metrics.listen !== '') {
    parseListen(metrics.listen);
    serveOptions(metrics);
  }
  if (socket.path !== '' && socket.group !== '') findGroup(socket.group);
  const root = process.geteuid?.() === 0;
  const user = root ? findUser(privileges.user) : null;
  if (user?.uid === 0)
    throw new UserError(
      'cannot give up privileges',
      'privileges.user is root',
      'name a user of its own, such as the one of share/systemd/vmalocktop.sysusers',
      ExitCode.Usage,
    );
  checkUsersFor(actions, user ?? { uid: process.geteuid?.(), gid: process.getegid?.() });
  return user;
}

async function serve(options: DaemonOptions, loaded: Loaded, opened: Opened): Promise<number> {
  const { config } = loaded;
  const user = checkStart(loaded);
  let running: Daemon | null = null;
  // Whatever needs a file or a port fails before the kernel is touched.
  if (config.socket.path !== '') {
    const gid = config.socket.group === '' ? (user?.gid ?? null) : findGroup(config.socket.group);
    opened.socket = await listenSocket(config.socket.path, gid, config.socket);
  }
  if (config.metrics.listen !== '') {
    opened.metrics = await serveMetrics(
      config.metrics.listen,
      {
        families: () => running?.levelFamilies() ?? [],
        health: () => running?.health() ?? { ok: false, notes: ['starting'] },
      },
      { log: say, ...serveOptions(config.metrics) },
    );
  }
  const directories = directoriesOf(config);
  for (const directory of directories) {
    checkDirectory(directory, user);
    makeFlightDirectory(directory, user);
  }
  const source = await openSource(options, loaded);
  opened.source = source;
  opened.config = await holdConfig(options.config);
  const otlp = otlpSecrets(config.otlp);
  boundHeap();
  // Loaded by now, so that its pages are locked as well.
  await loadPacker();
  const residency = options.play === undefined && config.budget.lock ? stayResident() : null;
  giveUpPrivileges(user);
  checkUsers(loaded.actions);
  for (const directory of directories) checkFlightDirectory(directory);
  const { metrics } = opened;
  running = await Daemon.create({
    loaded,
    source,
    socket: opened.socket,
    residency,
    otlp,
    log: say,
    // A recording that is played says what its recorder used, not what this process does.
    ...(metrics !== null && options.play === undefined && { servingNs: () => metrics.cpuNs() }),
  });
  reapAsInit();
  const signals = listen(options, running, source, opened.config);
  const at = [opened.metrics && `http://${opened.metrics.address}/metrics`, config.socket.path].filter(Boolean);
  say(`observing, scope ${source.session.scope}${at.length === 0 ? '' : `; ${at.join(', ')}`}`);
  void notifyManager('--ready', `--status=scope ${source.session.scope}`);
  try {
    await running.run();
  } catch (error) {
    return report(error);
  } finally {
    void notifyManager('STOPPING=1');
    signals.dispose();
  }
  return ExitCode.Ok;
}

async function openSource(options: DaemonOptions, { config }: Loaded): Promise<DaemonSource> {
  if (options.play !== undefined) return pacedSource(await openRecorded(options.play));
  const { observe } = config;
  const { openLive } = await import('../../../src/live/open.js');
  const live = await openLive({
    scope: observe.scope,
    release: 'auto',
    pids: observe.pid.map(Number),
    tids: [],
    ...(observe.comm === '' ? {} : { comm: observe.comm }),
    cgroups: CGROUP_FILTERS.flatMap((kind) => observe[kind].map((text) => ({ kind, text }))),
    minUs: observe.minUs,
    ringBytes: observe.ringSize,
    follow: false,
    stats: false,
    writers: observe.writers,
    writerMinUs: observe.writerMinUs,
    holdMinUs: observe.holdMinUs,
    stacks: { kernel: observe.stacks, user: false },
    lock: config.budget.lock,
    without: observe.without,
    hostRoot: config.host.root,
    standDown: () => {},
  });
  // Names of the kernel are read by privilege, and in the background.
  await live.primed();
  return live;
}

/** SIGHUP reloads, SIGUSR1 writes out the flight recorder, SIGINT and SIGTERM end; a second one of these ends at once. */
function listen(
  options: DaemonOptions,
  running: Daemon,
  source: DaemonSource,
  config: FileHandle | null,
): { dispose(): void } {
  let stopping = false;
  const stop = (name: NodeJS.Signals): void => {
    if (stopping) process.exit(signalExitCode(name));
    stopping = true;
    source.close().catch((error: unknown) => report(error));
  };
  const reload = async (): Promise<void> => {
    try {
      const changed = await readConfig(options.config, config);
      checkUsers(changed.actions);
      const kept = running.reload(changed);
      say(kept === null ? `${options.config} was reloaded` : `the configuration was kept: ${kept}`);
    } catch (error) {
      // Whatever it is, the session goes on under what it had.
      if (!(error instanceof UserError)) report(error);
      say(`the configuration was kept: ${running.keep(error instanceof Error ? error.message : String(error))}`);
    }
  };
  const dump = async (): Promise<void> => {
    const file = await running.dump('SIGUSR1').catch((error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      return null;
    });
    if (file !== null) say(`flight recorder written to ${file}`);
  };
  const handlers: readonly (readonly [NodeJS.Signals, (name: NodeJS.Signals) => void])[] = [
    ['SIGINT', stop],
    ['SIGTERM', stop],
    ['SIGHUP', () => void reload()],
    ['SIGUSR1', () => void dump()],
  ];
  for (const [name, handler] of handlers) process.on(name, handler);
  return {
    dispose: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
