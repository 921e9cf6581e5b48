// SPDX-License-Identifier: MIT
/**
 * `node --import` this: whoever asks for blessed gets reblessed, its maintained successor, blessed-contrib's charts too.
 * The process fails when nobody asked: it would have tested blessed again.
 */
import Module, { register } from 'node:module';

interface Resolver {
  _resolveFilename(request: string, ...rest: unknown[]): string;
}

let redirected = 0;
const resolver = Module as unknown as Resolver;
const resolve = resolver._resolveFilename;
resolver._resolveFilename = function redirect(request, ...rest): string {
  if (request !== 'blessed') return resolve.call(this, request, ...rest);
  redirected++;
  return resolve.call(this, 'reblessed', ...rest);
};
register(new URL('./reblessed-hooks.js', import.meta.url));
process.on('exit', () => {
  if (redirected > 0) return;
  process.stderr.write('reblessed was never loaded\n');
  process.exitCode = 1;
});
