// SPDX-License-Identifier: MIT
/**
 * What programs of `exec` actions leave behind, whatever process group or session it made for itself.
 *
 * This process is the reaper of all that descends from it (PR_SET_CHILD_SUBREAPER): who loses its parent becomes its child.
 * Programs are started in sessions of their own, and nothing leads back into the session of this process (setsid(2)): a
 * child in another session that is no program of an action was left by one. Children alone are signalled, and their numbers
 * cannot be anybody else's until they are waited for; what they leave becomes a child in turn.
 *
 * The first process of a container is that of the whole container, what somebody started in it by hand (`podman exec`) among
 * them: there only processes with the mark of an ended run are killed, and every process that ends is reaped. The container's end is
 * that of the rest.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { adoptOrphans, reapChild } from 'ebpf-ts';
import { type OwnChild, ownChildren } from '../live/own-children.js';

/** In the environment of a program, and of what it starts unless that is cleared. */
const TAG = 'VMALOCKTOP_ACTION';
/** What its value begins with, of this process's runs. */
const OURS = `${randomUUID()}.`;
/** Between two looks, and how often: who forks without end is not outrun, but nor is it waited for. */
const ROUND_MS = 10;
const ROUNDS = 200;

export interface Run {
  readonly environment: Readonly<Record<string, string>>;
  /** The program's process, once it has one. */
  pid: number | undefined;
}

const running: Set<Run> = new Set();
/** By `endRun`, and not waited for yet. */
const killed: Set<number> = new Set();
let adopting = false;

const isInit = process.pid === 1;
/** As the first process of a container: how often what has ended is waited for. */
const REAP_MS = 2000;

/** To be called once: what loses its parent in a container whose first process this is does not stay behind as a zombie. */
export function reapAsInit(): void {
  if (!isInit) return;
  setInterval(() => {
    for (const { pid } of others()) if (!killed.has(pid)) reapChild(pid);
  }, REAP_MS).unref();
}

/** To be called before the program is started; each run is to be ended by `endRun`. */
export function beginRun(): Run {
  if (!adopting) adoptOrphans();
  adopting = true;
  const run: Run = { environment: { [TAG]: `${OURS}${randomUUID()}` }, pid: undefined };
  running.add(run);
  return run;
}

/**
 * Kills what the run left, and what no run that still goes on has left for certain. Resolves to how many remain:
 * 0, or those that wait in the kernel and do not even take SIGKILL.
 */
export async function endRun(run: Run): Promise<number> {
  running.delete(run);
  for (let round = 1; ; round++) {
    for (const { pid } of strays()) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended, or became another user before no_new_privs was set.
      }
    }
    const found = killed.size;
    for (const pid of killed) if (reapChild(pid)) killed.delete(pid);
    if (found === 0 || round === ROUNDS) return killed.size;
    await sleep(ROUND_MS);
  }
}

/** What is to be killed: see above. */
function strays(): OwnChild[] {
  return others().filter((child) => {
    const mark = markOf(child);
    if (mark === null) return !isInit;
    return ![...running].some((run) => run.environment[TAG] === mark);
  });
}

/** Children that are neither programs of an action that runs, nor started by anything else in this process. */
function others(): OwnChild[] {
  const programs = new Set([...running].map(({ pid }) => pid));
  const ours = sessionOf('/proc/self');
  return ownChildren().filter(({ pid, directory }) => {
    if (programs.has(pid)) return false;
    const session = sessionOf(directory);
    return session !== null && session !== ours;
  });
}

/** null when it is gone. */
function sessionOf(directory: string): number | null {
  try {
    // proc_pid_stat(5): the name, which may hold anything, ends at the last parenthesis; state, ppid, pgrp, session.
    const text = readFileSync(`${directory}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return null;
  }
}

/** The mark of the process; null when it has none of ours, or when its environment may not be read. */
function markOf({ directory }: OwnChild): string | null {
  let environment: string;
  try {
    environment = readFileSync(`${directory}/environ`, 'latin1');
  } catch {
    return null; // it is another user's, or a zombie
  }
  const mark = environment.split('\0').find((word) => word.startsWith(`${TAG}=${OURS}`));
  return mark === undefined ? null : mark.slice(TAG.length + 1);
}
