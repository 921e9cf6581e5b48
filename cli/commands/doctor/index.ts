// SPDX-License-Identifier: MIT
/** `doctor`: what works on this host, what not, why, and what to do. */
import { jsonOf, textOf } from '../../../src/core/present/clean.js';
import { explain } from '../../../src/doctor/doctor.js';
import { probeBpf } from '../../../src/doctor/probe.js';
import { ExitCode } from '../../../src/errors.js';
import { hostFacts } from '../../../src/live/host.js';
import { print } from '../../common/process.js';
import { doctorText, verdictLine } from './text.js';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Exit code 0 when live observation can work here, 3 when not. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const diagnosis = explain(hostFacts(), await probeBpf());
  if (options.json === true) await print(jsonOf(diagnosis, undefined, 2));
  else await print(options.quiet === true ? textOf([verdictLine(diagnosis)]) : doctorText(diagnosis));
  return diagnosis.canObserve ? ExitCode.Ok : ExitCode.CannotObserve;
}
