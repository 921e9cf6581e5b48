// SPDX-License-Identifier: MIT
/** dist/bundled: what is built, in the few files that the package has. Tests start it, by VMALOCKTOP_MAIN. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './package/bundle.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
await bundle(ROOT, join(ROOT, 'dist/bundled'));
