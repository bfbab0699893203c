/** What the threads of the replicator tell each other beside the hot path; structured clones through MessagePorts. */
import type {
  FaultRecord,
  Generation,
  ResyncEstimate,
  ResyncProgress,
  Verification,
  VolumeRecord,
} from '../contract/index.ts';
import type { Mode } from './control-block.ts';
import type { HotOffer } from './handshake.ts';
import type { Findings } from './verify-messages.ts';

/** A TLS connection of this process that changes its user: an SSL* has one at a time. */
export interface ConnectionHandle {
  readonly fd: number;
  readonly ssl: bigint;
  readonly peer: string;
}

/** What a target has heard of the primary's hot log: its number must not be lower when that copy comes back. */
export interface PeerHot {
  readonly log: number;
  readonly number: number;
}

export type ToPrimary =
  /** From the acknowledgement lane: the target has agreed and recorded its part. */
  | {
      readonly type: 'linked';
      readonly session: number;
      readonly contact: 'in-sync' | 'resync';
      /** Of our record that the contact was decided on. */
      readonly recordVersion: number;
      /** Of the target's record. Undefined: a version that keeps none. */
      readonly marks: VolumeRecord['marks'];
      /** The target answers what a comparison asks. */
      readonly verifies: boolean;
      /** The target holds the generation that the source has: what it does not get needs another one. */
      readonly sharedGeneration: boolean;
      /** To be recorded with the contact. */
      readonly contacts: number;
      /** The target hears which number our hot log has. */
      readonly hearsHot: boolean;
      /** The target's record follows what ours counts. */
      readonly countsCheckpoints: boolean;
      /** What the target's hot log names, of its time as primary. */
      readonly hot: HotOffer | null;
      /** What the target has heard of our hot log. */
      readonly heardHot: PeerHot | null;
      readonly data: ConnectionHandle;
    }
  /** The same link over another connection: the target has everything up to `applied`. */
  | {
      readonly type: 'goes-on';
      readonly session: number;
      readonly applied: number;
      readonly data: ConnectionHandle;
    }
  /** `refused`: the target could not make a change, and left. */
  | { readonly type: 'link-lost'; readonly session: number; readonly refused: boolean }
  /** The target’s copy was found to differ: it takes nothing before a person has ordered its repair. */
  | { readonly type: 'peer-differs' }
  | { readonly type: 'checkpoint'; readonly session: number; readonly checkpoint: number }
  | {
      readonly type: 'blocks-answered';
      readonly session: number;
      readonly sequence: number;
      readonly needed: Uint8Array;
    }
  | { readonly type: 'verified'; readonly session: number; readonly sequence: number; readonly findings: Findings }
  /** From the supervisor; each is answered by `done` with the same call number. */
  | { readonly type: 'go-alone'; readonly call: number; readonly generation: Generation }
  /** A sync that was under way when this role began has failed, and told nobody else. */
  | { readonly type: 'sync-failed'; readonly status: number }
  /** Of `sync-kept`; negative: one of them has told of an error. */
  | { readonly type: 'kept-synced'; readonly status: number }
  /** All that was applied when it was asked for is on our disk; negative `status`: it is not. */
  | { readonly type: 'synced'; readonly call: number; readonly status: number }
  /** After the unmount: agree on a checkpoint when in sync, then end. */
  | { readonly type: 'clean-stop'; readonly call: number }
  | { readonly type: 'verify'; readonly call: number; readonly repair: boolean }
  | { readonly type: 'stop-verify'; readonly call: number }
  /** What a resync would have to do now; `files`: how many of them are named. */
  | { readonly type: 'estimate'; readonly call: number; readonly files: number }
  | { readonly type: 'end' };

export type FromPrimary =
  | {
      readonly type: 'status';
      readonly mode: Mode;
      readonly record: VolumeRecord;
      readonly resync: ResyncProgress | null;
      readonly verification: Verification | null;
      /** Changes reach the peer, but its copy was found to differ and has not been mended. */
      readonly differs: boolean;
    }
  | {
      readonly type: 'done';
      readonly call: number;
      readonly clean: boolean;
      readonly fault: FaultRecord | null;
      /** Of `estimate`. */
      readonly estimate?: ResyncEstimate;
    }
  /** The first word of a lane that goes on under a predecessor's mount. `requests`: read by that one, and not known to be answered. */
  | { readonly type: 'taken-over'; readonly openFiles: number; readonly requests: number }
  /** Nothing has been answered: the mount cannot be served from where the predecessor ended. */
  | { readonly type: 'not-taken-over'; readonly reason: string }
  /** From here on no successor can go on under this mount. May come before any other word. */
  | { readonly type: 'not-kept'; readonly reason: string }
  /** After `not-kept`: that is over. */
  | { readonly type: 'kept-again' }
  /** To be answered by `synced`. Elsewhere: requests must not wait for what may take long. */
  | { readonly type: 'sync'; readonly call: number }
  /** The same for these descriptions and the own one of those syncs; `kept-synced` answers it. */
  | { readonly type: 'sync-kept'; readonly descriptors: readonly number[] }
  /** Something of this filesystem could not be written before this role changed anything. */
  | { readonly type: 'earlier-failure'; readonly errno: number }
  /** The mount is gone, whoever took it away. */
  | { readonly type: 'unmounted' }
  /** The local disk failed an fsync or a write. */
  | { readonly type: 'local-failure'; readonly call: string; readonly errno: number }
  /** What the disk has failed to write is not known, and cannot be asked any more. */
  | { readonly type: 'errors-lost' }
  /** The local disk does not give what the peer lacks: it cannot be brought up to date. */
  | { readonly type: 'unreadable'; readonly errno: number }
  | { readonly type: 'ended' };

export interface ToAcknowledgement {
  readonly type: 'end';
}

export type FromAcknowledgement =
  | { readonly type: 'link'; readonly up: boolean; readonly fault: FaultRecord | null }
  /** The link goes on over another connection, to `peer`. */
  | { readonly type: 'moved'; readonly peer: string }
  | { readonly type: 'ended' };

export type ToSecondary =
  /** A link that the listener has accepted; `record` is the source's. */
  | {
      readonly type: 'accepted';
      /** Of the control block, when it was accepted. */
      readonly cuts: number;
      readonly data: ConnectionHandle;
      readonly acknowledgements: ConnectionHandle;
      readonly record: VolumeRecord;
      /** Of the protocol that the source speaks. */
      readonly minor: number;
      /** The source knows what to do with this copy's hot log. */
      readonly asksHot: boolean;
      readonly token: string;
      /** The token of the link that this one takes the place of. */
      readonly continues: string | null;
    }
  /** All that was applied when it was asked for is on disk; negative `status`: it is not. */
  | { readonly type: 'synced'; readonly call: number; readonly status: number }
  | { readonly type: 'end' };

export type FromSecondary =
  | {
      readonly type: 'status';
      readonly record: VolumeRecord;
      readonly link: boolean;
      readonly resync: ResyncProgress | null;
      readonly fault: FaultRecord | null;
      /** A sync has failed, whether or not the record could say so. */
      readonly unwritten: boolean;
      readonly peerHot: PeerHot | null;
    }
  /** To be answered by `synced`. Elsewhere, because the stream must not wait for what may take long. */
  | { readonly type: 'sync'; readonly call: number }
  | { readonly type: 'ended' };

export interface ListenerConfiguration {
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  readonly tls: { readonly certificateFile: string; readonly keyFile: string; readonly peerCertificateFile: string };
  readonly linkTimeoutMs: number;
  /** What the files of `tls` held, by their hash; null: they could not be read. */
  readonly certificates: string | null;
}
export interface ToListener {
  readonly type: 'configure';
  readonly configuration: ListenerConfiguration;
}
export type FromListener =
  | {
      readonly type: 'link';
      /** Of the configuration that it was made under. */
      readonly certificates: string | null;
      readonly volume: string;
      readonly node: string;
      readonly data: ConnectionHandle;
      readonly acknowledgements: ConnectionHandle;
      readonly record: VolumeRecord;
      /** Of the protocol that the source speaks. */
      readonly minor: number;
      /** The source knows what to do with this copy's hot log. */
      readonly asksHot: boolean;
      readonly token: string;
      /** The token of the link that this one takes the place of. */
      readonly continues: string | null;
    }
  /** Somebody was refused, or an address cannot be listened on. */
  | { readonly type: 'fault'; readonly fault: FaultRecord };
