/** What a lane's worker is given when it starts. */
import type { MessagePort } from 'node:worker_threads';
import type { AcknowledgeLevel, VolumeRecord } from '../contract/index.ts';
import type { PeerHot } from './lane-messages.ts';

export interface PrimaryLaneData {
  readonly lane: 'primary';
  readonly name: string;
  readonly control: SharedArrayBuffer;
  readonly inbox: MessagePort;
  /** The acknowledgement lane's end. */
  readonly link: MessagePort;
  readonly wakeFd: number;
  readonly volume: string;
  readonly directoryFd: number;
  readonly deviceFd: number;
  readonly cache: 'writeback' | 'none';
  readonly level: AcknowledgeLevel;
  readonly memoryBoot: string | null;
  /** There is another way to the peer: what it lacks of the stream is kept for that. */
  readonly goesOn: boolean;
  readonly record: VolumeRecord;
  /** What a successor of this process goes on from; -1: nobody would. */
  readonly keptFd: number;
  /** A predecessor has served this mount. */
  readonly takesOver: boolean;
  /** Nobody has asked this filesystem for errors of writing for long. */
  readonly asksFirst: boolean;
  /** Of the former primary, as this copy has heard of it. */
  readonly peerHot: PeerHot | null;
}

export interface AcknowledgementLaneData {
  readonly lane: 'acknowledgement';
  readonly name: string;
  readonly control: SharedArrayBuffer;
  readonly inbox: MessagePort;
  readonly primary: MessagePort;
  readonly primaryWakeFd: number;
  readonly wakeFd: number;
  readonly volume: string;
  readonly node: string;
  readonly peer: string;
  readonly programVersion: string;
  readonly deviceFd: number;
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
  readonly tls: { readonly certificateFile: string; readonly keyFile: string; readonly peerCertificateFile: string };
  readonly linkTimeoutMs: number;
}

export interface SecondaryLaneData {
  readonly lane: 'secondary';
  readonly name: string;
  readonly control: SharedArrayBuffer;
  readonly inbox: MessagePort;
  readonly wakeFd: number;
  readonly volume: string;
  readonly node: string;
  readonly peer: string;
  readonly programVersion: string;
  readonly directoryFd: number;
  readonly record: VolumeRecord;
  readonly level: AcknowledgeLevel;
  readonly memoryBoot: string | null;
  readonly peerHot: PeerHot | null;
}

export interface ListenerLaneData {
  readonly lane: 'listener';
  readonly name: string;
  readonly control: SharedArrayBuffer;
  readonly inbox: MessagePort;
  readonly wakeFd: number;
}

/** Unmounts where waiting harms nobody: umount(2) of a write-back mount sends requests, and waits for their answers. */
export interface UnmountData {
  readonly lane: 'unmount';
  readonly name: string;
  readonly path: string;
}

/** One syncfs(2) that nobody waits for. */
export interface SyncData {
  readonly lane: 'sync';
  readonly name: string;
  readonly directoryFd: number;
}

/** A thread that runs several lanes (`lane-thread.ts`), which it gets as messages. */
export interface SharedData {
  readonly lane: 'shared';
  readonly name: string;
  readonly inbox: MessagePort;
  readonly wakeFd: number;
}
/** `number`: of this thread, for each lane another one. */
export type ToShared =
  { readonly type: 'begin'; readonly number: number; readonly data: LaneData } | { readonly type: 'end' };
export type FromShared =
  | { readonly type: 'said'; readonly number: number; readonly message: unknown }
  | { readonly type: 'ended'; readonly number: number };

export type LaneData =
  SyncData | PrimaryLaneData | AcknowledgementLaneData | SecondaryLaneData | ListenerLaneData | UnmountData;
