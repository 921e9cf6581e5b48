// SPDX-License-Identifier: MIT
/** What only a kernel that takes programs can show. Runs as root in a guest: node dist/test/kernel.js (test/vm/ebpf-ts.test.ts). */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants, release } from 'node:os';
import { describe, it } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keepDebug, libbpf } from '../src/ffi.js';
import {
  BpfError,
  type BpfLink,
  BpfMap,
  BpfObject,
  Btf,
  checkRelocations,
  deleteStorage,
  enableStats,
  features,
  MapType,
  PerfBuffer,
  ProgramType,
  probeHelpers,
  RingBuffer,
  readStorage,
  UserRing,
  VerifierError,
  writeStorage,
} from '../src/index.js';
import { bpf } from '../src/system.js';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const KINDS = file('kinds.bpf.o');
const SMALL = file('small.bpf.o');
/** What precedes the name of a system call's function. */
const SYS = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';
const [major = 0, minor = 0] = release().split('.').map(Number);
const since = (a: number, b: number): boolean => major > a || (major === a && minor >= b);

/** Runs an example for `seconds` while `work` is done again and again; its lines, split at tabs. */
async function example(name: string, args: readonly string[], work: () => void): Promise<string[][]> {
  const child = spawn(process.execPath, [file(`../examples/${name}.js`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  let running = true;
  const exit = once(child, 'close').then(([code]) => {
    running = false;
    return code;
  });
  while (running) {
    work();
    await sleep(20);
  }
  assert.equal(await exit, 0, out);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}
/** Programs, maps and links of the whole kernel: BPF_PROG_GET_NEXT_ID and its like. */
function inKernel(): { programs: number; maps: number; links: number } {
  const count = (command: number): number => {
    const attr = new Uint8Array(16);
    const words = new Uint32Array(attr.buffer);
    for (let n = 0; ; n++)
      try {
        bpf(command, attr, 'count');
        words[0] = words[1] as number;
      } catch (error) {
        assert.equal((error as BpfError).code, 'ENOENT');
        return n;
      }
  };
  return { programs: count(11), maps: count(12), links: count(31) };
}
/** The kernel lets go of programs after grace periods. */
async function nothingMoreThan(before: ReturnType<typeof inKernel>): Promise<void> {
  const more = (): boolean => {
    const now = inKernel();
    return now.programs > before.programs || now.maps > before.maps || now.links > before.links;
  };
  for (let i = 0; i < 200 && more(); i++) await sleep(100);
  assert.ok(!more(), `${JSON.stringify(before)} → ${JSON.stringify(inKernel())}`);
}
const run = (command: string): string => execFileSync('/bin/bash', ['-c', command], { encoding: 'utf8' });

describe('examples', () => {
  it('counter', async () => {
    const rows = await example('counter', ['2'], () => readFileSync('/proc/self/stat'));
    const own = rows.find(([tgid]) => tgid === String(process.pid));
    const all = Number(rows.at(-1)?.[1]);
    assert.ok(Number(own?.[1]) > 10, rows.join('\n'));
    assert.ok(all >= rows.slice(0, -1).reduce((sum, [, n]) => sum + Number(n), 0));
  });
  it('exec snoop', async () => {
    const rows = await example('execsnoop', ['2'], () => run('exec /bin/true'));
    const seen = rows.filter(([, comm, path]) => comm === 'true' && path === '/bin/true');
    assert.ok(seen.length > 0 && seen.every(([pid]) => Number(pid) > 1), rows.join('\n'));
  });
  it('latency histogram', async () => {
    const rows = await example('readlatency', ['2'], () => readFileSync('/proc/self/stat'));
    assert.ok(
      rows.length > 0 &&
        rows.every(([slot, n, bar]) => /^\d+ ns$/.test(slot ?? '') && Number(n) > 0 && /^\**$/.test(bar ?? '')),
      rows.join('\n'),
    );
  });
  it('uprobe on libc', async () => {
    const rows = await example('getenv', ['2'], () => run('exec ls / >/dev/null'));
    assert.ok(Number(rows.find(([comm]) => comm === 'ls')?.[1]) > 0, rows.join('\n'));
  });
  it('cgroup egress', async () => {
    const cgroup = '/sys/fs/cgroup/egress-test';
    mkdirSync(cgroup, { recursive: true });
    let sent = 0;
    const rows = await example('egress', [cgroup, '2'], () => {
      run(`echo $$ > ${cgroup}/cgroup.procs; for i in 1 2 3; do echo -n 12345 > /dev/udp/127.0.0.1/9; done`);
      sent += 3;
    });
    rmdirSync(cgroup);
    const [, packets, bytes] = /^(\d+) packets, (\d+) bytes$/.exec(rows[0]?.[0] ?? '') ?? [];
    // Some were sent before it was attached, none while it was not; a datagram is 20 + 8 + 5 bytes, an ICMP answer goes in.
    assert.ok(Number(packets) > 0 && Number(packets) <= sent, `${rows}, ${sent} sent`);
    assert.equal(Number(bytes), 33 * Number(packets));
  });
  it('iterator over tasks', async () => {
    const rows = await example('tasks', [], () => {});
    assert.ok(
      rows.some(([tgid, pid]) => tgid === '1' && pid === '1'),
      rows.join('\n'),
    );
    assert.ok(rows.some(([tgid]) => tgid === String(process.pid)));
    assert.ok(rows.length >= readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length - 5);
  });
});

describe('attaching', () => {
  const object = BpfObject.open(KINDS);
  object.program('on_session').setAutoload(since(6, 12));
  if (since(6, 12)) object.program('on_session').setType(2, 56);
  object.global('knob').set(-7);
  object.load();
  const ran = (): bigint[] => [...object.global('runs').get()];
  const kinds = object.btf.enumeration('kind') ?? {};
  const opens = (): void => void readFileSync('/proc/self/comm');
  const forks = (): void => void run('/bin/true; /bin/true');
  const FN = `${SYS}openat`;

  const ways: readonly (readonly [kind: string, attach: () => BpfLink, work: () => void, cookie?: bigint])[] = [
    ['KPROBE', () => object.program('on_kprobe').attachKprobe(FN, { cookie: 11n }), opens, 11n],
    ['KRETPROBE', () => object.program('on_kretprobe').attachKprobe(FN, { retprobe: true, cookie: 12n }), opens, 12n],
    [
      'MULTI',
      () => object.program('on_multi').attachKprobeMulti([`${SYS}openat`, `${SYS}close`], { cookies: [13n, 13n] }),
      opens,
      13n,
    ],
    ['FENTRY', () => object.program('on_fentry').attachTrace({ cookie: 2n ** 64n - 1n }), opens, 2n ** 64n - 1n],
    ['FEXIT', () => object.program('on_fexit').attach(), opens, 0n],
    ['RAW_TP', () => object.program('on_raw_tp').attachRawTracepoint('sched_process_fork'), forks],
    ['TP_BTF', () => object.program('on_tp_btf').attach(), forks],
    ['TP', () => object.program('on_tp').attachTracepoint('sched', 'sched_process_fork', { cookie: 15n }), forks, 15n],
    [
      'UPROBE',
      () => object.program('on_uprobe').attachUprobe({ path: 'libc.so.6', function: 'getenv', cookie: 16n }),
      forks,
      16n,
    ],
    [
      'URETPROBE',
      () => object.program('on_uretprobe').attachUprobe({ path: 'libc.so.6', function: 'getenv', retprobe: true }),
      forks,
      0n,
    ],
    [
      'USDT',
      () => object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe', cookie: 19n }),
      () => run(file('usdt')),
      19n,
    ],
    [
      'PERF',
      () => object.program('on_perf').attachPerfEvent({ event: 'cpu-clock', frequency: 1000, cpu: 0 }, { cookie: 17n }),
      () => run('taskset 1 bash -c "for i in {1..20000}; do :; done"'),
      17n,
    ],
    [
      'CGROUP',
      () => object.program('on_cgroup').attachCgroup('/sys/fs/cgroup'),
      () => run('echo x > /dev/udp/127.0.0.1/9'),
    ],
    ['XDP', () => object.program('on_xdp').attachXdp('lo'), () => run('echo x > /dev/udp/127.0.0.1/9')],
    ['TC', () => object.program('on_tc').attachTcx('lo', 'ingress'), () => run('echo x > /dev/udp/127.0.0.1/9')],
    ...(since(6, 12)
      ? ([
          [
            'SESSION',
            () => object.program('on_session').attachKprobeSession([`${SYS}openat`], { cookies: [18n] }),
            opens,
            18n,
          ],
        ] as const)
      : []),
  ];
  for (const [kind, attach, work, cookie] of ways) {
    it(`${kind.toLowerCase()} runs while attached, and not after`, async () => {
      const at = kinds[kind] as number;
      assert.equal(ran()[at], 0n);
      using link = attach();
      for (let i = 0; i < 50 && ran()[at] === 0n; i++) work();
      assert.ok((ran()[at] ?? 0n) > 0n, 'did not run');
      if (cookie !== undefined) assert.equal(object.global('cookies').get()[at], cookie);
      // A USDT link stands for several of the kernel's and has no descriptor of its own.
      if (kind !== 'USDT') assert.ok(link.info().id > 0 && link.info().programId > 0, JSON.stringify(link.info()));
      link.close();
      link.close();
      assert.throws(() => link.fd, { code: 'ERR_BPF_CLOSED' });
      await sleep(50);
      const before = ran()[at];
      work();
      assert.equal(ran()[at], before);
    });
  }

  it('a session runs at entry and at return', { skip: !since(6, 12) && 'kernel before 6.12' }, () => {
    const at = kinds.SESSION as number;
    using multi = object.program('on_multi').attachKprobeMulti([`${SYS}openat`]);
    const before = ran();
    {
      using _ = object.program('on_session').attachKprobeSession([`${SYS}openat`]);
      for (let i = 0; i < 100; i++) readFileSync('/proc/self/comm');
    }
    const after = ran();
    const calls = (after[kinds.MULTI as number] ?? 0n) - (before[kinds.MULTI as number] ?? 0n);
    const both = (after[at] ?? 0n) - (before[at] ?? 0n);
    assert.ok(calls >= 100n && both >= 200n && both <= 2n * calls, `${both} runs for ${calls} calls`);
    assert.equal(multi.info().missed, 0);
  });

  it('accounts for run time and runs', () => {
    using _ = enableStats();
    using __ = object.program('on_fexit').attach();
    for (let i = 0; i < 5; i++) opens();
    const { runCount, runTimeNs, recursionMisses, id } = object.program('on_fexit').account();
    assert.ok(id > 0 && runCount > 0 && runTimeNs > 0 && recursionMisses === 0);
  });

  it('accounts for a link', () => {
    using _ = enableStats();
    using link = object.program('on_multi').attachKprobeMulti([`${SYS}openat`]);
    const before = link.account();
    for (let i = 0; i < 5; i++) opens();
    const after = link.account();
    assert.ok(after.runCount - before.runCount >= 5 && after.runTimeNs > before.runTimeNs, JSON.stringify(after));
    assert.equal(after.missed, since(6, 7) ? 0 : after.missed);
    link.close();
    assert.throws(() => link.account(), { code: 'ERR_BPF_CLOSED' });
  });

  it('hits that did not run a program are counted, by link', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const CALLED = 'strncpy_from_kernel_nofault'; // by a helper of the program that is hit first
    using link = stores.program('is_missed').attachKprobe(CALLED);
    {
      using _ = stores.program('hits_kprobe').attachKprobe(FN);
      for (let i = 0; i < 20; i++) opens();
    }
    const { missed } = link.account();
    if (since(6, 7)) assert.ok(missed !== null && missed >= 20, `${missed} missed`);
    using multi = stores.program('hits_itself').attachKprobeMulti([FN, CALLED]);
    for (let i = 0; i < 20; i++) opens();
    const account = multi.account();
    console.log(`# kprobe: ${missed} missed; kprobe.multi: ${JSON.stringify(account)}`);
    assert.ok((account.missed ?? 0) + account.recursionMisses >= 20, JSON.stringify(account));
  });

  it('tcx on the way out', () => {
    const at = kinds.TC as number;
    const before = ran()[at] ?? 0n;
    using _ = object.program('on_tc').attachTcx('lo', 'egress');
    run('echo x > /dev/udp/127.0.0.1/9');
    assert.ok((ran()[at] ?? 0n) > before);
  });

  it('a queue of structs', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const jobs = stores.typed('jobs');
    for (let id = 1; id <= 4; id++) jobs.push({ id, name: `job ${id}` });
    assert.throws(() => jobs.push({ id: 5, name: '' }), { code: 'E2BIG' });
    jobs.push({ id: 5, name: 'late' }, { overwrite: true });
    assert.deepEqual(jobs.peek(), { id: 2, name: 'job 2' });
    assert.deepEqual(
      [jobs.pop(), jobs.pop(), jobs.pop(), jobs.pop(), jobs.pop()].map((job) => job?.id),
      [2, 3, 4, 5, undefined],
    );
    assert.throws(() => jobs.push({ id: -1, name: '' }), { code: 'ERR_BPF_RANGE' });
    assert.throws(() => jobs.get(0 as never), { code: 'ERR_BPF_TYPE' });
  });

  it('a kprobe within a function runs, and one within an instruction is refused', () => {
    const at = kinds.KPROBE as number;
    let [taken, refused] = [0, 0];
    for (let offset = 1; offset < 32; offset++) {
      try {
        const before = ran()[at] ?? 0n;
        using _ = object.program('on_kprobe').attachKprobe(FN, { offset });
        opens();
        if ((ran()[at] ?? 0n) > before) taken++;
      } catch (error) {
        assert.ok(error instanceof BpfError, String(error));
        refused++;
      }
    }
    assert.ok(taken > 0 && refused > 0, `${taken} ran, ${refused} were refused`);
  });

  it('a uprobe of one process sees no other; an offset into the file is as good as a name', async () => {
    const at = kinds.UPROBE as number;
    const library = run("ldconfig -p | sed -n '/libc.so.6.*64/s/.*=> //p' | head -n 1").trim();
    const getenv = Number.parseInt(run(`nm -D ${library} | sed -n 's/ W getenv.*//p; s/ T getenv.*//p'`), 16);
    const own = (): string | undefined => process.env.HOME;
    const other = spawn('sleep', ['600']);
    // It asks for its locale itself before it sleeps.
    while (!readFileSync(`/proc/${other.pid}/wchan`, 'latin1').includes('nanosleep')) await sleep(20);
    {
      using _ = object
        .program('on_uprobe')
        .attachUprobe({ path: library, function: 'getenv', pid: other.pid as number });
      const before = ran()[at];
      own();
      run('ls / >/dev/null');
      assert.equal(ran()[at], before);
    }
    other.kill();
    {
      using _ = object.program('on_uprobe').attachUprobe({ path: library, function: 'getenv', pid: process.pid });
      const before = ran()[at] ?? 0n;
      own();
      assert.ok((ran()[at] ?? 0n) > before);
    }
    const before = ran()[at] ?? 0n;
    using _ = object.program('on_uprobe').attachUprobe({ path: library, offset: getenv });
    run('ls / >/dev/null');
    assert.ok((ran()[at] ?? 0n) > before, `${library} ${getenv}`);
  });

  it('a program goes where its target is set to', () => {
    using other = BpfObject.open(KINDS);
    for (const program of other.programs.values()) program.setAutoload(program.name === 'on_fexit');
    other.program('on_fexit').setAttachTarget(`${SYS}getpgid`);
    other.load();
    assert.equal(other.program('on_fentry').loaded, false);
    using _ = other.program('on_fexit').attachTrace();
    const runs = (): bigint => other.global('runs').get()[kinds.FEXIT as number];
    opens();
    assert.equal(runs(), 0n);
    run("perl -e 'getpgrp(1)'");
    assert.ok(runs() > 0n);
  });

  it('iterates over the tasks of one process', () => {
    using tasks = BpfObject.open(file('../examples/tasks.bpf.o'));
    tasks.load();
    const threads = readdirSync('/proc/self/task').sort();
    const lines = (link: BpfLink): string[][] =>
      link
        .text()
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    using own = tasks.program('on_task').attachIter({ pid: process.pid });
    const rows = lines(own);
    assert.deepEqual(rows.map(([, tid]) => tid).sort(), threads);
    assert.ok(rows.every(([tgid]) => tgid === String(process.pid)));
    using one = tasks.program('on_task').attachIter({ tid: 1 });
    assert.deepEqual(
      lines(one).map(([, tid]) => tid),
      ['1'],
    );
  });

  it('pinned, a link outlives its handle', () => {
    const at = kinds.FENTRY as number;
    const link = object.program('on_fentry').attachTrace();
    link.pin('/sys/fs/bpf/ebpf-ts-link');
    link.close();
    const before = ran()[at] ?? 0n;
    opens();
    assert.ok((ran()[at] ?? 0n) > before);
    BpfMap.unpin('/sys/fs/bpf/ebpf-ts-link');
  });

  it('names what cannot be attached', () => {
    assert.throws(
      () => object.program('on_kprobe').attachKprobe('no_such_function'),
      (error: Error) => error.name === 'BpfError',
    );
    assert.throws(() => object.program('on_multi').attachKprobeMulti([]), { code: 'ERR_BPF_SIZE' });
    assert.throws(
      () => object.program('on_uprobe').attachUprobe({ path: '/nowhere' }),
      (error: Error) => error.name === 'BpfError',
    );
    assert.throws(() => object.program('on_xdp').attachXdp('nosuch0'), { code: 'ENODEV' });
    assert.throws(() => object.program('on_kprobe').attachKprobe('a\0b'), { code: 'ERR_BPF_TYPE' });
    assert.throws(() => object.program('nope'), { code: 'ERR_BPF_NAME' });
  });

  it('globals, structs, bitfields and unions are what the C says', () => {
    assert.deepEqual(object.global('origin').get(), {
      x: 7,
      y: Int16Array.of(1, -2),
      name: 'origin',
      low: 5,
      high: 100,
      whole: 0x01020304,
      part: Uint8Array.of(4, 3, 2, 1),
    });
    assert.equal(object.global('knob').get(), -7);
    assert.throws(() => object.global('knob').set(1), { code: 'ERR_BPF_STATE' });
    const moved = object.global('moved');
    moved.set({ x: -5, y: [3, 4], name: 'gone', low: 7, high: 1, part: [9, 0, 0, 1] });
    assert.deepEqual(
      [moved.get().x, moved.get().whole, moved.get().name, moved.get().low, moved.get().high],
      [-5, 0x01000009, 'gone', 7, 1],
    );
    assert.throws(() => moved.set(moved.get()), { code: 'ERR_BPF_TYPE' }); // a union by two members
    assert.throws(() => moved.set({ x: 2 ** 31, y: [3, 4], name: 'gone', low: 7, high: 1, whole: 0 }), {
      code: 'ERR_BPF_RANGE',
    });
    assert.throws(() => moved.set({ x: 1, y: [3, 4], name: 'too long', low: 7, high: 1, whole: 0 }), {
      code: 'ERR_BPF_SIZE',
    });
    assert.throws(() => moved.set({ x: 1, y: [3, 4], name: '', low: 8, high: 1, whole: 0 }), { code: 'ERR_BPF_RANGE' });
    assert.equal(moved.get().x, -5);
    const points = object.typed('points');
    const point = { x: 1, y: [1, 2], name: 'p', low: 1, high: 2, whole: 5 };
    points.set(point, { ...point, x: 99 });
    assert.equal(points.get(point)?.x, 99);
    assert.equal(points.get({ ...point, low: 2 }), undefined);
    assert.deepEqual(
      [...points].map(([key, value]) => [key.name, value.x]),
      [['p', 99]],
    );
  });

  it('iterates over a map', () => {
    const numbers = object.typed('numbers');
    for (let i = 0; i < 10; i++) numbers.set(i, BigInt(i * i));
    using link = object.program('on_elem').attachIter({ map: object.map('numbers') });
    const lines = link.text().trim().split('\n');
    assert.deepEqual(new Set(lines), new Set(Array.from({ length: 10 }, (_, i) => `${i}=${i * i}`)));
    assert.equal(link.text().length, link.text().length);
  });

  it('storage of a task', () => {
    const map = object.map('of_task');
    const value = new Uint8Array(BigUint64Array.of(123n).buffer);
    assert.equal(readStorage(map, { pid: process.pid }), undefined);
    writeStorage(map, { pid: process.pid }, value);
    assert.deepEqual(readStorage(map, { pid: process.pid }), value);
    assert.equal(deleteStorage(map, { pid: process.pid }), true);
    assert.throws(() => readStorage(map, { path: '/' }), { code: 'ERR_BPF_TYPE' });
  });

  it('storage of inodes and cgroups', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const owners = [
      ['of_inode', '/etc/passwd', '/etc/group'],
      ['of_cgroup', '/sys/fs/cgroup', null],
    ] as const;
    for (const [name, path, other] of owners) {
      const map = stores.map(name);
      const value = new Uint8Array(BigUint64Array.of(77n).buffer);
      assert.equal(readStorage(map, { path }), undefined, name);
      writeStorage(map, { path }, value);
      assert.deepEqual(readStorage(map, { path }), value, name);
      if (other !== null) assert.equal(readStorage(map, { path: other }), undefined, name);
      assert.equal(deleteStorage(map, { path }), true);
      assert.equal(deleteStorage(map, { path }), false);
      assert.throws(() => readStorage(map, { pid: 1 }), { code: 'ERR_BPF_TYPE' });
      assert.throws(() => writeStorage(map, { path }, new Uint8Array(7)), { code: 'ERR_BPF_SIZE' });
    }
    assert.throws(() => readStorage(stores.map('of_inode'), { path: '/nowhere' }), { code: 'ENOENT' });
  });

  it('struct_ops: a congestion control is there while attached, and is asked', async () => {
    using congestion = BpfObject.open(file('congestion.bpf.o'));
    congestion.load();
    const control = '/proc/sys/net/ipv4/tcp_congestion_control';
    const available = (): string[] =>
      readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'latin1').trim().split(' ');
    const usual = readFileSync(control, 'latin1').trim();
    assert.equal(available().includes('ebpf_ts'), false);
    const link = congestion.attachStructOps('least');
    assert.ok(available().includes('ebpf_ts'), String(available()));
    writeFileSync(control, 'ebpf_ts');
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(Buffer.alloc(2 ** 20));
    await once(socket, 'close');
    server.close();
    writeFileSync(control, usual);
    assert.ok(congestion.global('asked').get() > 0n);
    assert.throws(() => link.account(), { code: 'ERR_BPF_TYPE' });
    link.close();
    for (let i = 0; i < 100 && available().includes('ebpf_ts'); i++) await sleep(20);
    assert.equal(available().includes('ebpf_ts'), false);
  });

  it('a waiting iterator neither spins nor holds the process open', () => {
    const script = `
      const { BpfMap, MapType, RingBuffer } = await import('${import.meta.resolve('../src/index.js')}');
      const map = BpfMap.create({ type: MapType.Ringbuf, keySize: 0, valueSize: 0, maxEntries: 65536 });
      const ring = RingBuffer.open(map);
      (async () => { for await (const _ of ring) process.exit(9); })();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const { user, system } = process.cpuUsage(before);
      process.stdout.write(String(user + system));`;
    const cpuUs = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 120_000 }));
    // A loop that spins would have taken most of 3 s.
    assert.ok(cpuUs >= 0 && cpuUs < 600_000, `${cpuUs} µs in 3 s`);
  });

  it('records go to the kernel and come back, and the iterator waits for them', async () => {
    using up = UserRing.open(object.map('to_kernel'));
    using ring = RingBuffer.open(object.map('ring'));
    using _ = object.program('drain').attachRawTracepoint('sched_process_fork');
    const got: bigint[] = [];
    const all = (async () => {
      for await (const record of ring) {
        got.push(new DataView(record.buffer, record.byteOffset).getBigUint64(0, true));
        if (got.length === 20) return;
      }
    })();
    for (let i = 0; i < 20; i++) assert.ok(up.send(new Uint8Array(BigUint64Array.of(BigInt(i)).buffer)));
    assert.throws(() => up.send(new Uint8Array(70_000)), { code: 'ERR_BPF_SIZE' });
    for (let i = 0; i < 50 && got.length < 20; i++) {
      run('/bin/true');
      await sleep(10);
    }
    await all;
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => BigInt(i)),
    );
    up.close();
    assert.throws(() => up.send(new Uint8Array(8)), { code: 'ERR_BPF_CLOSED' });
  });

  it('perf buffer', async () => {
    using buffer = PerfBuffer.open(object.map('perf'), 4);
    let told = false;
    buffer.onReadable(() => {
      told = true;
    });
    using _ = object.program('to_perf').attachTracepoint('sched', 'sched_process_fork');
    run('/bin/true; /bin/true');
    for (let i = 0; i < 300 && !told; i++) {
      run('/bin/true');
      await sleep(20);
    }
    const records = buffer.read();
    assert.ok(told && records.length >= 2 && buffer.lost === 0, `${told} ${records.length}`);
    assert.ok(records.every(({ bytes, cpu }) => bytes.length >= 8 && cpu >= 0));
    buffer.close();
    assert.throws(() => buffer.read(), { code: 'ERR_BPF_CLOSED' });
  });

  it('pins, and opens what is pinned', () => {
    const map = object.map('numbers');
    map.pin('/sys/fs/bpf/ebpf-ts-numbers');
    using again = BpfMap.openPinned('/sys/fs/bpf/ebpf-ts-numbers');
    assert.deepEqual(again.get(3), map.get(3));
    assert.throws(() => map.pin('/sys/fs/bpf/ebpf-ts-numbers'), { code: 'EEXIST' });
    BpfMap.unpin('/sys/fs/bpf/ebpf-ts-numbers');
    assert.throws(() => BpfMap.openPinned('/sys/fs/bpf/ebpf-ts-numbers'), { code: 'ENOENT' });
  });

  it('everything of a closed object throws, and its links are gone', () => {
    const program = object.program('on_fexit');
    const link = program.attach();
    const map = object.map('numbers');
    const global = object.global('runs');
    object.close();
    object.close();
    assert.equal(link.closed, true);
    const calls: readonly (() => unknown)[] = [
      () => program.attach(),
      () => program.fd,
      () => program.account(),
      () => program.setAutoload(true),
      () => program.attachXdp('lo'),
      () => map.get(1),
      () => map.fd,
      () => map.set(1, new Uint8Array(8)),
      () => global.get(),
      () => object.load(),
      () => object.typed('numbers'),
      () => object.setGlobal('.rodata', 'knob', 1),
      () => RingBuffer.open(object.map('ring')),
      () => link.info(),
    ];
    for (const call of calls) assert.throws(call, { code: 'ERR_BPF_CLOSED' }, String(call));
  });
});

describe('loading', () => {
  it('a refused program comes with what the verifier said', () => {
    const object = BpfObject.open(SMALL);
    object.program('refused').setAutoload(true);
    assert.throws(
      () => object.load(),
      (error: unknown) => {
        assert.ok(error instanceof VerifierError);
        assert.equal(error.program, 'refused');
        const said = since(7, 3) ? /null/i : /invalid mem access 'map_value_or_null'$/;
        assert.match(error.lastLines.join('\n'), said);
        assert.match(error.why, said);
        console.log(`# ${JSON.stringify({ why: error.why, remedy: error.remedy, lastLines: error.lastLines })}`);
        assert.match(error.remedy, /NULL/);
        assert.match(error.log, /BEGIN PROG LOAD LOG[\s\S]*END PROG LOAD LOG/);
        assert.equal(error.errno, constants.errno.EACCES);
        return true;
      },
    );
    assert.throws(() => object.load(), { code: 'ERR_BPF_CLOSED' });
  });

  it('a long log is whole', () => {
    const object = BpfObject.open(SMALL);
    object.program('long_way').setAutoload(true);
    try {
      object.load();
      assert.fail('was not refused');
    } catch (error) {
      assert.ok(error instanceof VerifierError);
      // libbpf's messages were cut at 4 096 bytes.
      assert.ok(error.log.length > 8192 && error.log.includes('END PROG LOAD LOG'), String(error.log.length));
      assert.match(error.log, /^processed \d+ insns/m);
      assert.equal(error.program, 'long_way');
    }
  });

  it('signals do not make the verifier give up', async () => {
    const elf = readFileSync(file('core.bpf.o'));
    const ignore = (): void => {};
    process.on('SIGUSR2', ignore);
    const storm = spawn('perl', ['-e', '1 while kill "USR2", $ARGV[0]', String(process.pid)], { stdio: 'ignore' });
    // libuv's pipe of signals is full, and the SIGCHLD of its end may be lost: it must not hold the process open.
    storm.unref();
    try {
      // As libbpf alone does it: five tries, then EAGAIN.
      let interrupted = 0;
      for (let i = 0; i < 500 && interrupted === 0; i++) {
        const handle = libbpf().objectOpenMem(elf, elf.length, null);
        if (libbpf().objectLoad(handle) === -constants.errno.EAGAIN) interrupted++;
        libbpf().objectClose(handle);
        if (i % 10 === 0) await sleep(1);
      }
      assert.equal(interrupted, 1, 'no signal came in time');
      for (let i = 0; i < 50; i++) {
        using object = BpfObject.open(elf);
        object.load();
      }
    } finally {
      // The handler stays: a signal sent before this one arrives behind it, and would end the process.
      storm.kill('SIGKILL');
    }
  });

  it('checkRelocations finds what libbpf finds', () => {
    const path = file('core.bpf.o');
    const report = checkRelocations(path, Btf.vmlinux());
    keepDebug(true);
    using object = BpfObject.open(path);
    object.load();
    keepDebug(false);
    const relo = object.log.split('\n').filter((line) => /prog 'all': relo #\d+: /.test(line));
    const none = relo.filter((line) => line.endsWith('no matching targets found')).length;
    assert.ok(
      relo.length > report.relocations.length,
      `${relo.length} lines, ${report.relocations.length} relocations`,
    );
    assert.equal(report.relocations.filter(({ state }) => state === 'absent' || state === 'unmatched').length, none);
    assert.ok(none >= 5);
  });

  it('closed aside it is closed at once, and its links are gone when it says so', async () => {
    const object = BpfObject.open(KINDS);
    if (since(6, 12)) object.program('on_session').setType(2, 56);
    object.program('on_session').setAutoload(since(6, 12));
    object.load();
    const links = [
      object.program('on_fexit').attach(),
      object.program('on_multi').attachKprobeMulti([`${SYS}openat`]),
      object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe' }),
      object.program('on_kprobe').attachKprobe(`${SYS}openat`),
    ];
    const left = object.closeAside();
    assert.throws(() => object.map('numbers').get(1), { code: 'ERR_BPF_CLOSED' });
    await left;
    assert.deepEqual(
      links.map((link) => link.closed),
      [true, true, true, true],
    );
    await object.closeAside();
    object.close();
  });

  it('works after misuse in the wrong order', () => {
    using object = BpfObject.open(SMALL);
    assert.throws(() => object.program('small').attach(), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.map('one').get(0), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('small').fd, { code: 'ERR_BPF_STATE' });
    object.load();
    assert.throws(() => object.load(), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('small').setAutoload(false), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.map('one').setMaxEntries(2), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('refused').attach(), { code: 'ERR_BPF_STATE' });
    object.program('small').attach();
  });

  it('features by libbpf, and every type that the kernel has is known', () => {
    const { types, bpf } = features();
    assert.equal(bpf.state, 'supported');
    for (const type of ['Tracing', 'Xdp', 'Kprobe', 'Syscall'] as const)
      assert.equal(types?.programTypes[type], 'supported', type);
    for (const type of ['Ringbuf', 'TaskStorage', 'Hash', 'LpmTrie', 'Queue', 'HashOfMaps', 'UserRingbuf'] as const)
      assert.equal(types?.mapTypes[type], 'supported', type);
    const btf = Btf.vmlinux();
    const known = (table: Readonly<Record<string, number>>, name: string): void => {
      const ids = new Set(Object.values(table));
      for (const [key, id] of Object.entries(btf.enumeration(name) ?? {}))
        if (!/^__|UNSPEC/.test(key)) assert.ok(ids.has(id), `${key} is not in the table`);
    };
    known(MapType, 'bpf_map_type');
    known(ProgramType, 'bpf_prog_type');
    const helpers = probeHelpers(ProgramType.Kprobe, btf);
    assert.ok(Object.keys(helpers).length > 200, String(Object.keys(helpers).length));
    assert.equal(helpers.map_lookup_elem, 'supported');
    assert.equal(helpers.redirect_map, 'unsupported');
    assert.equal(probeHelpers(ProgramType.Xdp, btf).redirect_map, 'supported');
    assert.equal(probeHelpers(ProgramType.Syscall, btf).sys_bpf, 'supported');
  });

  it("types of modules stand on the kernel's", () => {
    const kernel = Btf.vmlinux();
    const names = readdirSync('/sys/kernel/btf').filter((name) => name !== 'vmlinux');
    for (const name of names) Btf.module(name, kernel);
    // The guest's root is an overlay. fs/overlayfs/ovl_entry.h: an inode of the kernel's is a member of ovl_inode.
    const overlay = Btf.module('overlay', kernel);
    assert.ok(overlay.hasFunc('ovl_lookup') && !kernel.hasFunc('ovl_lookup'));
    assert.ok((overlay.struct('ovl_inode')?.size ?? 0) > (kernel.struct('inode')?.size ?? Number.POSITIVE_INFINITY));
    assert.ok(overlay.struct('ovl_inode')?.members.some(({ name }) => name === 'vfs_inode'));
    assert.deepEqual(overlay.struct('task_struct'), kernel.struct('task_struct'));
    assert.throws(() => Btf.module('no-such-module', kernel), { code: 'ERR_BPF_INPUT' });
  });

  it('maps do here what they do elsewhere, and touch no memory that was not lent', () => {
    const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file('maps.test.js')], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^# pass 1[0-9]$/m);
    assert.match(stdout, /^# skipped 0$/m);
  });

  it('misuse of what is loaded and attached is answered or refused', () => {
    for (const seed of ['1', String(Date.now() % 2 ** 31)]) {
      const run = spawnSync(process.execPath, [file('misuse-run.js'), seed, '4', 'load'], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      });
      assert.deepEqual([run.signal, run.status], [null, 0], `seed ${seed}: ${run.stderr.slice(-2000)}`);
      const { answered, refused, offences, called } = JSON.parse(run.stdout);
      console.log(`# seed ${seed}: ${answered} answered, ${refused} refused, ${called.length} members`);
      assert.deepEqual(offences, [], `seed ${seed}`);
      assert.ok(answered > 1000 && refused > 1000 && called.includes('link.account'));
    }
  });

  it('every kind of link, ring and mapping is opened and closed again and again: no descriptor stays, nothing in the kernel', async () => {
    using object = BpfObject.open(KINDS);
    object.program('on_session').setAutoload(false);
    object.load();
    const round = (): void => {
      const opened: readonly { close(): void }[] = [
        object.program('on_fexit').attach(),
        object.program('on_multi').attachKprobeMulti([`${SYS}openat`]),
        object.program('on_kprobe').attachKprobe(`${SYS}openat`),
        object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe' }),
        object.program('on_perf').attachPerfEvent({ event: 'cpu-clock', frequency: 1, cpu: 0 }),
        object.program('on_cgroup').attachCgroup('/sys/fs/cgroup'),
        object.program('on_tc').attachTcx('lo', 'ingress'),
        object.program('on_raw_tp').attachRawTracepoint('sched_process_fork'),
        RingBuffer.open(object.map('ring')),
        UserRing.open(object.map('to_kernel')),
        PerfBuffer.open(object.map('perf'), 1),
        object.map('.bss').mmapArray({ writable: true }),
        BpfMap.openId(object.map('numbers').info.id),
        enableStats(),
      ];
      using elements = object.program('on_elem').attachIter({ map: object.map('numbers') });
      elements.text();
      writeStorage(object.map('of_task'), { pid: process.pid }, new Uint8Array(8));
      for (const one of opened) one.close();
    };
    for (let i = 0; i < 3; i++) round();
    await sleep(50);
    const before = inKernel();
    const descriptors = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) round();
    await sleep(50);
    assert.equal(readdirSync('/proc/self/fd').length, descriptors);
    await nothingMoreThan(before);
  });

  it('10 000 times opened, loaded, attached and closed: no descriptor and no memory stays', async () => {
    const elf = readFileSync(SMALL);
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    const times = Number(process.env.EBPF_TS_CYCLES ?? 10_000);
    const kernel = inKernel();
    const cycle = (i: number): void => {
      const object = BpfObject.open(elf);
      object.load();
      const link = object.program('small').attach();
      object.map('one').set(0, new Uint8Array(8));
      if (i % 2 === 0) link.close();
      object.close();
    };
    // For the first and the second at a tracepoint the kernel rewrites its own code, which takes an emulated machine 0.1 s.
    const others = [BpfObject.open(elf), BpfObject.open(elf)];
    for (const other of others) {
      other.load();
      other.program('small').attach();
    }
    // What the engine is to give back it gives back between turns of its loop.
    const cycles = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        cycle(i);
        if (i % 50 === 0) await immediate();
      }
    };
    await cycles(times / 5);
    const before = { descriptors: descriptors(), rss: rss() };
    await cycles(times);
    const after = { descriptors: descriptors(), rss: rss() };
    for (const other of others) other.close();
    console.log(`# ${times} cycles: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
    assert.equal(after.descriptors, before.descriptors);
    assert.ok(after.rss - before.rss < 8192, `${before.rss} → ${after.rss} KiB`);
    await nothingMoreThan(kernel);
  });
});
