/**
 * The connections to one server: one, and further ones only where the server allows no more sessions on it (MaxSessions). Users share them;
 * each user's view ends with that user.
 */
import type { Duplex } from 'node:stream';
import { Fault } from '../../agent/contract/fault.ts';
import type { LoginSecrets } from '../secrets/index.ts';
import type { Shell, SshTransport } from '../ssh/index.ts';
import { wordAccessFault } from './faults.ts';

export type Dial = (signal: AbortSignal) => Promise<{ transport: SshTransport; secrets: LoginSecrets }>;

interface Member {
  readonly transport: SshTransport;
  readonly secrets: LoginSecrets;
  sessions: number;
  /** As far as it is known: sshd's own default is 10. */
  sessionsMax: number;
}

const usualSessionsMax = 10;
const membersMax = 8;

export class Bundle {
  readonly #dial: Dial;
  readonly #idleMs: number;
  readonly #members: Member[] = [];
  #adding: Promise<Member> | null = null;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #first: Member;
  #isOpen = true;
  readonly #end = new AbortController();
  readonly closed: Promise<void>;

  private constructor(dial: Dial, idleMs: number, first: { transport: SshTransport; secrets: LoginSecrets }) {
    this.#dial = dial;
    this.#idleMs = idleMs;
    this.#first = this.#add(first);
    this.closed = first.transport.closed.then(() => this.close());
    this.#release(0);
  }

  static async open(dial: Dial, signal: AbortSignal, idleMs: number): Promise<Bundle> {
    return new Bundle(dial, idleMs, await dial(signal));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#idle);
    this.#end.abort(this.#lostFault());
    for (const member of this.#members) member.transport.close();
  }

  lease(): SshTransport {
    clearTimeout(this.#idle);
    this.#users++;
    const end = new AbortController();
    const streams = new Set<{ close(): void }>();
    const closed = Promise.withResolvers<undefined>();
    const release = (): void => {
      if (end.signal.aborted) return;
      end.abort(this.#lostFault());
      for (const stream of streams) stream.close();
      this.#release(1);
      closed.resolve(undefined);
    };
    void this.closed.then(release);
    const during = (signal: AbortSignal | undefined): AbortSignal =>
      signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]);
    const keep = <T extends Duplex | Shell>(stream: T, close: () => void, ended: Promise<unknown>): T => {
      const entry = { close };
      streams.add(entry);
      void ended.then(() => streams.delete(entry));
      return stream;
    };
    const { label, host, user, hostKeyFingerprint } = this.#first.transport;
    return {
      label,
      host,
      user,
      hostKeyFingerprint,
      command: (script, options = {}) =>
        this.#session(during(options.signal), (transport, signal) => transport.command(script, { ...options, signal })),
      copy: (source, target, options = {}) =>
        this.#session(during(options.signal), (transport, signal) =>
          transport.copy(source, target, { ...options, signal }),
        ),
      connect: async (script, options = {}) => {
        const signal = during(options.signal);
        const held = await this.#hold(signal, (transport) => transport.connect(script, { ...options, signal }));
        const ended = new Promise<void>((resolve) => held.value.once('close', resolve));
        void ended.then(held.release);
        return keep(held.value, () => held.value.destroy(), ended);
      },
      openShell: async (size, shellSignal) => {
        const held = await this.#hold(during(shellSignal), (transport, signal) => transport.openShell(size, signal));
        void held.value.ended.then(held.release);
        return keep(held.value, () => held.value.close(), held.value.ended);
      },
      close: release,
      closed: closed.promise,
      [Symbol.asyncDispose]: () => {
        release();
        return Promise.resolve();
      },
    };
  }

  #release(users: number): void {
    this.#users -= users;
    if (this.#users > 0 || !this.#isOpen) return;
    this.#idle = setTimeout(() => this.close(), this.#idleMs);
    this.#idle.unref();
  }

  #lostFault(): Fault {
    const { host } = this.#first.transport;
    return new Fault('connection-lost', { message: `The connection to ${host} was closed.` }, { host });
  }

  #add(dialled: { transport: SshTransport; secrets: LoginSecrets }): Member {
    const member: Member = { ...dialled, sessions: 0, sessionsMax: usualSessionsMax };
    this.#members.push(member);
    void dialled.transport.closed.then(() => {
      const at = this.#members.indexOf(member);
      if (at >= 0) this.#members.splice(at, 1);
    });
    return member;
  }

  async #session<T>(
    signal: AbortSignal,
    use: (transport: SshTransport, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const held = await this.#hold(signal, use);
    held.release();
    return held.value;
  }

  /** Uses a session of a connection that has one left; it stays in use until it is released, or at once when `use` fails. */
  async #hold<T>(
    signal: AbortSignal,
    use: (transport: SshTransport, signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; release: () => void }> {
    for (;;) {
      signal.throwIfAborted();
      const member = await this.#memberWithRoom(signal);
      member.sessions++;
      let held = true;
      const release = (): void => {
        if (held) member.sessions--;
        held = false;
      };
      try {
        return { value: await use(member.transport, signal), release };
      } catch (error) {
        release();
        const refused = Fault.from(error).code === 'ssh-channel-refused';
        // Refused while others are open: that is how many this server allows.
        if (!refused || member.sessions === 0) throw wordAccessFault(error, member.secrets);
        member.sessionsMax = member.sessions;
      }
    }
  }

  async #memberWithRoom(signal: AbortSignal): Promise<Member> {
    for (;;) {
      if (!this.#isOpen) throw this.#lostFault();
      const member = this.#members.find(({ sessions, sessionsMax }) => sessions < sessionsMax);
      if (member !== undefined) return member;
      if (this.#adding === null && this.#members.length >= membersMax) {
        const { host } = this.#first.transport;
        throw new Fault(
          'ssh-channel-refused',
          { message: `Too much is open on ${host}.`, remedy: 'Close a terminal on it.' },
          { host },
        );
      }
      this.#adding ??= this.#dial(this.#end.signal)
        .then((dialled) => this.#add(dialled))
        .finally(() => {
          this.#adding = null;
        });
      await Promise.race([this.#adding, aborted(signal)]);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
