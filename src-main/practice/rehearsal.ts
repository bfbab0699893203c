/**
 * `npm start -- --practice`: two servers and a witness are made, a PostgreSQL on them is protected, a client writes, the plug of the primary
 * is pulled and put back, and the application is handed over on purpose; told in lines with the times that were measured.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault, type ClusterStatus, type Configuration } from '../../agent/contract/index.ts';
import {
  ClusterSession,
  connectFromHere,
  forgetClusterById,
  knownClusters,
  rememberCluster,
  userStateDirectory,
} from '../cluster/index.ts';
import { giveOrder } from '../cluster/orders.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { applyCluster, prepareAgent, programFiles, programVersion } from '../install/index.ts';
import { writeStateText } from '../state-file.ts';
import { configurationText, labHosts, practiceCluster, practiceModule, virtualAddress } from './configuration.ts';
import { PracticeLab } from './lab.ts';
import { makeServers } from './make.ts';
import { isBeingMadeElsewhere, readRecord, recordFileOf, removeRecord, writeRecord } from './record.ts';
import { Traffic } from './traffic.ts';

export interface RehearsalOptions {
  readonly labCommand: readonly string[];
  readonly labName: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Rehearsed {
  /** As the app knows it. */
  readonly cluster: string;
  /** Still writing. */
  readonly traffic: Traffic;
}

const protectedTimeoutMs = 180_000;
const handoverTimeoutMs = 60_000;
const verifyTimeoutMs = 60_000;
const pollIntervalMs = 200;
const quietTrafficMs = 3000;

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What this laptop knows of practice clusters whose servers are gone. */
async function forgetPracticeClusters(): Promise<void> {
  for (const known of await knownClusters()) if (known.practice === true) await forgetClusterById(known.id);
}

/** Complete, or nothing of it stays. Faults: practice-made-elsewhere, and those of each step. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsed> {
  const { labName, labCommand } = options;
  const recordFile = recordFileOf(labName);
  const record = await readRecord(recordFile);
  if (record !== null && isBeingMadeElsewhere(record)) {
    throw new Fault('practice-made-elsewhere', {
      message: 'Another copy of the app on this machine is making the practice cluster.',
      remedy: 'Wait until it is ready, or end that copy.',
    });
  }
  const lab = new PracticeLab(labCommand, labName);
  const rehearsal = new Rehearsal(lab, options);
  try {
    if (record !== null) rehearsal.say('The practice cluster of an earlier start is replaced by a new one.');
    await forgetPracticeClusters();
    await writeRecord(recordFile, 'making', null);
    const rehearsed = await rehearsal.run();
    await writeRecord(recordFile, 'ready', null);
    return rehearsed;
  } catch (error) {
    await rehearsal[Symbol.asyncDispose]();
    options.say('Taking the practice servers away again …');
    await lab.down();
    await removeRecord(recordFile);
    await forgetPracticeClusters();
    throw error;
  }
}

class Rehearsal implements AsyncDisposable {
  readonly #lab: PracticeLab;
  readonly #options: RehearsalOptions;
  readonly #beganMs = performance.now();
  #traffic: Traffic | null = null;

  constructor(lab: PracticeLab, options: RehearsalOptions) {
    this.#lab = lab;
    this.#options = options;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#traffic?.[Symbol.asyncDispose]();
  }

  say(line: string): void {
    this.#options.say(`${seconds(performance.now() - this.#beganMs).padStart(8)}  ${line}`);
  }

  async run(): Promise<Rehearsed> {
    const { signal } = this.#options;
    await makeServers(this.#lab, ({ message }) => this.say(message), signal);
    const { configuration, cluster } = await this.#protect();
    this.#traffic = await Traffic.start(this.#lab, signal);
    await this.#write(this.#traffic);
    await this.#pullThePlug(this.#traffic);
    await this.#plugIn(configuration);
    await this.#swap(configuration, this.#traffic);
    return { cluster, traffic: this.#traffic };
  }

  /** What `holdfast apply --wait` does. */
  async #protect(): Promise<{ configuration: Configuration; cluster: string }> {
    const { signal } = this.#options;
    const text = configurationText(this.#lab.name);
    const file = path.join(userStateDirectory(), practiceCluster, `${this.#lab.name}.yaml`);
    await writeStateText(file, text);
    const configuration = parseConfiguration(text, file);
    const { packages, resourcesDirectory } = programFiles();
    this.say('Installing Holdfast on n1, n2 and the witness.');
    const beganMs = performance.now();
    await prepareAgent(packages);
    await applyCluster({
      configuration,
      // Made now: what leads to the servers was written when they came up.
      connect: connectFromHere(),
      packages,
      resourcesDirectory,
      programVersion: programVersion(),
      good: 'n1',
      signal,
    });
    const cluster = await rememberCluster(configuration, file, text, { practice: true });
    await this.#untilProtected(configuration);
    this.say(
      `Protected after ${seconds(performance.now() - beganMs)}: from now on a COMMIT that is answered is on both disks.`,
    );
    return { configuration, cluster };
  }

  async #write(traffic: Traffic): Promise<void> {
    this.say(`A client writes one row after the other through the virtual IP ${virtualAddress}.`);
    const before = await traffic.report();
    const beganMs = performance.now();
    await delay(quietTrafficMs, undefined, { signal: this.#options.signal });
    const { acknowledged, server } = await traffic.report();
    const count = acknowledged - before.acknowledged;
    this.say(`${count} commits in ${seconds(performance.now() - beganMs)}, answered by ${server ?? 'nobody'}.`);
  }

  async #pullThePlug(traffic: Traffic): Promise<void> {
    const { signal } = this.#options;
    this.say('Pulling the plug of n1 …');
    await this.#lab.run(['poweroff', labHosts.n1], { signal });
    const { gapMs, to } = await traffic.handover('n1', handoverTimeoutMs);
    signal.throwIfAborted();
    this.say(`First COMMIT answered by ${to} after ${seconds(gapMs)}.`);
    await this.#verify(traffic);
  }

  async #verify(traffic: Traffic): Promise<void> {
    const { acknowledged, rows, missing, impossible } = await traffic.verify(verifyTimeoutMs);
    this.#options.signal.throwIfAborted();
    if (missing.length > 0 || impossible.length > 0) {
      throw new Fault(
        'practice-rows-lost',
        {
          message: `${missing.length} of ${acknowledged} acknowledged rows are missing, ${impossible.length} are there that nobody wrote.`,
          remedy: 'This must never happen. Report it, with the lines above.',
        },
        { acknowledged, rows, missing: missing.length, impossible: impossible.length },
      );
    }
    this.say(`Every acknowledged row is there: ${acknowledged} of ${acknowledged}, looked for one by one.`);
  }

  async #plugIn(configuration: Configuration): Promise<void> {
    this.say('Plugging n1 in again …');
    const beganMs = performance.now();
    await this.#lab.run(['start', labHosts.n1], { signal: this.#options.signal });
    this.say('n1 has booted; it catches up by itself, while the client goes on writing.');
    const compared = await this.#untilProtected(configuration);
    const amount =
      compared === 0 ? '' : ` ${(compared / 1_000_000).toFixed(1)} MB were compared, only differences sent.`;
    this.say(`Protected again after ${seconds(performance.now() - beganMs)}.${amount}`);
  }

  async #swap(configuration: Configuration, traffic: Traffic): Promise<void> {
    this.say('Swap: n2 hands the application over to n1 …');
    {
      await using session = this.#session(configuration);
      await giveOrder(session, { kind: 'swap', module: practiceModule, from: 'n2' });
    }
    const { gapMs, to } = await traffic.handover('n2', handoverTimeoutMs);
    await this.#untilProtected(configuration);
    this.say(`${to} answers; the gap between two COMMITs was ${seconds(gapMs)}.`);
    await this.#verify(traffic);
  }

  #session(configuration: Configuration): ClusterSession {
    const { signal } = this.#options;
    // A fresh one each time: connections to a server that lost its power are noticed late.
    return new ClusterSession({ configuration, connect: connectFromHere(), programVersion: programVersion(), signal });
  }

  /** Returns how many bytes a resync compared, as far as one was seen. Fault: timed-out. */
  async #untilProtected(configuration: Configuration): Promise<number> {
    const { signal } = this.#options;
    const deadlineMs = performance.now() + protectedTimeoutMs;
    await using session = this.#session(configuration);
    let compared = 0;
    let status: ClusterStatus;
    for (;;) {
      status = await session.status();
      for (const node of status.modules.flatMap((module) => module.nodes))
        compared = Math.max(compared, node.resync?.totalBytes ?? 0);
      if (status.protected) return compared;
      if (performance.now() > deadlineMs) break;
      await delay(pollIntervalMs, undefined, { signal });
    }
    throw new Fault('timed-out', {
      message: `The practice cluster was not protected within ${protectedTimeoutMs / 1000} s. ${status.sentence}`,
      remedy: 'Run it again; on a machine that is busy with other things, later.',
    });
  }
}
