// SPDX-License-Identifier: MIT
/** In a guest: what a daemon's socket brings, into a file. Waits until somebody listens, so as to be the first. */
import { createWriteStream } from 'node:fs';
import { connect } from 'node:net';

const [path = '', file = ''] = process.argv.slice(2);
const ask = (): void => {
  const socket = connect(path);
  socket.once('error', () => setTimeout(ask, 20));
  socket.once('connect', () => socket.pipe(createWriteStream(file)));
};
ask();
