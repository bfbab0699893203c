/** Is this the host that it was the last time? Keys are pinned in our own file; the user's known_hosts is read, never written. */
import { readFile } from 'node:fs/promises';
import { Fault } from '../../agent/contract/fault.ts';
import { writeStateText } from '../state-file.ts';
import {
  checkHostKey,
  entriesOf,
  fingerprint,
  keyType,
  knownHostsLine,
  knownKeyTypes,
  knownName,
  parseKnownHosts,
  withoutHost,
  type KnownHost,
} from './known-hosts.ts';

export interface HostKeyQuestion {
  readonly host: string;
  readonly port: number;
  readonly type: string;
  readonly fingerprint: string;
}

export interface HostKeyPolicy {
  /** Our own known_hosts. */
  readonly storeFile: string;
  /** SHA256:… that a person has compared and accepted beforehand. Also replaces a changed key. */
  readonly accepted: readonly string[];
  /** Asks a person about an *unknown* key; null: nobody can be asked. A changed key is never asked about. */
  readonly ask: ((question: HostKeyQuestion) => Promise<boolean>) | null;
}

export interface HostKeyContext {
  /** As written by the person, and what it resolves to: a key is known under either name. */
  readonly host: string;
  readonly hostName: string;
  readonly port: number;
  readonly userFiles: readonly string[];
  readonly policy: HostKeyPolicy;
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

/** Keys that cannot be read now are still pinned: written over, the next changed key would pass for a first one. */
async function pinnedText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
}

/** What is on record about this host. */
export async function readKnownHosts(context: HostKeyContext): Promise<KnownHost[]> {
  const texts = await Promise.all([context.policy.storeFile, ...context.userFiles].map(readText));
  return entriesOf(texts.flatMap(parseKnownHosts), namesOf(context));
}

function namesOf(context: HostKeyContext): string[] {
  return [...new Set([knownName(context.hostName, context.port), knownName(context.host, context.port)])];
}

export function knownTypes(entries: readonly KnownHost[], context: HostKeyContext): string[] {
  return knownKeyTypes(entries, namesOf(context));
}

let writing: Promise<unknown> = Promise.resolve();

/** Both nodes connect at once, so one write waits for the other; by rename, so that no reader sees half a file. */
function pin(context: HostKeyContext, key: Buffer): Promise<void> {
  const done = writing.then(async () => {
    const { storeFile } = context.policy;
    const name = knownName(context.hostName, context.port);
    const others = withoutHost(await pinnedText(storeFile), name);
    await writeStateText(storeFile, others + knownHostsLine(name, key));
  });
  writing = done.catch(() => undefined);
  return done;
}

/** Returns when the key is good. Faults: host-key-unknown, host-key-changed, host-key-revoked. */
export async function verifyHostKey(
  context: HostKeyContext,
  entries: readonly KnownHost[],
  key: Buffer,
): Promise<void> {
  const seen = fingerprint(key);
  const verdict = checkHostKey(entries, namesOf(context), key);
  const host = context.hostName;
  const details = { host, port: context.port, type: keyType(key), fingerprint: seen };
  switch (verdict.kind) {
    case 'known':
      return;
    case 'revoked':
      throw new Fault(
        'host-key-revoked',
        { message: `The host key of ${host} (${seen}) is marked as revoked in known_hosts.`, remedy: 'Find out why.' },
        details,
      );
    case 'changed':
      if (context.policy.accepted.includes(seen)) return pin(context, key);
      throw new Fault(
        'host-key-changed',
        {
          message:
            `The host key of ${host} has changed: expected ${verdict.expected.join(' or ')}, got ${seen}. ` +
            'Either the server was installed again, or another machine answers in its place.',
          remedy: `Compare with \`ssh-keygen -l -f /etc/ssh/ssh_host_*_key.pub\` at the console of the server. When it is the same, accept it: --accept-host-key ${seen}`,
        },
        { ...details, expected: verdict.expected },
      );
    case 'unknown': {
      const { accepted, ask } = context.policy;
      if (accepted.includes(seen)) return pin(context, key);
      if (ask !== null && (await ask(details))) return pin(context, key);
      throw new Fault(
        'host-key-unknown',
        {
          message: `${host} has not been seen before; its host key is ${seen}.`,
          remedy: `Compare with \`ssh-keygen -l -f /etc/ssh/ssh_host_*_key.pub\` at the console of the server, then accept it: --accept-host-key ${seen}`,
        },
        details,
      );
    }
  }
}
