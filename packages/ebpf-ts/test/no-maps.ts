// SPDX-License-Identifier: MIT
/** Why no map can be made here, or false: asked once by each test that makes some. */
import { BpfError } from '../src/errors.js';
import { BpfMap } from '../src/map.js';
import { MapType } from '../src/map-types.js';

function refusal(): string | false {
  try {
    BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return false;
  } catch (error) {
    return error instanceof BpfError ? `no map can be made here: ${error.message}` : String(error);
  }
}

export const noMaps: string | false = refusal();
