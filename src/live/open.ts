// SPDX-License-Identifier: MIT
/** What this kernel has of what is to be observed, and a session on it. */
import { asUserError } from '../errors.js';
import { planAttach } from './attach-plan.js';
import { hostFacts } from './host.js';
import { cannot, chooseRelease, kernelBtf, kernelEnums } from './kernel.js';
import { Live } from './live.js';
import type { LiveOptions, LiveSource } from './options.js';

export type { LiveOptions, LiveSource } from './options.js';

/** Throws `UserError` (exit code 3) where this host cannot be observed. */
export async function openLive(options: LiveOptions): Promise<LiveSource> {
  const facts = hostFacts({ symbols: false });
  const btf = kernelBtf(facts);
  const enums = kernelEnums(btf, facts);
  const release = chooseRelease(options.release, facts);
  const trackStart = options.scope === 'all' || options.minUs > 0;
  const plan = planAttach(
    {
      major: facts.kernel.major,
      minor: facts.kernel.minor,
      fprobe: btf.hasFunc('register_fprobe_ips') || btf.hasFunc('register_fprobe'),
      traceable: (target) => facts.traceable.names?.has(target) ?? null,
      described: (target) => btf.hasFunc(target),
      tracepoint: (target) => btf.tracepointArguments(target) !== null,
    },
    {
      start: trackStart,
      exact: options.release === 'observed',
      observed: release === 'observed',
      follow: options.follow,
      retry: options.scope !== 'swap',
      writers: options.writers,
      // In scope swap what an ordinary fault pays counts for more than what is missed: it is witnessed otherwise.
      backed: options.scope !== 'swap' && facts.preemption !== 'none' && facts.preemption !== 'voluntary',
      without: new Set(options.without),
    },
  );
  if (plan.missing.length > 0)
    throw cannot('observe page faults', `this kernel lacks ${plan.missing.join(', ')}`, 'run: vmalocktop doctor');
  try {
    const live = new Live(options, facts, btf, enums, release, trackStart, plan);
    // A stack waits for its names for some seconds only; what starts now may be over by then.
    if (options.stacks.kernel) await live.primed();
    return live;
  } catch (error) {
    throw asUserError(error) ?? error;
  }
}
