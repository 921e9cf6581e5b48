// SPDX-License-Identifier: MIT
/** The same for `import`: Node asks these hooks, in a thread of their own. */
import type { ResolveHook } from 'node:module';

export const resolve: ResolveHook = (specifier, context, next) =>
  next(specifier === 'blessed' ? 'reblessed' : specifier, context);
