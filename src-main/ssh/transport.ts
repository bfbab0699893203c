/** What an installer needs of a host, and nothing more: run a command, copy a file, connect a stream. One interface, whatever carries it. */
import type { Duplex } from 'node:stream';

export interface CommandOptions {
  /** As root, through sudo when the login is not root's. */
  readonly elevated?: boolean;
  /** Given to the script on stdin: the only place for secrets. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CopySource {
  readonly size: number;
  /** Hex, of the whole content. */
  readonly sha256: string;
  /** Hex, of the first `length` bytes: tells whether what an interrupted copy left is the beginning of the same. */
  prefixSha256(length: number): Promise<string>;
  read(offset: number): AsyncIterable<Uint8Array>;
}

export interface CopyOptions {
  readonly elevated?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are on the other side; starts at what an interrupted copy left there. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** Closed by `close` or `await using`. After a lost connection every verb faults with connection-lost. */
export interface Transport extends AsyncDisposable {
  /** user@host, for people. */
  readonly label: string;
  readonly host: string;
  readonly user: string;
  readonly hostKeyFingerprint: string;
  /** A /bin/sh script. A script that fails is a result, not a fault. Faults: connection-lost, timed-out, no-sudo, sudo-password-wrong. */
  readonly command: (script: string, options?: CommandOptions) => Promise<CommandResult>;
  /** Whole or not at all under `target`: written beside, resumed there, verified, renamed. Faults: disk-full, copy-damaged, connection-lost. */
  readonly copy: (source: CopySource, target: string, options?: CopyOptions) => Promise<void>;
  /** stdin and stdout of a script. */
  readonly connect: (
    script: string,
    options?: { readonly elevated?: boolean; readonly signal?: AbortSignal | undefined },
  ) => Promise<Duplex>;
  readonly close: () => void;
  readonly closed: Promise<void>;
}
