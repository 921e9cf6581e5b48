// SPDX-License-Identifier: MIT
/** What this kernel has of what is to be observed, and a session on it. */
import { opendirSync } from 'node:fs';
import { constants } from 'node:os';
import { asUserError, fileError } from '../errors.js';
import { abilityOf, tracksStart, wishesOf } from './ability.js';
import { kernelAddresses } from './addresses.js';
import { type AttachPlan, loses, newTasksUnseen, planAttach, type Wishes } from './attach-plan.js';
import { Attachment, ProgramsRefused, refusal } from './attachment.js';
import { refuseAbsent } from './followed.js';
import { HOOKS } from './hooks.js';
import { hostFacts } from './host.js';
import { cannot, chooseRelease, kernelBtf, kernelEnums, possibleCpus, probeObservation } from './kernel.js';
import { Live } from './live.js';
import { hostOptions } from './names/cgroups.js';
import { findCgroups } from './names/find-cgroups.js';
import type { LiveOptions, LiveSource } from './options.js';
import type { HostContext } from './rodata.js';

export type { LiveOptions, LiveSource } from './options.js';

/** Throws `UserError` (exit code 3) where this host cannot be observed. */
export async function openLive(options: LiveOptions): Promise<LiveSource> {
  refuseAbsent(options);
  const root = options.hostRoot ?? '/';
  refuseNoDirectory(root);
  const facts = hostFacts({ symbols: false });
  const { pid } = facts.namespaces;
  if (pid.initial === null)
    throw cannot(
      'find out whose pids these are',
      pid.error,
      'mount the /proc of this PID namespace, or run it on the host',
    );
  const groups = hostOptions(root);
  const cgroups = await findCgroups(options.cgroups, groups);
  const btf = kernelBtf(facts);
  const enums = kernelEnums(btf, facts);
  const release = chooseRelease(options.release, facts);
  const trackStart = tracksStart(options);
  const addresses = kernelAddresses();
  const ability = abilityOf(facts, btf);
  const refused = new Map<string, string>();
  const wishes: Wishes = { ...wishesOf(options, facts, release, addresses), refused };
  const cpus = possibleCpus();
  try {
    for (;;) {
      const plan = planAttach(ability, wishes);
      if (plan.missing.length > 0)
        throw cannot('observe page faults', `this kernel lacks ${plan.missing.join(', ')}`, 'run: vmalocktop doctor');
      const unseen = newTasksUnseen(plan);
      if (options.follow && unseen !== null)
        throw cannot(
          'follow a command',
          `its children cannot be seen: ${unseen}`,
          'observe the whole host, without a command',
        );
      const mounted = groups.mounted ?? '/';
      const around: HostContext = { facts, btf, release, trackStart, plan, cpus, addresses, cgroups, mounted };
      let attachment: Attachment;
      try {
        attachment = new Attachment(options, around);
      } catch (error) {
        if (!(error instanceof ProgramsRefused)) throw error;
        takeRefusals(error, plan, refused);
        for (const [program, { log }] of error.refused) options.onRefused?.(program, log);
        continue;
      }
      try {
        const live = new Live(attachment, options, around, enums);
        await live.primeNames();
        live.begin();
        return live;
      } catch (error) {
        attachment.letGo();
        throw error;
      }
    }
  } catch (error) {
    throw asUserError(error) ?? error;
  }
}

/** Where it is not, every container would be without a name, and nobody would know why. Throws `UserError`. */
function refuseNoDirectory(root: string): void {
  try {
    opendirSync(root).closeSync();
  } catch (error) {
    throw fileError(`cannot use ${root} as the host's root`, error);
  }
}

/** Optional hooks that were refused are left out of the next plan. Throws the refusal where there is no session without it. */
function takeRefusals({ refused: programs }: ProgramsRefused, plan: AttachPlan, refused: Map<string, string>): void {
  for (const [program, error] of programs) {
    const lost = loses(program);
    if (refused.has(lost) || HOOKS.some((hook) => hook.required && hook.target === lost)) throw error;
    // A host that takes no program at all refuses the first one it is given, whichever that is.
    if (error.errno === constants.errno.EPERM && refused.size === 0 && probeObservation() !== null) throw error;
    if (!plan.programs.some((planned) => planned.program === program)) throw error;
    refused.set(lost, `refused: ${refusal(error)}`);
  }
}
