// SPDX-License-Identifier: MIT
/** A reporter of node:test: the files in which a test failed, one a line, each as often as it has failures. */
import type { TestEvent } from 'node:test/reporters';

export default async function* failedFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) if (event.type === 'test:fail') yield `${event.data.file ?? event.data.name}\n`;
}
