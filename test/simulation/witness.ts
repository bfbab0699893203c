/** The witness in the simulator: the production voter, its durable memory, and silence after a restart. */
import type { Generation, MessageBody } from '../../agent/contract/index.ts';
import { holderOf, newVoter, release, vote, type KnownContacts, type VoterState } from '../../agent/core/index.ts';
import { Breach } from './breach.ts';
import type { World } from './world.ts';

export class SimulatedWitness {
  private readonly world: World;
  private readonly reply: (to: string, body: MessageBody) => void;
  private readonly grantMs: number;
  readonly clockRate: number;
  durable: Generation | null = null;
  durableContacts: KnownContacts | null = null;
  voter: VoterState = newVoter(null, 0);
  /** What it has granted, as somebody knows who forgets nothing in a restart. */
  private promised: { readonly holder: string; readonly untilMs: number } | null = null;
  up = true;

  constructor(world: World, grantMs: number, clockRate: number, reply: (to: string, body: MessageBody) => void) {
    this.world = world;
    this.grantMs = grantMs;
    this.clockRate = clockRate;
    this.reply = reply;
  }

  now(): number {
    return this.world.nowMs * this.clockRate;
  }

  restart(): void {
    this.up = true;
    this.voter = newVoter(this.durable, this.now() + this.grantMs, this.durableContacts);
  }

  receive(from: string, body: MessageBody): void {
    if (!this.up) return;
    const holder = holderOf(this.voter, this.now());
    if (body.kind === 'vote-request') {
      const step = vote(this.voter, from, body, this.now(), this.grantMs);
      this.voter = step.state;
      this.durable = step.state.newest;
      this.durableContacts = step.state.contacts;
      if (step.reply.granted) this.promise(from);
      this.reply(from, step.reply);
    } else if (body.kind === 'vote-release') {
      this.voter = release(this.voter, from, body);
      if (holder === from && this.voter.grant === null) this.promised = null;
    }
    if (holder !== null && holder !== from && holderOf(this.voter, this.now()) !== holder)
      throw new Breach(`lease: the witness ends the grant of ${holder} because of ${from}`);
  }

  private promise(to: string): void {
    const { promised } = this;
    const untilMs = this.voter.grant?.untilMs ?? 0;
    if (promised !== null && promised.holder !== to && promised.untilMs > this.now())
      throw new Breach(`lease: the witness has granted ${promised.holder} one that runs, and grants ${to} another`);
    this.promised = { holder: to, untilMs };
  }
}
