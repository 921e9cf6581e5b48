// SPDX-License-Identifier: MIT
/**
 * What programs of `exec` actions leave behind, whatever process group or session it made for itself.
 *
 * This process is the reaper of all that descends from it (PR_SET_CHILD_SUBREAPER): who loses its parent becomes its child.
 * Programs are started in sessions of their own, and nothing leads back into the session of this process (setsid(2)): a
 * child in another session that is no program of an action was left by one. Children alone are signalled, and their numbers
 * cannot be anybody else's until they are waited for; what they leave becomes a child in turn.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { adoptOrphans, reapChild } from 'ebpf-ts';

/** In the environment of a program, and of what it starts unless that is cleared. */
const TAG = 'VMALOCKTOP_ACTION';
/** Between two looks, and how often: who forks without end is not outrun, but nor is it waited for. */
const ROUND_MS = 10;
const ROUNDS = 200;

export interface Run {
  readonly environment: Readonly<Record<string, string>>;
  /** The program's process, once it has one. */
  pid: number | undefined;
}

const running: Set<Run> = new Set();
let adopting = false;

/** To be called before the program is started; each run is to be ended by `endRun`. */
export function beginRun(): Run {
  if (!adopting) adoptOrphans();
  adopting = true;
  const run: Run = { environment: { [TAG]: randomUUID() }, pid: undefined };
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
    const left = strays();
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended, or became another user before no_new_privs was set.
      }
    }
    const remain = left.filter((pid) => !reapChild(pid));
    if (left.length === 0 || round === ROUNDS) return remain.length;
    await sleep(ROUND_MS);
  }
}

function strays(): number[] {
  const programs = new Set([...running].map(({ pid }) => pid));
  const ours = sessionOf(process.pid);
  return children().filter((pid) => {
    if (programs.has(pid)) return false;
    const session = sessionOf(pid);
    return session !== null && session !== ours && !isOf(pid, running);
  });
}

function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((tid) => {
    try {
      const text = readFileSync(`/proc/self/task/${tid}/children`, 'latin1').trim();
      return text === '' ? [] : text.split(' ').map(Number);
    } catch {
      return []; // the thread ended, or the kernel was built without CONFIG_PROC_CHILDREN
    }
  });
}

/** null when it is gone. */
function sessionOf(pid: number): number | null {
  try {
    // proc_pid_stat(5): the name, which may hold anything, ends at the last parenthesis; state, ppid, pgrp, session.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return null;
  }
}

/** It bears the mark of one of these. */
function isOf(pid: number, runs: ReadonlySet<Run>): boolean {
  let environment: string;
  try {
    environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
  } catch {
    return false; // we may not look into it, or it is a zombie
  }
  return [...runs].some((run) => environment.includes(`\0${TAG}=${run.environment[TAG]}\0`));
}
