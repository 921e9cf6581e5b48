// SPDX-License-Identifier: MIT
/** `doctor`: what works on this host, what not, why, and what to do. */
import { jsonOf, textOf } from '../../../src/core/present/clean.js';
import type { Diagnosis } from '../../../src/doctor/diagnosis.js';
import { explain } from '../../../src/doctor/doctor.js';
import { probeBpf, probePrograms } from '../../../src/doctor/probe.js';
import { ExitCode } from '../../../src/errors.js';
import { hostFacts } from '../../../src/live/host.js';
import { print } from '../../common/process.js';
import { doctorText, verdictLine } from './text.js';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Also what the verifier said of a refused program, whole. */
  readonly verbose?: boolean;
}

/** Exit code 0 when live observation can work here, 3 when not. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const facts = hostFacts();
  const bpf = await probeBpf();
  const verbose = options.verbose === true;
  const diagnosis = explain(facts, bpf, await probePrograms(facts, bpf));
  if (options.json === true) await print(jsonOf(verbose ? diagnosis : withoutLogs(diagnosis), undefined, 2));
  else await print(options.quiet === true ? textOf([verdictLine(diagnosis)]) : doctorText(diagnosis, verbose));
  return diagnosis.canObserve ? ExitCode.Ok : ExitCode.CannotObserve;
}

/** A refused program's log may have megabytes: JSON.stringify leaves out what is undefined. */
function withoutLogs(diagnosis: Diagnosis): object {
  const { programs } = diagnosis;
  if (programs === null) return diagnosis;
  return { ...diagnosis, programs: { ...programs, refused: programs.refused.map(({ log: _, ...rest }) => rest) } };
}
