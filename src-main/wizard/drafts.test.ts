import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Draft } from '../app-api/index.ts';
import { DraftStore } from './drafts.ts';

let directory = '';
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'holdfast-drafts-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const fileOf = (draft: Draft): string => path.join(directory, 'drafts', `${draft.id}.json`);
const saved = (draft: Draft, cluster: string): Parameters<DraftStore['save']>[0] => ({
  draft: draft.id,
  revision: draft.revision,
  step: 'checks',
  answers: { ...draft.answers, cluster },
});

describe('drafts', () => {
  it('are there again for another app, for this user alone', async () => {
    const draft = await new DraftStore(directory).create();
    expect(draft.answers).toMatchObject({ detectionMs: 3000, withoutWitness: 'prefer-one-copy', goodNode: null });
    expect(draft.answers.nodes.map(({ name }) => name)).toEqual(['n1', 'n2']);
    expect(statSync(fileOf(draft)).mode & 0o777).toBe(0o600);
    expect(await new DraftStore(directory).all()).toEqual([draft]);
  });

  it('of an app that knew no checkers have none, and nobody has decided that', async () => {
    const draft = await new DraftStore(directory).create();
    const stored = JSON.parse(readFileSync(fileOf(draft), 'utf8')) as { answers: Record<string, unknown> };
    delete stored.answers['checkers'];
    delete stored.answers['checkersBy'];
    writeFileSync(fileOf(draft), JSON.stringify(stored));
    const { answers } = await new DraftStore(directory).read(draft.id);
    expect(answers).toMatchObject({ checkers: [], checkersBy: 'nobody' });
  });

  it('keep what was typed, however wrong it is', async () => {
    const store = new DraftStore(directory);
    const draft = await store.create();
    expect(await store.save(saved(draft, '  Not a name\u0000'), null)).toBe(2);
    expect((await store.read(draft.id)).answers.cluster).toBe('  Not a name\u0000');
    expect((await store.read(draft.id)).step).toBe('checks');
  });

  it('are not overwritten by a window that has not read the last change', async () => {
    const store = new DraftStore(directory);
    const draft = await store.create();
    const results = await Promise.allSettled(['a', 'b', 'c'].map((cluster) => store.save(saved(draft, cluster), null)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(new DraftStore(directory).save(saved(draft, 'd'), null)).rejects.toMatchObject({
      code: 'draft-changed-elsewhere',
    });
    expect((await store.read(draft.id)).answers.cluster).toBe('a');
  });

  it('that are damaged are set aside, and the others stay', async () => {
    const store = new DraftStore(directory);
    const [good, cut, other] = [await store.create(), await store.create(), await store.create()];
    writeFileSync(fileOf(cut), readFileSync(fileOf(cut), 'utf8').slice(0, 40));
    writeFileSync(fileOf(other), JSON.stringify({ format: 1 }));
    writeFileSync(`${fileOf(cut)}.damaged`, 'of another time');
    expect((await store.all()).map(({ id }) => id)).toEqual([good.id]);
    expect(readdirSync(path.join(directory, 'drafts')).filter((name) => name.includes('.damaged'))).toHaveLength(3);
    expect(readFileSync(`${fileOf(cut)}.damaged`, 'utf8')).toBe('of another time');
    await expect(store.read(cut.id)).rejects.toMatchObject({ code: 'no-such-draft' });
  });

  it('of a later version of the app are left alone', async () => {
    const store = new DraftStore(directory);
    const draft = await store.create();
    const later = JSON.stringify({ format: 2, answers: 'otherwise' });
    writeFileSync(fileOf(draft), later);
    expect(await store.all()).toEqual([]);
    await expect(store.read(draft.id)).rejects.toMatchObject({ code: 'no-such-draft' });
    expect(readFileSync(fileOf(draft), 'utf8')).toBe(later);
  });

  it('that cannot be read keep neither the others nor their changes away', async () => {
    const store = new DraftStore(directory);
    const [good, closed] = [await store.create(), await store.create()];
    rmSync(fileOf(closed));
    // Whoever runs the tests as root may read everything but this.
    mkdirSync(fileOf(closed));
    store.onChange(() => undefined);
    expect((await store.all()).map(({ id }) => id)).toEqual([good.id]);
    expect(await store.save(saved(good, 'x'), null)).toBe(2);
    await expect(store.read(closed.id)).rejects.toMatchObject({ code: 'draft-unreadable' });
  });

  it('are only files of their own folder', async () => {
    const store = new DraftStore(directory);
    writeFileSync(path.join(directory, 'precious.json'), 'x');
    await store.remove('../precious');
    await expect(store.read('../precious')).rejects.toMatchObject({ code: 'no-such-draft' });
    expect(existsSync(path.join(directory, 'precious.json'))).toBe(true);
  });

  it('tell the others what changed', async () => {
    const store = new DraftStore(directory);
    const told: [number, unknown][] = [];
    store.onChange((drafts, by) => told.push([drafts.length, by]));
    const draft = await store.create();
    await store.save(saved(draft, 'x'), 'screen');
    await store.remove(draft.id);
    expect(told).toEqual([
      [1, null],
      [1, 'screen'],
      [0, null],
    ]);
  });

  it('are listed newest first', async () => {
    const store = new DraftStore(directory);
    const first = await store.create();
    await store.create();
    await expect.poll(() => new Date().toISOString() > first.updatedAt).toBe(true);
    await store.save(saved(first, 'x'), null);
    expect((await store.all())[0]?.id).toBe(first.id);
  });
});
