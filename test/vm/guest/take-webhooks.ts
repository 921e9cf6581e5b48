// SPDX-License-Identifier: MIT
/** In a guest: appends what is posted to a port to a file. */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port = '', file = ''] = process.argv.slice(2);
createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    appendFileSync(file, body);
    response.end();
  });
}).listen(Number(port), '127.0.0.1');
