// SPDX-License-Identifier: MIT
/** The head of a live session: this host, its kernel, what was hooked and how. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { KernelEnums, SessionInfo } from '../core/events/session.js';
import { packageVersion } from '../resources.js';
import { LAYOUT_DIGEST } from '../schema/events.gen.js';
import type { LiveOptions } from './options.js';
import type { HostContext } from './rodata.js';

export interface Begin {
  /** CLOCK_MONOTONIC, ns. */
  readonly base: bigint;
  /** CLOCK_REALTIME at about the same time, ns since the epoch. */
  readonly realtime: bigint;
  readonly enums: KernelEnums;
}

export function describeSession(options: LiveOptions, around: HostContext, begin: Begin): SessionInfo {
  const { facts, plan, release, cpus } = around;
  return {
    v: 1,
    tool: toolVersion(),
    host: hostname(),
    kernel: facts.kernel.release,
    arch: facts.arch,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    commandLine: process.argv.slice(2),
    cpus,
    baseNs: begin.base.toString(),
    clocks: [{ time: 0, realtimeNs: begin.realtime.toString() }],
    scope: options.scope,
    release,
    minUs: options.minUs,
    ...(options.writers ? { holdMinUs: options.holdMinUs } : {}),
    filters: filtersOf(options, around),
    programs: plan.programs.map(({ program, target, method }) => ({ name: program, target, method })),
    hooks: plan.hooks,
    ringBytes: options.ringBytes,
    enums: begin.enums,
    preemption: facts.preemption,
    ...(facts.namespaces.pid.initial === true ? {} : { pidNamespace: true }),
    layout: LAYOUT_DIGEST,
  };
}

function filtersOf(options: LiveOptions, { cgroups }: HostContext): Record<string, string> {
  const filters: Record<string, string> = {};
  if (options.pids.length > 0) filters.pid = options.pids.join(',');
  if (options.tids.length > 0) filters.tid = options.tids.join(',');
  if (options.comm !== undefined) filters.comm = options.comm;
  if (cgroups.length > 0) filters.cgroup = cgroups.map(({ path }) => path).join(',');
  if (options.follow) filters.follow = 'command';
  return filters;
}

function toolVersion(): string {
  return `vmalocktop ${packageVersion()}`;
}
