// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

import { EventEmitter } from 'node:events';

/** The part of the mediasoup module that the agent uses. */
export interface Mediasoup {
  /** Emits an event for each new worker. */
  readonly observer: Pick<EventEmitter, 'on' | 'off'>;
  /** Version of the library. */
  readonly version: string;
}

export interface Options {
  /** Address to listen on. An address other than loopback requires a token. Default: 127.0.0.1. */
  host?: string;
  /** Port to listen on. 0 selects any free port. Default: 9414. */
  port?: number;
  /**
   * Path of a Unix socket to listen on instead of host and port. Only the user and the group of the process can connect to it. An
   * abandoned socket at the path is replaced, and close() removes the socket. Default: no socket.
   */
  socket?: string;
  /** Bearer token that clients must send. Default: no token. */
  token?: string;
  /**
   * Host names, without ports, that requests without a token may use in addition to localhost and loopback addresses. Requests with
   * any other host are rejected (421), because a web page can make its own host name resolve to this machine. Default: none.
   */
  allowedHosts?: string[];
  /**
   * Maximum number of objects whose statistics are read per collection. The next collections read the others. Default: no limit except
   * timeoutMs.
   */
  maxStats?: number;
  /** Maximum duration of a collection in ms, at most 5000. A call may take half of it, a worker three quarters. Default: 2000. */
  timeoutMs?: number;
  /** Whether to measure the delay of the event loop, which takes 0.4 % of a core. Default: true. */
  eventLoopDelay?: boolean;
  /**
   * Whether to count transports that could not be created. mediasoup has no event for them, so the agent replaces the methods of each
   * router that create transports. The methods return and throw the same. Default: false.
   */
  countFailures?: boolean;
  /**
   * Returns labels of a router for the snapshot, such as the name of a room: at most 16, with at most 256 characters each. They leave
   * the process. Called once per router and collection. Default: no labels.
   */
  labels?: (router: any) => Record<string, string> | undefined;
  /** Is called with errors. Default: errors are emitted as process warnings. */
  onError?: (error: Error) => void;
}

/** Where an agent listens: host and port, or the path of a socket. */
export interface Address {
  host?: string;
  port?: number;
  socket?: string;
}

export interface Agent {
  /** The address of the agent, or undefined if it could not start. Never rejects. */
  readonly ready: Promise<Address | undefined>;
  /** Removes all listeners from mediasoup, aborts the current collection, stops listening and closes all connections. */
  close(): Promise<void>;
}

/**
 * Starts to observe mediasoup and to serve snapshots at GET /v1/snapshot. Call it before the application creates its first worker.
 * Never throws: errors are passed to options.onError.
 */
export function start(mediasoup: Mediasoup, options?: Options): Agent;
