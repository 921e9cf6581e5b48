// SPDX-License-Identifier: MIT
/** The secrets of the metrics server: files that only root need be able to read, since they are read before privileges go. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ExitCode, fileError, UserError } from '../errors.js';
import type { ServeOptions } from '../metrics/server.js';
import type { DaemonConfig } from './config.js';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

/** Throws a `UserError` when a file cannot be read, or says nothing that can be used. */
export function serveOptions({
  tlsCert,
  tlsKey,
  passwordFile,
}: DaemonConfig['metrics']): Pick<ServeOptions, 'tls' | 'credentials'> {
  if ((tlsCert === '') !== (tlsKey === ''))
    throw new UserError(
      'cannot serve metrics over TLS',
      `metrics.${tlsCert === '' ? 'tls_cert' : 'tls_key'} is missing`,
      'set both, or neither for plain HTTP',
      ExitCode.Usage,
    );
  const tls = tlsCert === '' ? null : { cert: read(tlsCert), key: read(tlsKey) };
  if (tls !== null) checkPair(tls);
  const credentials = passwordFile === '' ? null : read(passwordFile).trim();
  if (credentials !== null && !/^[^:\n]+:[^\n]+$/.test(credentials))
    throw new UserError(
      `cannot use ${passwordFile}`,
      'it is not one line of the form user:password',
      'write such a line, and give the file mode 0600',
      ExitCode.Usage,
    );
  return { tls, credentials };
}

function checkPair(tls: { readonly cert: string; readonly key: string }): void {
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new UserError(
      'cannot serve metrics over TLS',
      error instanceof Error ? error.message : String(error),
      'check metrics.tls_cert and metrics.tls_key: both must be PEM, and the key must be that of the certificate',
      ExitCode.Usage,
      { cause: error },
    );
  }
}
