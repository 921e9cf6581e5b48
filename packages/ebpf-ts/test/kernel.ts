// SPDX-License-Identifier: MIT
/** What only a kernel that takes programs can show. Runs as root in a guest: node dist/test/kernel.js (test/vm/ebpf-ts.test.ts). */
import './kernel/examples.js';
import './kernel/attach-ways.js';
import './kernel/attach.js';
import './kernel/targets.js';
import './kernel/accounts.js';
import './kernel/values.js';
import './kernel/rings.js';
import './kernel/struct-ops.js';
import './kernel/handles.js';
import './kernel/refused.js';
import './kernel/features.js';
import './kernel/misuse.js';
import './kernel/leaks.js';
