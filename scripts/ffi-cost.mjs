// SPDX-License-Identifier: MIT
/**
 * What a call into C costs from Node, by binding; docs/decisions/0001 rests on it.
 *
 *     node scripts/ffi-cost.mjs                   koffi, as installed
 *     node scripts/ffi-cost.mjs --ffi-napi        also node-ffi-napi (npm: ffi-napi) and its fork @2060.io/ffi-napi,
 *                                                 installed into a temporary directory (needs npm, a compiler, Node's headers)
 *     node scripts/ffi-cost.mjs --addon           also an addon of our own by Node-API (needs gcc; headers are koffi's)
 *
 * The function called is libc's abs(3): it does nothing, so the time is the binding's. Each binding runs in a process
 * of its own, since one that crashes is a result too.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const SELF = fileURLToPath(import.meta.url);
const CALLS = 300_000;
/** The calls are made in so many batches and the fastest counts: other work on the machine only ever adds time. */
const BATCHES = 10;
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/** How each binding comes by `abs`. `load` resolves the package where it was installed. */
const BINDINGS = {
  koffi: (load) => load('koffi').load('libc.so.6').func('int abs(int)'),
  'ffi-napi': (load) => load('ffi-napi').Library('libc.so.6', { abs: ['int', ['int']] }).abs,
  '@2060.io/ffi-napi': (load) => load('@2060.io/ffi-napi').Library('libc.so.6', { abs: ['int', ['int']] }).abs,
  addon: (load) => load('./addon.node').abs,
};
const OPTIONAL = { 'ffi-napi': '4.0.3', '@2060.io/ffi-napi': '4.0.9' };

/** In the child: times `calls` calls and prints one line of JSON. */
function measure(name, directory) {
  const abs = BINDINGS[name](createRequire(join(directory, 'package.json')));
  const run = (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) sum += abs(-1);
    if (sum !== calls) throw new Error(`abs(-1) gave ${sum / calls}`);
  };
  run(1000);
  const before = process.memoryUsage.rss();
  let ns = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = process.hrtime.bigint();
    run(CALLS / BATCHES);
    ns = Math.min(ns, Number(process.hrtime.bigint() - start) / (CALLS / BATCHES));
  }
  console.log(JSON.stringify({ ns, rssMb: (process.memoryUsage.rss() - before) / 1e6 }));
}

/** Runs the measurement of one binding, on the main thread and in a worker, and says how each went. */
function report(name, directory) {
  return ['main thread', 'worker']
    .map((where) => {
      const args = [SELF, '--child', ...(where === 'worker' ? ['--worker'] : []), name, directory];
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0)
        return `${name}, ${where}: failed (${signal ?? `exit ${status}`}) ${stderr.split('\n').find((line) => /Error/.test(line)) ?? ''}`.trim();
      const { ns, rssMb } = JSON.parse(stdout);
      const cost = ns < 1000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} µs`;
      return `${name}, ${where}: ${cost} a call; RSS grew by ${rssMb.toFixed(0)} MB over ${CALLS} calls`;
    })
    .join('\n');
}

/** The compiler's first error, else npm's. */
function firstError(stderr) {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) /, '').trim());
  return (
    lines.find((line) => / error: /.test(line))?.replace(/^\S*\//, '') ?? lines.find((line) => /^code /.test(line))
  );
}

/** Installs a binding into an empty directory, measures it, removes it. */
function reportInstalled(name) {
  const directory = mkdtempSync(join(tmpdir(), 'ffi-cost-'));
  try {
    const what = `${name}@${OPTIONAL[name]}`;
    const { status, stderr } = spawnSync(
      'npm',
      ['install', '--prefix', directory, '--no-audit', '--no-fund', '--ignore-scripts=false', what],
      {
        encoding: 'utf8',
        timeout: INSTALL_TIMEOUT_MS,
      },
    );
    if (status !== 0) return `${what}: does not install here: ${firstError(stderr) ?? `exit ${status}`}`;
    return report(name, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The least an addon can be: one function, compiled for this machine. */
const ADDON = `
#include <node_api.h>
#include <stdlib.h>
static napi_value call(napi_env env, napi_callback_info info)
{
	size_t n = 1; napi_value arg, result; int32_t x = 0;
	napi_get_cb_info(env, info, &n, &arg, NULL, NULL);
	napi_get_value_int32(env, arg, &x);
	napi_create_int32(env, abs(x), &result);
	return result;
}
NAPI_MODULE_INIT()
{
	napi_value f;
	napi_create_function(env, "abs", NAPI_AUTO_LENGTH, call, NULL, &f);
	napi_set_named_property(env, exports, "abs", f);
	return exports;
}`;

function reportAddon() {
  const directory = mkdtempSync(join(tmpdir(), 'ffi-cost-'));
  try {
    const headers = fileURLToPath(new URL('../node_modules/koffi/vendor/node-api-headers/include', import.meta.url));
    const args = [
      '-O2',
      '-fPIC',
      '-shared',
      '-DNODE_GYP_MODULE_NAME=addon',
      '-I',
      headers,
      '-x',
      'c',
      '-',
      '-o',
      join(directory, 'addon.node'),
    ];
    const { status, stderr } = spawnSync('gcc', args, { input: ADDON, encoding: 'utf8' });
    return status === 0 ? report('addon', directory) : `addon: does not compile here: ${firstError(stderr)}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    child: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    'ffi-napi': { type: 'boolean', default: false },
    addon: { type: 'boolean', default: false },
  },
});
if (values.child && values.worker) {
  new Worker(SELF, { argv: ['--child', ...positionals] });
} else if (values.child) {
  measure(positionals[0], positionals[1]);
} else {
  console.log(`Node ${process.versions.node}, ${process.arch}`);
  console.log(report('koffi', fileURLToPath(new URL('..', import.meta.url))));
  if (values.addon) console.log(reportAddon());
  if (values['ffi-napi']) for (const name of Object.keys(OPTIONAL)) console.log(reportInstalled(name));
}
