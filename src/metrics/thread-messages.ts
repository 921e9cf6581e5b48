// SPDX-License-Identifier: MIT
/** What the thread that serves HTTP and the one that knows the answers say to each other. */
import type { Page } from './bounded-http.js';
import type { TextFormat } from './text.js';

export type What = TextFormat | 'health';

export type FromThread =
  | { readonly kind: 'listening'; readonly address: string; readonly tid: number | null }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly what: What };

export type ToThread =
  | { readonly kind: 'answer'; readonly id: number; readonly page: Page }
  | { readonly kind: 'close' };
