/**
 * One module's share of the loop: event → step → actions in order. Modules do not wait for each other: a slow disk under one
 * record leaves the others and the heartbeats alone. What is told outside is the state whose actions are all done, so that a heartbeat never
 * says what a power cut could take back.
 */
import type { EventDraft, Finding, ModuleBeat, VolumeStatus, Vote } from '../contract/index.ts';
import { assertNever, Fault } from '../contract/index.ts';
import type {
  CommandRefusal,
  MirrorAction,
  MirrorCommand,
  MirrorEvent,
  MirrorState,
  ModuleRecord,
  StepResult,
} from '../core/index.ts';
import { beatOf, stepMirror } from '../core/index.ts';
import type { PlanExecutor } from './plan-executor.ts';

export interface MachinePorts {
  readonly nowMs: () => number;
  readonly save: (record: ModuleRecord) => Promise<void>;
  readonly send: (to: 'peer' | 'witness', message: Vote) => void;
  readonly extendLease: (deadlineMs: number) => Promise<void>;
  readonly cutLease: () => Promise<void>;
  readonly emit: (event: EventDraft) => void;
  readonly plans: PlanExecutor;
  /** The published state says something else than before: tell the peer at once. */
  readonly changed: () => void;
  /** An invariant is broken or an action failed that must not fail. */
  readonly halt: (because: string) => void;
}

interface Queued {
  event: MirrorEvent;
  readonly answer: ((refusal: CommandRefusal | null) => void) | null;
}

export class ModuleMachine {
  readonly module: string;
  private readonly ports: MachinePorts;
  private state: MirrorState;
  private told: MirrorState;
  private queue: Queued[] = [];
  private working = false;
  private retired = false;
  /** The last state that was not on the way to another one. */
  private settled: ModuleBeat['state'] = 'unknown';
  private actionSinceMs: number | null = null;
  private missing: string;
  /** What was told last of its volumes; undefined: nothing yet. */
  private volumes: readonly VolumeStatus[] | null | undefined;
  /** What the peer said last of this module, word for word, by network. */
  private readonly words = new Map<string, string>();
  /** Said once more since: moves nothing but the time, which goes into the next step. Eight times a second by 128 modules, each a step, was a tenth of a core. */
  private readonly repeated = new Map<string, MirrorEvent & { type: 'heard' }>();

  constructor(initial: MirrorState, ports: MachinePorts) {
    this.module = initial.identity.module;
    this.state = initial;
    this.told = initial;
    this.missing = initial.missing.join();
    this.ports = ports;
  }

  /** The state whose consequences are all on disk. */
  get published(): MirrorState {
    return this.told;
  }
  beat(): ModuleBeat {
    return beatOf(this.told, this.ports.nowMs());
  }
  /** For how long one action has been going on: a disk or a kernel that does not answer. */
  stuckMs(): number {
    return this.actionSinceMs === null ? 0 : this.ports.nowMs() - this.actionSinceMs;
  }

  tick(): void {
    this.replaceOrPush('tick', (event) => event.type === 'tick', { type: 'tick' });
  }
  /** Modules that this one waits for. */
  needs(missing: readonly string[]): void {
    if (missing.join() === this.missing) return;
    this.missing = missing.join();
    this.replaceOrPush('needs', (event) => event.type === 'needs', { type: 'needs', missing });
  }
  /** Called at every change of any volume of this node: whose own were not reported anew is left alone, or the start of many modules would be as many steps of each. */
  data(volumes: readonly VolumeStatus[] | null): void {
    if (this.volumes !== undefined && sameReports(this.volumes, volumes)) return;
    this.volumes = volumes;
    this.replaceOrPush('data', (event) => event.type === 'data', { type: 'data', volumes });
  }
  heard(network: string, beat: ModuleBeat | null, order: number): void {
    const event = { type: 'heard', network, beat, order, heardAtMs: this.ports.nowMs() } as const;
    const words = JSON.stringify(beat);
    if (this.words.get(network) === words) {
      this.repeated.set(network, event);
      return;
    }
    this.words.set(network, words);
    this.repeated.delete(network);
    this.replaceOrPush('heard', (one) => one.type === 'heard' && one.network === network, event);
  }
  reached(sentMs: number): void {
    this.replaceOrPush('reached', (event) => event.type === 'reached', { type: 'reached', sentMs });
  }
  checked(checker: string, beganMs: number, finding: Finding): void {
    this.replaceOrPush('checked', (event) => event.type === 'checked' && event.checker === checker, {
      type: 'checked',
      checker,
      beganMs,
      finding,
    });
  }
  vote(from: 'peer' | 'witness', message: Vote): void {
    switch (message.kind) {
      case 'vote-request':
        if (from === 'peer') this.push({ type: 'vote-request', message });
        break;
      case 'vote-release':
        if (from === 'peer') this.push({ type: 'vote-release', message });
        break;
      case 'vote-reply':
        this.push({ type: 'vote-reply', from, message });
        break;
      default:
        assertNever(message);
    }
  }
  /** Null when the order was taken (and is on disk). */
  async command(command: MirrorCommand): Promise<CommandRefusal | null> {
    if (this.retired) throw new Fault('no-such-module', { message: `The module ${this.module} is being removed.` });
    return await new Promise((resolve) => {
      this.queue.push({ event: { type: 'command', command }, answer: resolve });
      this.work();
    });
  }

  /** Takes no further event; resolves when the last action is done. */
  async retire(): Promise<void> {
    this.retired = true;
    for (const one of this.queue.splice(0)) one.answer?.(null);
    while (this.working) await new Promise((resolve) => setImmediate(resolve));
  }

  private push(event: MirrorEvent): void {
    if (this.retired) return;
    this.queue.push({ event, answer: null });
    this.work();
  }

  /** Only the newest counts of what repeats: the queue stays short however long one action takes. */
  private replaceOrPush(type: MirrorEvent['type'], same: (event: MirrorEvent) => boolean, event: MirrorEvent): void {
    const waiting = this.queue.find((one) => one.event.type === type && same(one.event));
    if (waiting === undefined) this.push(event);
    else waiting.event = event;
  }

  private work(): void {
    if (this.working) return;
    this.working = true;
    void this.drain().catch((error: unknown) => {
      this.ports.halt(`${this.module}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
  }

  /** What was heard once more comes before whatever is decided next. */
  private next(): Queued | undefined {
    if (this.queue.length === 0) return undefined;
    for (const [network, event] of this.repeated) {
      this.repeated.delete(network);
      return { event, answer: null };
    }
    return this.queue.shift();
  }

  private async drain(): Promise<void> {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const { state, actions, refused }: StepResult<MirrorState> = stepMirror(this.state, {
        ...next.event,
        atMs: this.ports.nowMs(),
      });
      this.state = state;
      for (const action of actions) {
        this.actionSinceMs = this.ports.nowMs();
        await this.perform(action);
      }
      this.actionSinceMs = null;
      this.publish();
      next.answer?.(refused);
    }
    this.working = false;
  }

  private publish(): void {
    const before = beatOf(this.told, this.ports.nowMs());
    this.told = this.state;
    const now = this.beat();
    if (before.state !== now.state && now.state !== 'transient') {
      this.ports.plans.transition(this.settled, now.state);
      this.settled = now.state;
    }
    if (
      before.state !== now.state ||
      before.data !== now.data ||
      before.active !== now.active ||
      before.handoverTo !== now.handoverTo ||
      before.wanted !== now.wanted ||
      before.maintenance !== now.maintenance ||
      before.unable !== now.unable ||
      before.reason !== now.reason
    )
      this.ports.changed();
  }

  private async perform(action: MirrorAction): Promise<void> {
    switch (action.type) {
      case 'persist':
        await this.ports.save(action.record);
        break;
      case 'send':
        this.ports.send(action.to, action.message);
        break;
      case 'extend-lease':
        await this.ports.extendLease(action.deadlineMs);
        break;
      case 'go-alone':
        this.ports.plans.goAlone(action.generation);
        break;
      case 'cut-lease':
        await this.ports.cutLease();
        break;
      case 'run':
        this.ports.plans.start(action.steps, action.preempt, (outcome) => {
          this.push({ type: 'ran', id: action.id, ...outcome });
        });
        break;
      case 'emit':
        this.ports.emit(action.event);
        break;
      case 'halt':
        this.ports.halt(`${this.module}: ${action.because}`);
        break;
      default:
        assertNever(action);
    }
  }
}

/** The same ones, not equal ones. */
function sameReports(one: readonly VolumeStatus[] | null, other: readonly VolumeStatus[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((status, index) => status === other[index]);
}
