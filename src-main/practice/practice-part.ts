/** The part of the app that makes practice servers, pulls their plugs and takes them away. */
import { Fault } from '../../agent/contract/index.ts';
import type { Answers, Machine, Practice, PracticeHandlers, ServerFacts } from '../app-api/index.ts';
import type { AppPart, Screen } from '../app.ts';
import { isPracticeHost, labHosts, practiceAnswers } from './configuration.ts';
import { PracticeLab, practiceLabName, type LabStatus } from './lab.ts';
import { makeServers } from './make.ts';
import { practiceObstacle, thisMachine, type PracticeMachine } from './obstacle.ts';
import { isBeingMade, isBeingMadeElsewhere, readRecord, recordFileOf, removeRecord, writeRecord } from './record.ts';

export interface PracticeOptions {
  /** How the lab is started, `labCommandOf`; null: this is not a checkout. */
  readonly labCommand: readonly string[] | null;
  readonly labName?: string;
  readonly recordFile?: string;
  readonly machine?: PracticeMachine;
  /** Logs in and looks, as the wizard's first question does. */
  readonly readFacts: (machine: Machine, signal: AbortSignal) => Promise<ServerFacts>;
  /** Makes the wizard's draft for these servers, marked as practice; returns its id. */
  readonly createDraft: (answers: Answers) => Promise<string>;
  /** A person may have discarded it, or carried it out. */
  readonly hasDraft: (id: string) => Promise<boolean>;
  /** Drafts and clusters of practice, on this laptop: their servers are gone. */
  readonly forget: () => Promise<void>;
}

type Host = Practice['hosts'][number];
type Change = Parameters<PracticeHandlers['practiceFault']>[0]['what'];

const labVerbs: Readonly<Record<Change, string>> = {
  'power-off': 'poweroff',
  'power-on': 'start',
  cut: 'cut',
  heal: 'heal',
};

function hostsOf(status: LabStatus): Host[] {
  return Object.entries(labHosts).flatMap(([name, labName]) => {
    const host = status.hosts.find((one) => one.name === labName);
    if (host === undefined) return [];
    return [{ name, address: host.address, on: host.state !== 'off', connected: host.unplugged.length === 0 }];
  });
}

export function createPracticePart(options: PracticeOptions): AppPart<PracticeHandlers> {
  return new PracticePart(options);
}

class PracticePart implements AppPart<PracticeHandlers> {
  readonly #options: PracticeOptions;
  readonly #screens = new Set<Screen>();
  readonly #lab: PracticeLab | null;
  readonly #recordFile: string;
  #practice: Practice;
  #found: Promise<void> | null = null;
  #making: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;
  /** Faults of servers and the removal, one after the other: a lab has one state. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PracticeOptions) {
    this.#options = options;
    const name = options.labName ?? practiceLabName();
    this.#recordFile = options.recordFile ?? recordFileOf(name);
    const obstacle = practiceObstacle(options.machine ?? thisMachine(), options.labCommand);
    this.#lab = obstacle === null && options.labCommand !== null ? new PracticeLab(options.labCommand, name) : null;
    this.#practice = { obstacle, state: 'none', progress: [], fault: null, draft: null, hosts: [] };
  }

  serve(screen: Screen): PracticeHandlers {
    this.#screens.add(screen);
    screen.onClose(() => this.#screens.delete(screen));
    return {
      practice: async () => {
        await this.#look();
        return this.#practice;
      },
      makePractice: async () => {
        await this.#make(this.#labOrFault());
        return null;
      },
      practiceFault: async ({ host, what }) => {
        const lab = this.#labOrFault();
        await this.#inTurn(() => this.#change(lab, host, what));
        return null;
      },
      removePractice: async () => {
        const lab = this.#labOrFault();
        this.#making?.abort.abort(new Fault('aborted', { message: 'The practice cluster was cancelled.' }));
        await this.#making?.ended;
        await this.#inTurn(() => this.#remove(lab));
        return null;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#making?.abort.abort(new Fault('aborted', { message: 'The app is ending.' }));
    await this.#making?.ended;
    await this.#queue;
  }

  #labOrFault(): PracticeLab {
    if (this.#lab !== null) return this.#lab;
    const { obstacle } = this.#practice;
    throw new Fault(obstacle?.code ?? 'practice-impossible', {
      message: obstacle?.message ?? 'There can be no practice cluster on this machine.',
      remedy: obstacle?.remedy ?? '',
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(action);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #show(change: Partial<Practice>): void {
    this.#practice = { ...this.#practice, ...change };
    for (const screen of this.#screens) screen.emit('practice', this.#practice);
  }

  /** The first look finds what an earlier start made; later ones see plugs that somebody pulled outside of the app. */
  async #look(): Promise<void> {
    const lab = this.#lab;
    if (lab === null) return;
    this.#found ??= this.#inTurn(() => this.#find(lab));
    await this.#found;
    if (this.#practice.state !== 'ready') return;
    await this.#inTurn(() => this.#readHosts(lab));
    const { draft } = this.#practice;
    if (draft !== null && !(await this.#options.hasDraft(draft))) this.#show({ draft: null });
  }

  async #find(lab: PracticeLab): Promise<void> {
    const record = await readRecord(this.#recordFile);
    if (record === null) return;
    if (record.state === 'making') {
      // The app that made it crashed: nobody will finish it.
      if (!isBeingMade(record)) await this.#clear(lab);
      return;
    }
    const status = await lab.status();
    if (status === null) await this.#clear(lab);
    else this.#show({ state: 'ready', draft: record.draft, hosts: hostsOf(status) });
  }

  async #clear(lab: PracticeLab): Promise<void> {
    await lab.down();
    await removeRecord(this.#recordFile);
    await this.#options.forget();
  }

  async #readHosts(lab: PracticeLab): Promise<void> {
    if (this.#practice.state !== 'ready') return;
    const status = await lab.status();
    if (status !== null) {
      const hosts = hostsOf(status);
      if (JSON.stringify(hosts) !== JSON.stringify(this.#practice.hosts)) this.#show({ hosts });
      return;
    }
    // Somebody took it away outside of the app.
    await removeRecord(this.#recordFile);
    await this.#options.forget();
    this.#show({ state: 'none', progress: [], draft: null, hosts: [] });
  }

  /** Faults: practice-busy, practice-made-elsewhere. */
  async #make(lab: PracticeLab): Promise<void> {
    await this.#look();
    const { state } = this.#practice;
    if (state === 'ready') {
      if (this.#practice.draft === null) await this.#fillIn(lab);
      return;
    }
    if (state === 'making' || state === 'removing') {
      throw new Fault('practice-busy', {
        message: `The practice cluster is being ${state === 'making' ? 'made' : 'taken away'}.`,
        remedy: 'Wait until that has ended.',
      });
    }
    const record = await readRecord(this.#recordFile);
    if (record !== null && isBeingMadeElsewhere(record)) {
      throw new Fault('practice-made-elsewhere', {
        message: 'Another copy of the app on this machine is making the practice cluster.',
        remedy: 'Wait until it is ready, or end that copy.',
      });
    }
    const abort = new AbortController();
    this.#show({ state: 'making', progress: [], fault: null, draft: null, hosts: [] });
    const ended = this.#inTurn(() => this.#makeNow(lab, abort.signal)).finally(() => (this.#making = null));
    this.#making = { abort, ended };
  }

  /** The servers are there, and nothing leads to them any more. */
  async #fillIn(lab: PracticeLab): Promise<void> {
    const draft = await this.#createDraft(lab, new AbortController().signal);
    await writeRecord(this.#recordFile, 'ready', draft);
    this.#show({ draft });
  }

  async #createDraft(lab: PracticeLab, signal: AbortSignal): Promise<string> {
    const answers = practiceAnswers(lab.name);
    const facts = async (machine: Machine): Promise<ServerFacts | null> => {
      try {
        return await this.#options.readFacts(machine, signal);
      } catch {
        signal.throwIfAborted();
        return null; // the wizard connects, and says what is in the way
      }
    };
    const [nodes, witness] = await Promise.all([
      Promise.all(answers.nodes.map(async (node) => ({ ...node, facts: await facts(node.machine) }))),
      facts(answers.witness.machine),
    ]);
    return this.#options.createDraft({ ...answers, nodes, witness: { ...answers.witness, facts: witness } });
  }

  /** Tells how it ended by the state; never rejects. */
  async #makeNow(lab: PracticeLab, signal: AbortSignal): Promise<void> {
    const beganMs = performance.now();
    const tell = (progress: { code: string; message: string }): void =>
      this.#show({
        progress: [...this.#practice.progress, { ...progress, atMs: Math.round(performance.now() - beganMs) }],
      });
    try {
      await this.#options.forget();
      await writeRecord(this.#recordFile, 'making', null);
      await makeServers(lab, tell, signal);
      tell({ code: 'draft', message: 'Filling in the wizard.' });
      const draft = await this.#createDraft(lab, signal);
      const status = await lab.status(signal);
      if (status === null) {
        throw new Fault('practice-lab-failed', {
          message: 'The practice servers have gone again.',
          remedy: 'Make the practice cluster again.',
        });
      }
      await writeRecord(this.#recordFile, 'ready', draft);
      tell({ code: 'ready', message: 'The servers are ready.' });
      this.#show({ state: 'ready', draft, hosts: hostsOf(status) });
    } catch (error) {
      await this.#undo(lab);
      const cancelled = signal.aborted;
      this.#show({
        state: cancelled ? 'none' : 'failed',
        fault: cancelled ? null : Fault.from(error).toRecord(),
        ...(cancelled ? { progress: [] } : {}),
      });
    }
  }

  /** After a failure: what cannot be taken away either was told by the fault already. */
  async #undo(lab: PracticeLab): Promise<void> {
    await Promise.allSettled([lab.down(), this.#options.forget()]);
    await removeRecord(this.#recordFile).catch(() => undefined);
  }

  /** Faults: practice-none, no-such-host, practice-lab-failed. */
  async #change(lab: PracticeLab, host: string, what: Change): Promise<void> {
    if (this.#practice.state !== 'ready') {
      throw new Fault('practice-none', {
        message: 'There is no practice cluster.',
        remedy: 'Make it on the start screen.',
      });
    }
    if (!isPracticeHost(host)) {
      throw new Fault(
        'no-such-host',
        {
          message: `The practice cluster has no server ${host}.`,
          remedy: `Write one of: ${Object.keys(labHosts).join(', ')}.`,
        },
        { host },
      );
    }
    try {
      await lab.run([labVerbs[what], labHosts[host]]);
    } finally {
      await this.#readHosts(lab);
    }
  }

  async #remove(lab: PracticeLab): Promise<void> {
    this.#show({ state: 'removing', fault: null });
    try {
      await this.#clear(lab);
      this.#show({ state: 'none', progress: [], draft: null, hosts: [] });
    } catch (error) {
      // Still there, or half of it: it can be ordered again.
      this.#show({ state: 'failed', fault: Fault.from(error).toRecord() });
      throw error;
    }
  }
}
