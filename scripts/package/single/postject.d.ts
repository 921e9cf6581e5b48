// SPDX-License-Identifier: MIT
/** postject (1.0.0-alpha.6) comes without types. */
declare module 'postject' {
  /** Writes `data` as a note of the ELF file and marks the fuse: node_modules/postject/dist/api.js. */
  export function inject(
    filename: string,
    resourceName: string,
    data: Uint8Array,
    options?: { sentinelFuse?: string },
  ): Promise<void>;
}
