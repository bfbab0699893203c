/**
 * Carries out the plans of one module: one at a time, each step awaited. A preempted plan is over when its script was
 * killed and its calls were given up; what they may still do in the replicator, a fence ends.
 */
import type { EventDraft, Generation, ModuleDefinition } from '../contract/index.ts';
import { assertNever, Fault, startedUnits } from '../contract/index.ts';
import type { MirrorEvent, PlanStep } from '../core/index.ts';
import type { LeftProcess, ScriptName } from '../scripts/index.ts';
import type { RuntimePorts } from './ports.ts';

/** A replicator that lives answers a fence within milliseconds; after this we do it ourselves. */
const fenceAnswerMs = 2000;
const unmountTriesMax = 4;
/** Most stop scripts send a signal and do not wait for its effect. */
const leftoverPatienceMs = 5000;
const leftoverPollMs = 100;
/** In a fence the stop script only tells the service manager; who hangs meanwhile has lost files, address and network already. */
const fencedStopMsMax = 10_000;
/** Killed, and its system calls were answered: who is still there after ten seconds sits in a kernel that does not let go of it. */
const killTriesMax = 20;
const killAgainMs = 500;

/** The service manager is given more time than its own answer may take. */
const learnAgainMs = 5000;

export type PlanOutcome = Omit<Extract<MirrorEvent, { type: 'ran' }>, 'type' | 'id'>;

export interface PlanContext {
  readonly definition: () => ModuleDefinition;
  readonly peer: string;
  readonly emit: (event: EventDraft) => void;
  /** Whether this node holds the lease of the module at this instant. */
  readonly leaseRuns: () => boolean;
  /** From here on there may be processes of it. */
  readonly applicationStarts: () => void;
  /** Other processes of it are there than before. */
  readonly applicationChanged: () => Promise<void>;
  /** Whether this node runs the application of another module. */
  readonly othersRun: () => boolean;
  /** The application was fenced, and no process of it is left. */
  readonly applicationFenced: () => Promise<void>;
  /** It was stopped in order. */
  readonly applicationEnded: () => Promise<void>;
  /** Which virtual addresses stand on this node, for status. */
  readonly raised: Set<string>;
}
type Ports = Pick<RuntimePorts, 'replicator' | 'vip' | 'scripts' | 'rescue' | 'journal' | 'node' | 'timers' | 'reset'>;

export class PlanExecutor {
  private readonly ports: Ports;
  private readonly context: PlanContext;
  private transitions: Promise<void> = Promise.resolve();
  private learnAfterMs = 0;
  private resetTold = false;
  /** The code of the fault that was written last, of each volume. */
  private readonly aloneComplaints = new Map<string, string>();
  private current: { readonly controller: AbortController; readonly done: Promise<unknown> } | null = null;

  constructor(ports: Ports, context: PlanContext) {
    this.ports = ports;
    this.context = context;
  }

  /** `report` is called once, unless the plan is preempted. */
  start(steps: readonly PlanStep[], preempt: boolean, report: (outcome: PlanOutcome) => void): void {
    const former = this.current;
    if (former !== null && !preempt)
      throw new Fault('invariant-broken', { message: 'A plan was started while another one runs.' });
    const controller = new AbortController();
    former?.controller.abort(new Fault('preempted', { message: 'The plan was given up for a more urgent one.' }));
    const done = (async () => {
      await former?.done;
      const outcome = await this.execute(steps, controller.signal);
      if (controller.signal.aborted) return;
      this.current = null;
      report(outcome);
    })();
    this.current = { controller, done };
  }

  /** Beside whatever plan runs: its start script may be waiting for exactly this. */
  goAlone(generation: Generation): void {
    for (const { id } of this.volumes())
      this.ports.replicator.call('goAlone', { volume: id, generation }).then(
        () => this.aloneComplaints.delete(id),
        (error: unknown) => this.complainAlone(id, Fault.from(error)),
      );
  }
  /** It is repeated every second until its effect shows. */
  private complainAlone(volume: string, { code, message }: Fault): void {
    if (this.aloneComplaints.get(volume) === code) return;
    this.aloneComplaints.set(volume, code);
    this.ports.journal.notice(`${volume} could not go on alone: ${message}`);
  }

  /** Gives up what runs; resolves when it is over. */
  async abandon(): Promise<void> {
    this.current?.controller.abort(new Fault('preempted', { message: 'The plan was given up.' }));
    await this.current?.done;
    this.current = null;
  }

  /** Runs to its end whatever else was going on; for withdrawal and shutdown. */
  async finish(steps: readonly PlanStep[]): Promise<PlanOutcome> {
    const { promise, resolve } = Promise.withResolvers<PlanOutcome>();
    this.start(steps, true, resolve);
    return await promise;
  }

  private async execute(steps: readonly PlanStep[], signal: AbortSignal): Promise<PlanOutcome> {
    let clean = false;
    for (const step of steps)
      try {
        signal.throwIfAborted();
        clean = (await this.step(step, signal)) ?? clean;
      } catch (error) {
        return { failed: { step: step.do, fault: Fault.from(error).toRecord() }, clean };
      }
    return { failed: null, clean };
  }

  /** What `unmount` says of cleanness; nothing otherwise. */
  private async step(step: PlanStep, signal: AbortSignal): Promise<boolean | undefined> {
    const { replicator } = this.ports;
    switch (step.do) {
      case 'mount':
        for (const { id } of this.volumes())
          await replicator.call('servePrimary', { volume: id, order: step.order }, signal);
        return undefined;
      case 'raise-vip':
        await this.raiseVips(signal);
        return undefined;
      case 'drop-vip':
        await this.dropVips();
        return undefined;
      case 'script':
        await this.scriptStep(step.script, signal);
        return undefined;
      case 'unmount':
        return await this.unmount(signal);
      case 'fence':
        await this.fence(signal);
        return undefined;
      case 'serve-secondary':
        await this.forEachVolume((id) =>
          replicator.call('serveSecondary', { volume: id, doubted: step.doubted }, signal),
        );
        return undefined;
      case 'idle':
        await this.forEachVolume((id) => replicator.call('stop', { volume: id }, signal));
        return undefined;
      default:
        return assertNever(step);
    }
  }

  private async scriptStep(name: ScriptName, signal: AbortSignal): Promise<void> {
    if (name === 'stop') {
      await this.stopApplication(signal);
      await this.context.applicationEnded();
      return;
    }
    // Before as well: a start may take minutes, and is under guard from its first process on.
    if (name === 'prestart' || name === 'start') this.context.applicationStarts();
    if (name === 'start') void this.learn();
    await this.script(name, signal);
    if (name !== 'start') return;
    await this.learn();
    await this.context.applicationChanged();
    const module = this.context.definition().name;
    if (this.ports.scripts.groups(module).length === 0)
      this.ports.journal.info(
        `${module}: its application runs in none of its control groups: only its files and addresses are fenced, not its own connections.`,
      );
  }

  /** Where the application runs, for the fence. That it is not known costs the fence of its own connections, not the start. */
  async learn(): Promise<void> {
    const { name, scripts } = this.context.definition();
    try {
      await this.ports.scripts.learn(name, startedUnits(scripts.start.command));
    } catch (error) {
      this.ports.journal.notice(`${name}: where its services run is not known: ${Fault.from(error).message}`);
    }
  }

  /** In the background, where the service manager has not answered yet: after a restart of the control plane, or because it was busy. */
  learnAgain(nowMs: number): void {
    const { name, scripts } = this.context.definition();
    if (nowMs < this.learnAfterMs || this.ports.scripts.knows(name)) return;
    if (startedUnits(scripts.start.command).length === 0) return;
    this.learnAfterMs = nowMs + learnAgainMs;
    void this.learn().then(() => this.context.applicationChanged());
  }

  private volumes(): readonly { readonly id: string; readonly path: string }[] {
    return this.context.definition().volumes;
  }
  private async forEachVolume(call: (id: string) => Promise<unknown>): Promise<void> {
    await Promise.all(this.volumes().map(({ id }) => call(id)));
  }

  private async raiseVips(signal: AbortSignal): Promise<void> {
    for (const vip of this.context.definition().vips) {
      await this.ports.vip.raise(vip, this.context.leaseRuns, signal);
      this.context.raised.add(vip.address);
    }
  }

  /** Also the addresses that a former configuration raised. */
  private async dropVips(): Promise<void> {
    const addresses = new Set([...this.context.raised, ...this.context.definition().vips.map((vip) => vip.address)]);
    for (const address of addresses) {
      await this.ports.vip.drop(address);
      this.context.raised.delete(address);
    }
  }

  /** Beside whatever plan runs: it only tells others of a change. One after the other, in the order of the changes. */
  transition(from: string, to: string): void {
    if (this.context.definition().scripts.transition === null) return;
    this.transitions = this.transitions.then(async () => {
      try {
        const states = { HOLDFAST_FROM: from, HOLDFAST_TO: to };
        await this.script('transition', new AbortController().signal, states);
      } catch (error) {
        this.tell('transition-failed', Fault.from(error).message);
      }
    });
  }

  private async script(
    name: ScriptName,
    signal: AbortSignal,
    more: Readonly<Record<string, string>> = {},
    timeoutMsMax = Infinity,
  ): Promise<void> {
    const definition = this.context.definition();
    const script = definition.scripts[name];
    if (script === null) return;
    this.ports.journal.info(`${definition.name}: runs the ${name} script.`);
    await this.ports.scripts.run(
      {
        module: definition.name,
        script: name,
        command: script.command,
        timeoutMs: Math.min(script.timeoutMs, timeoutMsMax),
        environment: {
          HOLDFAST_MODULE: definition.name,
          HOLDFAST_SCRIPT: name,
          HOLDFAST_NODE: this.ports.node,
          HOLDFAST_PEER: this.context.peer,
          ...more,
        },
      },
      signal,
    );
  }

  /** A stop that fails is escalated, never ignored: force-stop, then everything that the scripts left behind. `unmount` ends whoever still holds the files. */
  private async stopApplication(signal: AbortSignal): Promise<void> {
    try {
      await this.script('stop', signal);
      await this.endLeftovers(signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      this.tell('stop-escalated', `${Fault.from(error).message} The application is ended by force.`);
    }
    try {
      await this.script('forceStop', signal);
    } catch (error) {
      signal.throwIfAborted();
      this.tell('force-stop-failed', Fault.from(error).message);
    }
    const left = await this.ports.scripts.killApplication(this.context.definition().name);
    if (left.length > 0) throw new Fault('stop-unfinished', { message: `${inWords(left)} could not be ended.` });
  }

  /** A stop script that has ended well says that the application is off; what it forgot is given a moment, then it is ended and told. */
  private async endLeftovers(signal: AbortSignal): Promise<void> {
    const { scripts, timers } = this.ports;
    const module = this.context.definition().name;
    for (let passedMs = 0; passedMs < leftoverPatienceMs; passedMs += leftoverPollMs) {
      if ((await scripts.leftovers(module)).length === 0) return;
      await timers.delay(leftoverPollMs, signal);
    }
    const killed = await scripts.killLeftovers(module);
    if (killed.length > 0)
      this.tell('leftovers-killed', `${inWords(killed)} still ran after the stop script and had to be ended.`);
    const left = await scripts.leftovers(module);
    if (left.length > 0) throw new Fault('stop-unfinished', { message: `${inWords(left)} could not be ended.` });
  }

  private async unmount(signal: AbortSignal): Promise<boolean> {
    let clean = true;
    for (const { id, path } of this.volumes()) clean = (await this.unmountOne(id, path, signal)) && clean;
    return clean;
  }

  private async unmountOne(volume: string, path: string, signal: AbortSignal): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return (await this.ports.replicator.call('stop', { volume }, signal)).clean;
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'mount-busy' || tries >= unmountTriesMax) throw error;
        const killed = await this.ports.rescue.killHolders(path);
        signal.throwIfAborted();
        if (killed.length > 0)
          this.tell(
            'holders-killed',
            `${killed.map(({ pid, name }) => `${name} (${pid})`).join(', ')} still used ${path} after the stop script and had to be ended.`,
          );
      }
    }
  }

  /**
   * The kernel has cut address and network already. What waits in the replicator is answered or aborted first: nobody who sits in it can be killed. A service
   * manager that is not told would start again what is killed, so the stop script has its moment before.
   */
  private async fence(signal: AbortSignal): Promise<void> {
    await Promise.all(this.volumes().map(({ id, path }) => this.fenceVolume(id, path)));
    try {
      await this.script('stop', signal, {}, fencedStopMsMax);
    } catch (error) {
      signal.throwIfAborted();
      this.ports.journal.notice(`The stop script after fencing failed: ${Fault.from(error).message}`);
      await this.script('forceStop', signal, {}, fencedStopMsMax).catch(() => undefined);
    }
    await this.endForGood(signal);
    await this.context.applicationFenced();
  }

  /**
   * Ends well only when nobody is left. Whoever survived every SIGKILL of ten seconds sits in the kernel for good, and takes the node along; who comes back each
   * time was started anew by somebody else, and a node is not reset for that: until he stops, the application stays cut off, and the fence is tried again.
   */
  private async endForGood(signal: AbortSignal): Promise<void> {
    const { scripts, timers } = this.ports;
    const { name } = this.context.definition();
    let left = await scripts.killApplication(name);
    let stuck = left;
    for (let tries = 1; left.length > 0 && tries < killTriesMax; tries++) {
      // A service that was started anew has another control group.
      await this.context.applicationChanged();
      await timers.delay(killAgainMs, signal);
      left = await scripts.killApplication(name);
      stuck = stuck.filter((one) => left.some((other) => same(one, other)));
    }
    if (left.length === 0) return;
    if (stuck.length === 0)
      throw new Fault('application-returns', {
        message: `${inWords(left)} is started again as often as it is ended`,
        remedy: `Look at what starts it beside Holdfast: a socket or timer unit, a supervisor, cron.`,
      });
    await this.resetNode(inWords(stuck));
  }

  /** Does not return, unless the node cannot reset itself: then it has not ended, and nobody may believe that it has. */
  private async resetNode(stuck: string): Promise<void> {
    const { name } = this.context.definition();
    const because = `${stuck} could not be ended after ${name} had lost the right to run here`;
    if (this.context.othersRun())
      throw new Fault('reset-refused', { message: `${because}; this node is not reset while it runs another module` });
    const message = `${because}: this node resets itself.`;
    if (!this.resetTold)
      this.context.emit({ module: name, code: 'node-reset', message, severity: 'bad', evidence: {} });
    this.resetTold = true;
    await this.ports.reset(message);
    throw new Fault('reset-refused', { message: `${because}, and the reset of this node was refused` });
  }

  /** Always ends: the right to answer is gone, whoever still believes otherwise is cut off. */
  private async fenceVolume(volume: string, path: string): Promise<void> {
    try {
      await this.ports.replicator.call('fence', { volume }, AbortSignal.timeout(fenceAnswerMs));
    } catch (error) {
      this.ports.journal.notice(
        `The replicator did not fence ${volume} (${Fault.from(error).message}); its connection is aborted here.`,
      );
      await this.ports.rescue.abortMounts(path);
    }
  }

  private tell(code: string, message: string): void {
    const { name } = this.context.definition();
    this.context.emit({ module: name, code, message, severity: 'attention', evidence: {} });
  }
}

function inWords(processes: readonly LeftProcess[]): string {
  return processes.map(({ pid, name }) => `${name} (${pid})`).join(', ');
}
function same(one: LeftProcess, other: LeftProcess): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}
