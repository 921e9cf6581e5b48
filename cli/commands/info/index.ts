// SPDX-License-Identifier: MIT
/** `info`: what a recording holds, its losses first. */
import { jsonOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { refuseInputs } from '../../../src/output/inputs.js';
import { inventory } from '../../../src/recording/read/inventory.js';
import { scanFile } from '../../../src/recording/read/scan.js';
import { print, report } from '../../common/process.js';
import { infoText } from './text.js';

export interface InfoOptions {
  readonly json?: boolean;
}

/** Exit code 0, or 2 when it is damaged: what comes before the damage is described. */
export async function info(file: string, options: InfoOptions): Promise<number> {
  await refuseInputs('-', [file]);
  const scan = await scanFile(file);
  const document = inventory(file, scan);
  await print(options.json === true ? jsonOf(document) : infoText(document));
  return scan.error === null ? ExitCode.Ok : report(scan.error);
}
