// SPDX-License-Identifier: MIT
/** A lifecycle as it is given away. */
import type { Lifecycle } from './lifecycle.js';
import type { FaultRecord } from './record.js';

/** A copy that no later step changes, without the fold's own fields. */
export function copyLifecycle(r: FaultRecord): Lifecycle {
  return {
    id: r.id,
    tid: r.tid,
    tgid: r.tgid,
    comm: r.comm,
    processName: r.processName,
    cgroup: r.cgroup,
    mm: r.mm,
    address: r.address,
    vmaStart: r.vmaStart,
    vmaEnd: r.vmaEnd,
    vmFlags: r.vmFlags,
    pte: r.pte,
    depth: r.depth,
    origin: r.origin,
    first: r.first,
    last: r.last,
    start: r.start,
    end: r.end,
    how: r.how,
    attempts: r.attempts.map((a) => ({
      lock: a.lock,
      acquired: a.acquired,
      released: a.released,
      rule: a.rule,
      exactRelease: a.exactRelease,
      flags: a.flags,
      ret: a.ret,
      outcome: a.outcome,
      cause: a.cause,
      innermost: a.innermost,
      verdict: a.verdict,
      faultHandler: a.faultHandler,
      folio: a.folio,
      kernelStack: a.kernelStack,
      userStack: a.userStack,
    })),
    waits: r.waits.map((w) => ({
      kind: w.kind,
      held: w.held,
      start: w.start,
      end: w.end,
      slept: w.slept,
      contended: w.contended,
      holder: w.holder,
    })),
    leftOut: r.leftOut === null ? null : { ...r.leftOut, waited: new Map(r.leftOut.waited) },
    swap: r.swap,
    enteredSwap: r.enteredSwap,
    major: r.major,
    lost: [...r.lost],
    state: r.state,
  };
}
