// SPDX-License-Identifier: MIT
/** Loads what sessions load, and says of each program that the kernel does not take what the verifier said last. Attaches nothing. */
import { BpfError, BpfObject, VerifierError } from 'ebpf-ts';
import { abilityOf, tracksStart, wishesOf } from '../live/ability.js';
import { kernelAddresses } from '../live/addresses.js';
import { loses, type PlannedProgram, planAttach } from '../live/attach-plan.js';
import { refusal } from '../live/attachment.js';
import { HOOKS } from '../live/hooks.js';
import type { HostFacts } from '../live/host.js';
import { chooseRelease, kernelBtf, OBJECT, possibleCpus } from '../live/kernel.js';
import { type FollowedCgroup, MAX_CGROUPS } from '../live/names/find-cgroups.js';
import type { LiveOptions } from '../live/options.js';
import { LEARN_OWN_PIDS } from '../live/program-names.js';
import { configure, type HostContext } from '../live/rodata.js';
import type { ProgramsCheck, RefusedProgram } from './diagnosis.js';

/** What a session has by itself, and the most that options ask for. */
const PLAIN: LiveOptions = {
  scope: 'retry',
  release: 'derived',
  pids: [],
  tids: [],
  cgroups: [],
  minUs: 0,
  ringBytes: 2 ** 16,
  follow: false,
  stats: false,
  writers: true,
  writerMinUs: 100,
  stacks: { kernel: false, user: false },
  without: [],
  lock: false,
  standDown: () => {},
  holdMinUs: 0,
};
const FULL: LiveOptions = {
  ...PLAIN,
  scope: 'all',
  release: 'best',
  minUs: 1,
  follow: true,
  comm: 'doctor',
  stacks: { kernel: true, user: true },
};

/** As many as there can be: that they are on no host is nothing to the verifier. */
const CGROUPS: readonly FollowedCgroup[] = Array.from({ length: MAX_CGROUPS }, () => ({ id: 1n, path: '/' }));

function around(options: LiveOptions, facts: HostFacts): HostContext {
  const btf = kernelBtf(facts);
  const release = chooseRelease(options.release, facts);
  const addresses = kernelAddresses();
  const plan = planAttach(abilityOf(facts, btf), wishesOf(options, facts, release, addresses));
  const cgroups = options === FULL ? CGROUPS : [];
  const trackStart = tracksStart(options);
  return { facts, btf, release, trackStart, plan, cpus: possibleCpus(), addresses, cgroups, mounted: '/' };
}

/** The refusal of those programs of a session, or null. `object` is a file's path or its bytes. */
function load(
  object: string | Uint8Array,
  options: LiveOptions,
  context: HostContext,
  programs: ReadonlySet<string>,
): BpfError | null {
  const opened = BpfObject.open(object, { name: 'vmalocktop' });
  try {
    configure(opened, options, context);
    for (const program of opened.programs.values())
      if (!programs.has(program.name) && program.name !== LEARN_OWN_PIDS) program.setAutoload(false);
    opened.load();
    return null;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return error;
  } finally {
    opened.close();
  }
}

function refusedOf({ program }: PlannedProgram, error: BpfError): RefusedProgram {
  const lost = loses(program);
  return {
    program,
    hook: lost,
    required: HOOKS.some((hook) => hook.required && hook.target === lost),
    why: refusal(error),
    remedy: error.remedy,
    lastLines: error instanceof VerifierError ? error.lastLines : [],
    log: error.log,
  };
}

/**
 * libbpf loads all or nothing, so what a session loads is loaded at once first; where that is refused, each program by itself.
 * Throws what is no matter of programs.
 */
export function tryPrograms(facts: HostFacts, object: string | Uint8Array = OBJECT): ProgramsCheck {
  const refused = new Map<string, RefusedProgram>();
  const tried = new Set<string>();
  for (const options of [PLAIN, FULL]) {
    const context = around(options, facts);
    const { programs } = context.plan;
    for (const { program } of programs) tried.add(program);
    if (load(object, options, context, new Set(programs.map(({ program }) => program))) === null) continue;
    for (const planned of programs) {
      if (refused.has(planned.program)) continue;
      const error = load(object, options, context, new Set([planned.program]));
      if (error !== null) refused.set(planned.program, refusedOf(planned, error));
    }
  }
  return { loaded: tried.size - refused.size, refused: [...refused.values()] };
}
