// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

import { EventEmitter } from 'node:events';

/** The module mediasoup, as far as the agent needs it. */
export interface Mediasoup {
  /** Tells of new workers. */
  readonly observer: Pick<EventEmitter, 'on' | 'off'>;
  /** Version of the library. */
  readonly version: string;
}

export interface Options {
  /** Address to listen on; one that is not loopback needs a token. Default 127.0.0.1. */
  host?: string;
  /** Port to listen on; 0 takes any. Default 9414. */
  port?: number;
  /** Bearer token that clients must send. Default: none is asked for. */
  token?: string;
  /**
   * Without a token: names, without ports, by which clients may ask for this machine besides localhost and loopback addresses. A
   * request for any other name is refused (421), because web pages can make their own name resolve to this machine. Default: none.
   */
  allowedHosts?: string[];
  /**
   * Objects whose numbers are read in one collection, at most. What is beyond has its turn in the next ones. Default: no limit but
   * timeoutMs.
   */
  maxStats?: number;
  /** Time for one collection, in ms, at most 5000: a call has half of it, a worker three quarters. Default 2000. */
  timeoutMs?: number;
  /** Whether to measure the delay of the event loop, which costs 0.4 % of a core. Default true. */
  eventLoopDelay?: boolean;
  /**
   * Labels of a router for the snapshot, such as a room's name: at most 16 of 256 characters. They leave the process. Called once for
   * each router and collection. Default: no labels.
   */
  labels?: (router: any) => Record<string, string> | undefined;
  /** Is told what goes wrong. Default: a warning of the process. */
  onError?: (error: Error) => void;
}

export interface Agent {
  /** Where the agent listens; undefined where it could not start. Never rejects. */
  readonly ready: Promise<{ host: string; port: number } | undefined>;
  /** Removes every listener from mediasoup, ends the collection that runs, stops listening and cuts all connections. */
  close(): Promise<void>;
}

/**
 * Begins to watch mediasoup and to serve snapshots on GET /v1/snapshot. Call it before the application makes its first worker.
 * Never throws: what goes wrong is told to options.onError.
 */
export function start(mediasoup: Mediasoup, options?: Options): Agent;
