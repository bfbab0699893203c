/** For the tests of the mirror machine: one machine, and voters, plans and a peer that do as they are told. */
import type { ModuleBeat, VolumeStatus, VoteReply, VoteRequest } from '../contract/index.ts';
import { freshRecord, initialMirror, stepMirror, type MirrorState } from './mirror.ts';
import type { MirrorAction, MirrorEvent, MirrorIdentity, ModuleRecord } from './mirror-types.ts';
import { timingFor } from './timing.ts';

export const timing = timingFor(3000);
export const generation = { number: 1, id: 'first' };
export const identity: MirrorIdentity = {
  module: 'db',
  node: 'n1',
  peer: 'n2',
  prefer: null,
  failback: 'manual',
  dependsOn: [],
  witness: true,
  withoutWitness: 'prefer-one-copy',
  pingWitness: null,
  timing,
  checkers: [],
  restartLimit: { count: 3, windowMs: 86_400_000 },
  session: 's1',
  bootId: 'b1',
};

export function volume(change: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    id: 'db/0',
    path: '/data/db',
    record: {
      format: 1,
      volumeUuid: 'u',
      generation,
      history: [],
      copy: 'up-to-date',
      peerStale: false,
      cleanCheckpoint: null,
    },
    role: 'idle',
    mode: null,
    link: 'down',
    resync: null,
    fault: null,
    ...change,
  };
}

/** A machine whose plans succeed at once and whose voters answer as told. */
export class Bench {
  state: MirrorState;
  now = 100_000;
  actions: MirrorAction[] = [];
  constructor(record: Partial<ModuleRecord> = {}, change: Partial<MirrorIdentity> = {}) {
    this.state = initialMirror(
      { ...identity, ...change },
      { ...freshRecord(), wanted: 'started', ...record },
      this.now,
    );
  }
  event(event: MirrorEvent): MirrorAction[] {
    const result = stepMirror(this.state, { ...event, atMs: this.now });
    this.state = result.state;
    this.actions = [...result.actions];
    return this.actions;
  }
  after(milliseconds: number, event: MirrorEvent = { type: 'tick' }): MirrorAction[] {
    this.now += milliseconds;
    return this.event(event);
  }
  reply(from: 'peer' | 'witness', change: Partial<VoteReply> = {}): MirrorAction[] {
    const request = this.actions.find((action) => action.type === 'send' && action.message.kind === 'vote-request');
    if (request?.type !== 'send') throw new Error('no vote was asked for');
    const { number, store } = request.message as VoteRequest;
    return this.event({
      type: 'vote-reply',
      from,
      message: {
        kind: 'vote-reply',
        module: 'db',
        number,
        granted: true,
        stored: store,
        reason: 'granted',
        newest: null,
        holder: null,
        ...change,
      },
    });
  }
  ran(): MirrorAction[] {
    return this.event({ type: 'ran', id: this.state.runId, failed: null, clean: false });
  }
  peer(change: Partial<ModuleBeat> = {}, order = this.now): MirrorAction[] {
    const beat: ModuleBeat = {
      module: 'db',
      state: 'secondary',
      data: 'up-to-date',
      generation,
      unsettled: false,
      committed: false,
      copy: 'up-to-date',
      peerStale: false,
      clean: false,
      active: false,
      lastPrimary: false,
      wanted: 'started',
      maintenance: false,
      handoverTo: null,
      ...change,
    };
    return this.event({ type: 'heard', network: 'lan', beat, order });
  }
  plan(): string[] {
    const run = this.actions.find((action) => action.type === 'run');
    return run?.type === 'run' ? run.steps.map((step) => (step.do === 'script' ? step.script : step.do)) : [];
  }
}

export function secondary(): Bench {
  const bench = new Bench();
  bench.event({ type: 'data', volumes: [volume()] });
  bench.peer({ active: true, state: 'primary' });
  bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
  bench.ran();
  return bench;
}

/** A good copy whose node has promised something newer to the other one, and is free to vote again. */
export function promised(): Bench {
  const bench = new Bench({ newest: { number: 2, id: '2.n2.x' } });
  bench.event({ type: 'data', volumes: [volume()] });
  bench.after(timing.grantMs);
  return bench;
}

/** The peer asks for this node's vote. */
export function requestOfPeer(change: Partial<VoteRequest> = {}): VoteRequest {
  return {
    kind: 'vote-request',
    module: 'db',
    number: 1,
    session: 'x',
    leaseMs: timing.leaseMs,
    generation,
    pending: [],
    store: null,
    order: false,
    ...change,
  };
}
