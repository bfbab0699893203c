import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import type { Answers, Draft, Installation } from '../app-api/index.ts';
import type { ApplyOutcome, PlannedStep } from '../install/index.ts';
import { firstAnswers } from './defaults.ts';
import { Installations, type InstallationsOptions } from './installations.ts';

const machine = (destination: string): Answers['witness']['machine'] => ({ destination, port: null, identity: null });
const draft: Draft = {
  id: 'draft-1',
  revision: 1,
  updatedAt: '2026-01-01T00:00:00.000Z',
  step: 'install',
  practice: false,
  answers: {
    ...firstAnswers(),
    cluster: 'site-a',
    nodes: ['n1', 'n2'].map((name) => ({ name, machine: machine(`root@${name}`), facts: null })),
    application: { ...firstAnswers().application, name: 'db', directories: ['/data/db'], start: 'a', stop: 'b' },
  },
};

function step(id: string): PlannedStep {
  const [host = '', kind = ''] = id.split('/');
  return { id, host, kind, facts: {}, title: id };
}

const all = ['n1/upload-agent', 'n1/configure', 'n1/start'];

/** Servers that remember what was done to them, and steps that wait for the test. */
class FakeServers {
  readonly done = new Set<string>();
  readonly #held = new Map<string, PromiseWithResolvers<undefined>>();

  at(id: string): PromiseWithResolvers<undefined> {
    const gate = this.#held.get(id) ?? Promise.withResolvers<undefined>();
    this.#held.set(id, gate);
    return gate;
  }
  letAll(): void {
    for (const id of all) this.at(id).resolve(undefined);
  }

  readonly apply: InstallationsOptions['apply'] = async (
    _draft,
    _configuration,
    { onEvent, signal, stopAfterStep },
  ) => {
    const steps = all.filter((id) => !this.done.has(id)).map(step);
    onEvent({ kind: 'planned', steps });
    for (const one of steps) {
      stopAfterStep?.throwIfAborted();
      onEvent({ kind: 'step-started', step: one });
      const aborted = new Promise<never>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
      try {
        await Promise.race([this.at(one.id).promise, aborted]);
      } catch (error) {
        onEvent({ kind: 'step-failed', step: one });
        throw error;
      }
      this.done.add(one.id);
      onEvent({ kind: 'step-done', step: one, ...(one.kind === 'configure' ? { keptAt: ['n2:/old'] } : {}) });
    }
    return { steps, changed: true, record: {}, keptAt: [] } as unknown as ApplyOutcome;
  };
}

let directory = '';
let servers: FakeServers;
let told: Installation[] = [];
const open: Installations[] = [];

function installations(change: Partial<InstallationsOptions> = {}): Installations {
  const made = new Installations({
    stateDirectory: directory,
    readDraft: () => Promise.resolve(draft),
    prepare: () => Promise.resolve(),
    apply: servers.apply,
    remember: (configuration) => Promise.resolve(`${configuration.cluster}-id`),
    forget: () => Promise.resolve(),
    onChange: (installation) => told.push(installation),
    ...change,
  });
  open.push(made);
  return made;
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-installations-'));
  servers = new FakeServers();
  told = [];
});
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const stateOf = async (one: Installations): Promise<string | undefined> => (await one.read(draft.id))?.state;
const statesOf = (installation: Installation | null): string[] =>
  installation?.steps.map(({ id, state }) => `${id} ${state}`) ?? [];

describe('an installation', () => {
  it('runs to its end, and the cluster is known with its file', async () => {
    const one = installations();
    expect((await one.begin(draft.id)).state).toBe('running');
    servers.letAll();
    await expect.poll(() => stateOf(one)).toBe('done');
    await expect.poll(() => stateOf(installations())).toBe('done');
    const done = await installations().read(draft.id);
    expect(done).toMatchObject({ state: 'done', cluster: 'site-a-id', keptAt: ['n2:/old'], fault: null });
    expect(statesOf(done)).toEqual(all.map((id) => `${id} done`));
    expect(told.at(-1)?.state).toBe('done');
    expect(readFileSync(path.join(directory, 'clusters', 'site-a-draft-1.yaml'), 'utf8')).toContain('cluster: site-a');
  });

  it('whose app is closed in the middle is found interrupted by the next, and goes on', async () => {
    const first = installations();
    await first.begin(draft.id);
    servers.at('n1/upload-agent').resolve(undefined);
    await expect.poll(async () => statesOf(await first.read(draft.id))[1]).toBe('n1/configure running');
    await first[Symbol.asyncDispose]();

    const second = installations();
    const found = await second.read(draft.id);
    expect(found?.state).toBe('interrupted');
    expect(statesOf(found)).toEqual(['n1/upload-agent done', 'n1/configure waiting', 'n1/start waiting']);
    expect(statesOf(await second.begin(draft.id))).toEqual(['n1/upload-agent done']);
    servers.letAll();
    await expect.poll(() => stateOf(second)).toBe('done');
    expect(statesOf(await second.read(draft.id))).toEqual(all.map((id) => `${id} done`));
  });

  it('whose app was killed is found interrupted, whatever the file says', async () => {
    const first = installations();
    await first.begin(draft.id);
    const file = path.join(directory, 'installations', 'draft-1.json');
    await expect.poll(() => readFileSync(file, 'utf8')).toContain('"running"');
    const text = readFileSync(file, 'utf8').replace(/"pid": \d+/, '"pid": 999999999');
    await first[Symbol.asyncDispose]();
    writeFileSync(file, text);
    expect(await stateOf(installations())).toBe('interrupted');
  });

  it('that another app on this laptop runs is shown running, and not begun twice', async () => {
    const first = installations();
    await first.begin(draft.id);
    const file = path.join(directory, 'installations', 'draft-1.json');
    const text = readFileSync(file, 'utf8').replace(/"pid": \d+/, `"pid": ${process.ppid}`);
    await first[Symbol.asyncDispose]();
    writeFileSync(file, text);
    const other = installations();
    expect(await stateOf(other)).toBe('running');
    await expect(other.begin(draft.id)).rejects.toMatchObject({ code: 'installation-running' });
    await expect(other.remove(draft.id)).rejects.toMatchObject({ code: 'installation-running' });
  });

  it('that fails says why, and goes on when it is begun again', async () => {
    const one = installations();
    await one.begin(draft.id);
    servers.at('n1/upload-agent').resolve(undefined);
    servers
      .at('n1/configure')
      .reject(new Fault('connection-lost', { message: 'The connection was lost.' }, { node: 'n1' }));
    await expect.poll(() => stateOf(one)).toBe('failed');
    const failed = await one.read(draft.id);
    expect(failed?.fault).toMatchObject({ code: 'connection-lost', details: { node: 'n1' } });
    expect(statesOf(failed)).toEqual(['n1/upload-agent done', 'n1/configure failed', 'n1/start waiting']);
    expect(failed?.cluster).toBe('site-a-id');

    const fresh = new FakeServers();
    fresh.done.add('n1/upload-agent');
    fresh.letAll();
    const again = installations({ apply: fresh.apply });
    await again.begin(draft.id);
    await expect.poll(() => stateOf(again)).toBe('done');
    expect((await again.read(draft.id))?.startedAt).toBe(failed?.startedAt);
  });

  it('that is stopped ends after its step', async () => {
    const one = installations();
    await one.begin(draft.id);
    servers.at('n1/upload-agent').resolve(undefined);
    await expect.poll(async () => statesOf(await one.read(draft.id))[1]).toBe('n1/configure running');
    one.cancel(draft.id);
    expect(await stateOf(one)).toBe('running');
    servers.letAll();
    await expect.poll(() => stateOf(one)).toBe('interrupted');
    expect(statesOf(await one.read(draft.id))).toEqual([
      'n1/upload-agent done',
      'n1/configure done',
      'n1/start waiting',
    ]);
  });

  it('that is stopped in an upload ends at once', async () => {
    const one = installations();
    await one.begin(draft.id);
    await expect.poll(async () => statesOf(await one.read(draft.id))[0]).toBe('n1/upload-agent running');
    one.cancel(draft.id);
    await expect.poll(() => stateOf(one)).toBe('interrupted');
  });

  it('is begun once, however often a button is pressed', async () => {
    const one = installations();
    const results = await Promise.allSettled([1, 2, 3].map(() => one.begin(draft.id)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('is not begun with answers that are missing', async () => {
    const answers = { ...draft.answers, cluster: '' };
    const one = installations({ readDraft: () => Promise.resolve({ ...draft, answers }) });
    await expect(one.begin(draft.id)).rejects.toMatchObject({
      code: 'answers-incomplete',
      details: { paths: ['cluster'] },
    });
    expect(await one.read(draft.id)).toBeNull();
  });

  it('tells its progress a few times a second, and its end in any case', async () => {
    const bytes = 2000;
    const beganMs = performance.now();
    const one = installations({
      apply: async (_draft, _configuration, { onEvent }) => {
        const upload = step('n1/upload-agent');
        onEvent({ kind: 'planned', steps: [upload] });
        onEvent({ kind: 'step-started', step: upload });
        const untilMs = performance.now() + 450;
        for (let done = 0; performance.now() < untilMs; done += 1) {
          onEvent({ kind: 'step-bytes', step: upload, doneBytes: done, totalBytes: bytes });
          await new Promise((resolve) => setImmediate(resolve));
        }
        onEvent({ kind: 'step-done', step: upload });
        return { steps: [upload], changed: true, record: {}, keptAt: [] } as unknown as ApplyOutcome;
      },
    });
    await one.begin(draft.id);
    await expect.poll(() => told.at(-1)?.state).toBe('done');
    // Beginning, end, and one in 200 ms.
    expect(told.length).toBeLessThanOrEqual(3 + (performance.now() - beganMs) / 200);
  });

  it('under another name makes the former attempt forgotten', async () => {
    const forgotten: string[] = [];
    const first = installations();
    await first.begin(draft.id);
    await expect.poll(async () => (await first.read(draft.id))?.cluster).toBe('site-a-id');
    await first[Symbol.asyncDispose]();
    const renamed = { ...draft, answers: { ...draft.answers, cluster: 'site-b' } };
    const second = installations({
      readDraft: () => Promise.resolve(renamed),
      forget: (cluster) => Promise.resolve(void forgotten.push(cluster)),
    });
    await second.begin(draft.id);
    servers.letAll();
    await expect.poll(() => stateOf(second)).toBe('done');
    expect(forgotten).toEqual(['site-a-id']);
    expect((await second.read(draft.id))?.cluster).toBe('site-b-id');
  });

  it('leaves nothing behind when its draft is removed', async () => {
    const one = installations();
    await one.begin(draft.id);
    servers.letAll();
    await expect.poll(() => stateOf(one)).toBe('done');
    await one.remove(draft.id);
    expect(await one.read(draft.id)).toBeNull();
    expect(existsSync(path.join(directory, 'installations', 'draft-1.json'))).toBe(false);
  });
});
