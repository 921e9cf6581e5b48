// SPDX-License-Identifier: MIT
/** An event as programs get it: on the standard input of `exec`, and as the body of a webhook. */
import { type AlertEvent, alertText } from '../core/alerts/event.js';
import { wallNs } from '../core/events/clocks.js';
import type { SessionInfo } from '../core/events/session.js';

/** ISO 8601, of a time in ns since the session's base; '' when the session has no clock pair. */
export function wallTime(session: SessionInfo, time: number): string {
  const ns = wallNs(session, time);
  return ns === null ? '' : new Date(Number(ns / 1_000_000n)).toISOString();
}

export interface AlertMessage extends AlertEvent {
  readonly v: 1;
  readonly tool: string;
  readonly host: string;
  readonly kernel: string;
  /** ISO 8601; '' when not known. */
  readonly at: string;
  readonly sinceAt: string;
  /** One line for people. */
  readonly text: string;
  /** The recording a flight-recorder action wrote for it, a path on that host; absent: none did. */
  readonly flight?: string;
}

export function alertMessage(event: AlertEvent, session: SessionInfo): AlertMessage {
  return {
    v: 1,
    tool: session.tool,
    host: session.host,
    kernel: session.kernel,
    at: wallTime(session, event.time),
    sinceAt: wallTime(session, event.since),
    text: alertText(event),
    ...event,
  };
}
