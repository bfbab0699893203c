/**
 * Installations of drafts. What was done is written down as it is done: an app that is closed in the middle finds it again, and `begin` goes on
 * with what is missing.
 */
import path from 'node:path';
import { z } from 'zod';
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Draft, Installation } from '../app-api/index.ts';
import { installationSchema } from '../app-api/wizard.ts';
import type { ApplyOptions, ApplyOutcome, InstallEvent } from '../install/index.ts';
import { writeStateText } from '../state-file.ts';
import { compose } from './compose.ts';
import { afterEvent, begun, cutOff, failedWith, finished } from './installation-state.ts';
import { StoredFiles } from './stored.ts';

const fileSchema = z.object({
  format: z.literal(1),
  installation: installationSchema,
  /** Who works on it. */
  runner: z.object({ pid: z.number().int(), aliveAtMs: z.number() }),
});
type Stored = z.infer<typeof fileSchema>;

export interface InstallationsOptions {
  readonly stateDirectory: string;
  readonly readDraft: (id: string) => Promise<Draft>;
  /** Builds what is to be installed, where this program runs from source. */
  readonly prepare: () => Promise<void>;
  readonly apply: (
    draft: Draft,
    configuration: Configuration,
    options: Required<Pick<ApplyOptions, 'onEvent' | 'signal' | 'stopAfterStep'>>,
  ) => Promise<ApplyOutcome>;
  /** Makes the cluster known to this laptop; returns its id. */
  readonly remember: (configuration: Configuration, file: string, text: string, practice: boolean) => Promise<string>;
  /** An attempt under another name came to nothing. */
  readonly forget: (cluster: string) => Promise<void>;
  readonly onChange: (installation: Installation) => void;
}

const tellIntervalMs = 200;
const aliveIntervalMs = 3000;
/** Without a sign for so long, whoever worked on it has ended, or its number belongs to another program. */
const silentMsMax = 15_000;
const closingMsMax = 3000;

function isAlive({ pid, aliveAtMs }: Stored['runner']): boolean {
  if (pid === process.pid || Date.now() - aliveAtMs > silentMsMax) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function runningAlready(draft: string): Fault {
  return new Fault(
    'installation-running',
    { message: 'This installation is running already.', remedy: 'Wait until it has ended.' },
    { draft },
  );
}

export class Installations implements AsyncDisposable {
  readonly #options: InstallationsOptions;
  readonly #files: StoredFiles<Stored>;
  readonly #runs = new Map<string, Run>();
  #disposed = false;

  constructor(options: InstallationsOptions) {
    this.#options = options;
    this.#files = new StoredFiles(path.join(options.stateDirectory, 'installations'), fileSchema);
  }

  async read(draft: string): Promise<Installation | null> {
    const running = this.#runs.get(draft)?.installation ?? null;
    if (running !== null) return running;
    const stored = await this.#files.read(draft);
    if (stored === null) return null;
    const { installation, runner } = stored;
    return installation.state === 'running' && !isAlive(runner) ? cutOff(installation) : installation;
  }

  /** Fault: installation-running. */
  async remove(draft: string): Promise<void> {
    if ((await this.read(draft))?.state === 'running') throw runningAlready(draft);
    // Told to have ended, and about to write that down.
    await this.#runs.get(draft)?.ended;
    await this.#files.remove(draft);
  }

  /** Begins or goes on. Faults: installation-running, answers-incomplete, no-such-draft. */
  async begin(id: string): Promise<Installation> {
    if (this.#runs.has(id) || this.#disposed) throw runningAlready(id);
    const run = new Run(id, this.#options, this.#files);
    this.#runs.set(id, run);
    try {
      const stored = await this.#files.read(id);
      if (stored?.installation.state === 'running' && isAlive(stored.runner)) throw runningAlready(id);
      const draft = await this.#options.readDraft(id);
      const composed = compose(draft.answers);
      if (composed.configuration === null) throw incomplete(composed.problems);
      const first = begun(id, stored?.installation ?? null, new Date().toISOString());
      await run.start(first);
      const gone = (): boolean => this.#runs.delete(id);
      void run.work(draft, composed.configuration, composed.text, gone);
      return first;
    } catch (error) {
      this.#runs.delete(id);
      throw error;
    }
  }

  /** At once, in the middle of whatever it is doing. */
  async end(draft: string): Promise<void> {
    await this.#runs.get(draft)?.cutOff();
  }

  cancel(draft: string): void {
    this.#runs.get(draft)?.stop();
  }

  /** What runs is cut off, and is found so by the next app. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const ended = Promise.allSettled([...this.#runs.values()].map((run) => run.cutOff()));
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise((resolve) => (timer = setTimeout(resolve, closingMsMax)));
    await Promise.race([ended, enough]);
    clearTimeout(timer);
  }
}

export function incomplete(problems: readonly { readonly path: string }[]): Fault {
  return new Fault(
    'answers-incomplete',
    { message: 'Some questions are not answered yet.', remedy: 'Go back to the steps that are marked.' },
    { paths: problems.map(({ path: place }) => place) },
  );
}

/** One attempt. */
class Run {
  readonly #id: string;
  readonly #options: InstallationsOptions;
  readonly #files: StoredFiles<Stored>;
  readonly #now = new AbortController();
  readonly #afterStep = new AbortController();
  readonly #ended = Promise.withResolvers<undefined>();
  #installation: Installation | null = null;
  #telling: NodeJS.Timeout | null = null;
  #toldAtMs = -Infinity;
  #writing: Promise<void> = Promise.resolve();
  #remembered: Promise<void> = Promise.resolve();

  constructor(id: string, options: InstallationsOptions, files: StoredFiles<Stored>) {
    this.#id = id;
    this.#options = options;
    this.#files = files;
  }

  get installation(): Installation | null {
    return this.#installation;
  }

  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** On disk before anything is done: whoever opens the app after a crash knows that something was. */
  async start(first: Installation): Promise<void> {
    this.#installation = first;
    await this.#write();
    this.#tell();
  }

  async work(draft: Draft, configuration: Configuration, text: string, gone: () => void): Promise<void> {
    const alive = setInterval(() => void this.#write().catch(() => undefined), aliveIntervalMs);
    try {
      await this.#options.prepare();
      await this.#options.apply(draft, configuration, {
        signal: this.#now.signal,
        stopAfterStep: this.#afterStep.signal,
        onEvent: (event) => this.#onEvent(event, draft, configuration, text),
      });
      await this.#remembered;
      this.#end((installation) => finished(installation));
    } catch (error) {
      // Nothing of it goes on after its end.
      await this.#remembered.catch(() => undefined);
      const stopped = this.#now.signal.aborted || this.#afterStep.signal.aborted;
      this.#end((installation) =>
        stopped ? cutOff(installation) : failedWith(installation, Fault.from(error).toRecord()),
      );
    } finally {
      clearInterval(alive);
      // A disk that takes nothing more must not hide what became of the servers: the screens are told in any case.
      await this.#write().catch(() => undefined);
      gone();
      this.#ended.resolve(undefined);
    }
  }

  /** An upload goes on where it was; everything else is short and is brought to its end. */
  stop(): void {
    this.#afterStep.abort(new Fault('installation-interrupted', { message: 'The installation was stopped.' }));
    const running = this.#installation?.steps.filter(({ state }) => state === 'running') ?? [];
    if (running.every(({ kind }) => kind.startsWith('upload-'))) this.#now.abort(this.#afterStep.signal.reason);
  }

  async cutOff(): Promise<void> {
    this.#now.abort(new Fault('installation-interrupted', { message: 'The app was closed.' }));
    await this.#ended.promise;
  }

  #onEvent(event: InstallEvent, draft: Draft, configuration: Configuration, text: string): void {
    if (event.kind === 'planned') {
      this.#remembered = this.#remember(draft, configuration, text);
      this.#remembered.catch(() => undefined);
    }
    this.#change((installation) => afterEvent(installation, event, new Date().toISOString()));
    if (event.kind !== 'step-bytes') this.#write().catch(() => undefined);
  }

  /** Before anything is changed: what failed later is looked at in the list of clusters. */
  async #remember(draft: Draft, configuration: Configuration, text: string): Promise<void> {
    const name = `${configuration.cluster}-${draft.id}.yaml`;
    const file = path.join(this.#options.stateDirectory, 'clusters', name);
    await writeStateText(file, text);
    const cluster = await this.#options.remember(configuration, file, text, draft.practice);
    // Servers that had become that other cluster would have refused to become this one.
    const before = this.#installation?.cluster ?? null;
    if (before !== null && before !== cluster) await this.#options.forget(before);
    this.#change((installation) => ({ ...installation, cluster }));
    await this.#write();
  }

  #change(change: (installation: Installation) => Installation): void {
    if (this.#installation === null) return;
    this.#installation = change(this.#installation);
    this.#tellSoon();
  }

  #end(change: (installation: Installation) => Installation): void {
    this.#change(change);
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    this.#tell();
  }

  #tellSoon(): void {
    const waitMs = this.#toldAtMs + tellIntervalMs - performance.now();
    this.#telling ??= setTimeout(
      () => {
        this.#telling = null;
        this.#tell();
      },
      Math.max(0, waitMs),
    );
  }

  #tell(): void {
    this.#toldAtMs = performance.now();
    if (this.#installation !== null) this.#options.onChange(this.#installation);
  }

  /** One after the other; each writes what is true when its turn has come. */
  #write(): Promise<void> {
    const done = this.#writing.then(async () => {
      if (this.#installation === null) return;
      const runner = { pid: process.pid, aliveAtMs: Date.now() };
      await this.#files.write(this.#id, { format: 1, installation: this.#installation, runner });
    });
    this.#writing = done.catch(() => undefined);
    return done;
  }
}
