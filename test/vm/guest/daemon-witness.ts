// SPDX-License-Identifier: MIT
/**
 * In a guest, all that is to be seen of a daemon from outside in one process, for each start of Node takes many seconds there:
 * daemon-witness PORT DIRECTORY SOCKET. What is posted to PORT goes to DIRECTORY/webhook, and what the socket brings to
 * DIRECTORY/session.vmlt; it waits until somebody listens there, so as to have the session from its first row on. A second
 * client reads the session to its end, and says it as one line of JSON.
 */
import { appendFileSync, createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import { connectDaemon } from '../../../src/daemon/connect.js';
import { patience } from '../../pace.js';

const [port = '', directory = '', path = ''] = process.argv.slice(2);

const webhooks = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    appendFileSync(join(directory, 'webhook'), body);
    response.end();
  });
}).listen(Number(port), '127.0.0.1');

const listens = new Promise<void>((done) => {
  const ask = (): void => {
    const socket = connect(path);
    socket.once('error', () => setTimeout(ask, 20));
    socket.once('connect', () => {
      socket.pipe(createWriteStream(join(directory, 'session.vmlt')));
      done();
    });
  };
  ask();
});

await listens;
// The socket is there before the programs are attached, which takes minutes here.
const source = await connectDaemon(path, () => {}, patience(120_000));
console.error('connected');
const pipeline = new Pipeline(source.session);
for await (const batch of source.batches()) pipeline.push(batch);
const { events, processes } = pipeline.snapshot();
console.log(JSON.stringify({ truncated: source.truncated, dropped: events.dropped, processes }));
webhooks.close();
webhooks.closeAllConnections();
