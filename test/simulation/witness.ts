/** The witness in the simulator: the production voter, its durable memory, and silence after a restart. */
import type { Generation, MessageBody } from '../../agent/contract/index.ts';
import { holderOf, newVoter, release, vote, type VoterState } from '../../agent/core/index.ts';
import { Breach } from './breach.ts';
import type { World } from './world.ts';

export class SimulatedWitness {
  private readonly world: World;
  private readonly reply: (to: string, body: MessageBody) => void;
  private readonly grantMs: number;
  readonly clockRate: number;
  durable: Generation | null = null;
  voter: VoterState = newVoter(null, 0);
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
    this.voter = newVoter(this.durable, this.now() + this.grantMs);
  }

  receive(from: string, body: MessageBody): void {
    if (!this.up) return;
    const holder = holderOf(this.voter, this.now());
    if (body.kind === 'vote-request') {
      const step = vote(this.voter, from, body, this.now(), this.grantMs);
      this.voter = step.state;
      this.durable = step.state.newest;
      this.reply(from, step.reply);
    } else if (body.kind === 'vote-release') this.voter = release(this.voter, from, body);
    if (holder !== null && holder !== from && holderOf(this.voter, this.now()) !== holder)
      throw new Breach(`lease: the witness ends the grant of ${holder} because of ${from}`);
  }
}
