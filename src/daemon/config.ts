// SPDX-License-Identifier: MIT
/** What can be set, key by key: type, range, default, and whether a running daemon can take a new value. */
import type { Scope } from '../core/events/session.js';
import { HOOKS } from '../live/hooks.js';
import { flag, type Keys, key, number, oneOf, size, span, text, whole, words } from './config-kinds.js';
import { LAKE_TABLES, type LakeTable } from './lake.js';

/** In the file the same names with `_`: `min_us`. */
export interface DaemonConfig {
  readonly observe: {
    readonly scope: Scope;
    readonly minUs: number;
    readonly ringSize: number;
    /** Decimal; empty for all. */
    readonly pid: readonly string[];
    /** '' for all. */
    readonly comm: string;
    /** Only what these mean, and what lies below; all four empty: all. */
    readonly cgroup: readonly string[];
    readonly container: readonly string[];
    readonly pod: readonly string[];
    readonly unit: readonly string[];
    readonly writers: boolean;
    readonly writerMinUs: number;
    readonly holdMinUs: number;
    /** Kernel stacks of retries and writers. Those of processes need privileges as long as they are read. */
    readonly stacks: boolean;
    readonly without: readonly string[];
  };
  readonly metrics: {
    /** ADDRESS:PORT; '' for none. */
    readonly listen: string;
    readonly topProcesses: number;
    /** fleet: at most 60 series, none of a process. */
    readonly profile: 'full' | 'fleet';
    /** PEM files; '' for plain HTTP. Both or none. */
    readonly tlsCert: string;
    readonly tlsKey: string;
    /** File of one line, user:password; '' for none. */
    readonly passwordFile: string;
  };
  readonly otlp: {
    /** Of a collector, ending in /v1/metrics; '' for what OTEL_EXPORTER_OTLP_ENDPOINT says, or none. */
    readonly url: string;
    /** Seconds. */
    readonly interval: number;
    readonly gzip: boolean;
    /** File of lines, name: value; '' for none. */
    readonly headersFile: string;
    /** PEM files; '' for the system's certificates, and none of our own. */
    readonly ca: string;
    readonly clientCert: string;
    readonly clientKey: string;
  };
  readonly socket: {
    /** '' for none. */
    readonly path: string;
    /** Who may connect; '' for the group of the daemon's user. */
    readonly group: string;
    readonly clients: number;
    /** Bytes a client may be behind before it is dropped. */
    readonly clientBuffer: number;
  };
  readonly host: {
    /** Where the host's files are, for names of containers: a mount of its / inside a container. */
    readonly root: string;
  };
  readonly privileges: {
    /** Whom to become when started as root. */
    readonly user: string;
  };
  readonly flight: {
    /** Kept in memory, seconds; 0 for none. */
    readonly keep: number;
    readonly size: number;
    readonly directory: string;
    /** Files kept there; the oldest of ours go. */
    readonly files: number;
  };
  readonly lake: {
    /** '' for none. */
    readonly directory: string;
    readonly tables: readonly LakeTable[];
    /** Bytes of files kept there; the oldest go. */
    readonly size: number;
  };
  readonly alerts: {
    readonly enabled: boolean;
    /** Seconds. */
    readonly interval: number;
  };
  readonly budget: {
    /** Of one CPU; 0 for no limit. */
    readonly cpuPercent: number;
    /** Resident bytes; 0 for no limit. */
    readonly memory: number;
    /** Lower the scope when the ring drops records. */
    readonly drops: boolean;
    /** Lifecycles open at a time. */
    readonly openFaults: number;
    /** CPU time and drops are judged over this long, seconds. */
    readonly window: number;
    /** Keep the program in memory, and from being the first the OOM killer takes. */
    readonly lock: boolean;
  };
}

const isPid = (word: string): boolean => /^[1-9]\d{0,6}$/.test(word) && Number(word) <= 2 ** 22;
const isSaid = (word: string): boolean => word.trim() !== '';
const isHook = (word: string): boolean => HOOKS.some(({ target }) => target === word);

const K = 2 ** 10;
const M = 2 ** 20;
const G = 2 ** 30;

export const KEYS: Keys<DaemonConfig> = {
  observe: {
    scope: key(oneOf('swap', 'retry', 'all'), 'retry', 'which faults are followed step by step'),
    minUs: key(whole(0, 0xffff_ffff), 0, 'also follow other faults that take this long; 0: none'),
    ringSize: key(size(4 * K, G, true), 16 * M, 'ring buffer'),
    pid: key(words('process ids as strings', isPid), [], 'only these processes; empty: all'),
    comm: key(text(0, 15), '', 'only tasks of this name; empty: all'),
    cgroup: key(words('cgroups by path or id', isSaid), [], 'only these cgroups, and those below them; empty: all'),
    container: key(words('containers by name or id', isSaid), [], 'only these containers; empty: all'),
    pod: key(words('pods as NAMESPACE/NAME or uid', isSaid), [], 'only these pods of Kubernetes; empty: all'),
    unit: key(words('names of units', isSaid), [], 'only these units of systemd; empty: all'),
    writers: key(flag, true, "hook mmap_lock's tracepoints"),
    writerMinUs: key(whole(0, 0xffff_ffff), 100, 'show writers that waited at least this long'),
    holdMinUs: key(
      whole(0, 0xffff_ffff),
      10_000,
      'show holds of mmap_lock nobody queued behind from this length on; 0: none',
    ),
    stacks: key(flag, false, 'take kernel stacks of retries and writers'),
    without: key(words('hooks as `vmalocktop doctor` names them', isHook), [], 'hooks to leave out'),
  },
  metrics: {
    listen: key(text(0, 255), '127.0.0.1:9753', 'ADDRESS:PORT of /metrics and /healthz; empty: none'),
    topProcesses: key(whole(0, 256), 10, 'processes with series of their own', 'reloadable'),
    profile: key(
      oneOf('full', 'fleet'),
      'full',
      'fleet: at most 60 series, none of a process, a device or a rule',
      'reloadable',
    ),
    tlsCert: key(text(0, 4096), '', 'PEM file: serve over TLS; read at the start, as root; empty: plain HTTP'),
    tlsKey: key(text(0, 4096), '', 'PEM file of its key'),
    passwordFile: key(text(0, 4096), '', 'file of one line, user:password, asked for (basic auth); empty: none'),
  },
  otlp: {
    url: key(text(0, 1024), '', 'OTLP over HTTP, ending in /v1/metrics; empty: none', 'reloadable'),
    interval: key(span(1, 3600), 60, 'between two exports', 'reloadable'),
    gzip: key(flag, false, 'compress what is exported', 'reloadable'),
    headersFile: key(
      text(0, 4096),
      '',
      'file of lines, name: value, sent along; read at the start, as root; empty: none',
    ),
    ca: key(text(0, 4096), '', "PEM file: whom to believe over TLS; empty: the system's"),
    clientCert: key(text(0, 4096), '', 'PEM file: who we are over TLS; empty: nobody'),
    clientKey: key(text(0, 4096), '', 'PEM file of its key'),
  },
  socket: {
    path: key(text(0, 107), '', 'Unix socket for `top --connect`; empty: none'),
    group: key(text(0, 32), '', 'who may connect, besides the daemon itself'),
    clients: key(whole(1, 1024), 64, 'at a time; further ones are refused', 'reloadable'),
    clientBuffer: key(size(64 * K, G), 8 * M, 'a client that is behind by more is dropped', 'reloadable'),
  },
  host: {
    root: key(text(1, 4096), '/', "where the host's files are, for names of containers, when run inside one"),
  },
  privileges: {
    user: key(text(1, 32), 'vmalocktop', 'whom to become after attach, when started as root; a user of its own'),
  },
  flight: {
    keep: key(span(0, 86_400), 0, 'kept in memory, written out by SIGUSR1 and by alerts; "0s": none'),
    size: key(size(K * K, 16 * G), 64 * M, 'memory for that, at most'),
    directory: key(text(1, 4096), '/var/lib/vmalocktop', 'where it is written to'),
    files: key(whole(1, 10_000), 20, 'recordings kept there; the oldest go'),
  },
  lake: {
    directory: key(text(0, 4096), '', 'Parquet files of what is followed, by table and hour; empty: none'),
    tables: key(
      words<LakeTable>(LAKE_TABLES.map((name) => `"${name}"`).join(', '), (word) =>
        LAKE_TABLES.some((it) => it === word),
      ),
      LAKE_TABLES,
      'which of them',
    ),
    size: key(size(K * K, 1024 * G), G, 'files kept there, bytes in all; the oldest go'),
  },
  alerts: {
    enabled: key(flag, true, 'evaluate alert rules', 'reloadable'),
    interval: key(span(0.1, 3600), 1, 'between two evaluations', 'reloadable'),
  },
  budget: {
    cpuPercent: key(number(0, 6400), 20, 'of one CPU; passing it lowers the scope; 0: no limit', 'reloadable'),
    memory: key(size(0, 1024 * G), 512 * M, 'resident; passing it lowers the scope; 0: no limit', 'reloadable'),
    drops: key(flag, true, 'lower the scope when the ring drops records', 'reloadable'),
    openFaults: key(whole(64, 4_194_304), 16_384, 'followed at a time; the oldest is given up and counted'),
    window: key(span(1, 3600), 10, 'over which CPU time and drops are judged', 'reloadable'),
    lock: key(flag, true, 'keep the program in memory, and from being the first the OOM killer takes'),
  },
};
