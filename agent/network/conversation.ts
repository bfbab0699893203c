/**
 * Which authentic datagrams of one correspondent to believe. A session is random per process start; a new one of theirs is believed
 * only when it echoes ours, so that nobody can play a recorded conversation again; within a session the counter must grow, per network.
 * Pure: time and randomness are given.
 */
import type { Envelope, DatagramBody } from '../contract/index.ts';

/** Sessions of theirs that are over. Far more restarts than one life of ours will see. */
const formerSessionsMax = 1024;
/** More than one life of theirs can count to: three datagrams a second for forty years. */
const countersOfLife = 2 ** 32;
/** How many introductions are answered per second: an echo costs a datagram, and whoever replays a recording must not multiply it. */
const introductionsPerSecondMax = 10;

export type Verdict =
  /** `order`: grows with everything that they said, whatever network it came by, and with each new life of theirs or new socket of ours. */
  | { readonly take: DatagramBody | null; readonly introduce: boolean; readonly order: number }
  /** `introduce`: answer at once with an empty envelope, so that the other side learns our session. */
  | { readonly drop: 'not-for-us' | 'replayed' | 'unproven-session'; readonly introduce: boolean };

export class Conversation {
  readonly own: { readonly cluster: string; readonly name: string; readonly session: string };
  readonly other: string;
  private counter = 0;
  /** `proof`: counter of the datagram that echoed us first. What they said before it may be a recording, on whatever network. */
  private trusted: { session: string; proof: number; counters: Map<string, number>; together: boolean } | null = null;
  /** What was said in a session that is over echoes ours and would be believed again. */
  private readonly former = new Set<string>();
  /** The session of theirs that arrived last, believed or not: what we echo. */
  private heard: string | null = null;
  /** Of all conversations of this process: a mirror machine outlives the socket that it hears by, and what the next one brings is newer. */
  private static lives = 0;
  private life = 0;
  private introductions = { secondStartMs: 0, count: 0 };

  constructor(own: { cluster: string; name: string; session: string }, other: string) {
    this.own = own;
    this.other = other;
  }

  get otherSession(): string | null {
    return this.trusted?.session ?? null;
  }

  /** Whether they take votes of several modules in one datagram, as their session that is believed says. */
  get takesTogether(): boolean {
    return this.trusted?.together ?? false;
  }

  /** The next envelope to send. */
  envelope(network: string, body: DatagramBody | null): Envelope {
    this.counter++;
    return {
      format: 1,
      cluster: this.own.cluster,
      from: this.own.name,
      to: this.other,
      session: this.own.session,
      counter: this.counter,
      echo: this.heard,
      network,
      together: true,
      body,
    };
  }

  /** @param network the network that it arrived on; a recording of one network must not pass on another. */
  receive(envelope: Envelope, network: string, nowMs: number): Verdict {
    if (
      envelope.cluster !== this.own.cluster ||
      envelope.from !== this.other ||
      envelope.to !== this.own.name ||
      envelope.network !== network
    )
      return { drop: 'not-for-us', introduce: false };
    if (this.former.has(envelope.session)) return { drop: 'replayed', introduce: false };
    if (this.trusted?.session !== envelope.session) {
      if (envelope.echo !== this.own.session) {
        // Echoing it is harmless: a recording cannot answer with our session.
        this.heard = envelope.session;
        return { drop: 'unproven-session', introduce: this.mayIntroduce(nowMs) };
      }
      if (this.trusted !== null) this.leaveBehind(this.trusted.session);
      const { session, counter } = envelope;
      this.life = ++Conversation.lives;
      const together = envelope.together === true;
      this.trusted = { session, proof: counter, counters: new Map([[network, counter]]), together };
      this.heard = session;
      // They may not know yet that their session is believed, and what they said until now was not taken.
      return { take: envelope.body, introduce: this.mayIntroduce(nowMs), order: this.orderOf(counter) };
    }
    const { counters, proof } = this.trusted;
    if (envelope.counter <= (counters.get(network) ?? proof)) return { drop: 'replayed', introduce: false };
    counters.set(network, envelope.counter);
    this.heard = envelope.session;
    // Their agent restarted its view of us, or never heard us: without our session they take nothing that we say.
    return {
      take: envelope.body,
      introduce: envelope.echo !== this.own.session && this.mayIntroduce(nowMs),
      order: this.orderOf(envelope.counter),
    };
  }

  private orderOf(counter: number): number {
    return this.life * countersOfLife + counter;
  }

  private leaveBehind(session: string): void {
    this.former.add(session);
    for (const oldest of this.former) {
      if (this.former.size <= formerSessionsMax) break;
      this.former.delete(oldest);
    }
  }

  private mayIntroduce(nowMs: number): boolean {
    if (nowMs - this.introductions.secondStartMs >= 1000) this.introductions = { secondStartMs: nowMs, count: 0 };
    this.introductions.count++;
    return this.introductions.count <= introductionsPerSecondMax;
  }
}
