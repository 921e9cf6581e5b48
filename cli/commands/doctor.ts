// SPDX-License-Identifier: MIT
/** `doctor`: what works on this host, what not, why, and what to do. */
import { explain } from '../../src/doctor.js';
import { probeBpf } from '../../src/doctor-probe.js';
import { ExitCode } from '../../src/errors.js';
import { hostFacts } from '../../src/host.js';
import { doctorText, verdictLine } from '../doctor-text.js';
import { print } from '../process.js';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Exit code 0 when live observation can work here, 3 when not. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const diagnosis = explain(hostFacts(), await probeBpf());
  if (options.json === true) await print(`${JSON.stringify(diagnosis, null, 2)}\n`);
  else await print(options.quiet === true ? `${verdictLine(diagnosis)}\n` : doctorText(diagnosis));
  return diagnosis.canObserve ? ExitCode.Ok : ExitCode.CannotObserve;
}
