import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../agent/contract/index.ts';
import { clusterId, rememberCluster } from '../cluster/index.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { lastLooksIn } from './last-look.ts';
import { addCluster, forgetRegistered, readRegistry } from './registry.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-registry-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const textOf = (cluster: string, address = '10.0.0.1'): string => `version: 1
cluster: ${cluster}
nodes: [{ name: n1, ssh: root@${address} }, { name: n2, ssh: root@10.0.0.2 }]
modules:
  - { name: db, kind: mirror, replicate: [{ path: /data/db }], vip: 10.0.0.50/24, start: a, stop: b }
`;
async function remember(cluster: string, file: string, practice?: boolean): Promise<string> {
  const text = textOf(cluster);
  const options = { stateDirectory: directory, ...(practice === undefined ? {} : { practice }) };
  return rememberCluster(parseConfiguration(text, file), file, text, options);
}

describe('the clusters that this laptop knows', () => {
  it('a damaged file breaks neither the list nor itself', async () => {
    const id = await remember('site-a', '/tmp/a.yaml');
    const damaged = path.join(directory, 'clusters', 'site-b-00000000.json');
    await writeFile(damaged, '{"format":1,"clus');
    expect((await readRegistry(directory)).map(({ known }) => known.id)).toEqual([id]);
    expect(await readFile(damaged, 'utf8')).toBe('{"format":1,"clus');
  });

  it('an id stays when the file is applied again, and so does what marks a practice cluster', async () => {
    const first = await remember('site-a', '/tmp/a.yaml', true);
    const second = await remember('site-a', '/tmp/a.yaml');
    expect(second).toBe(first);
    expect(first).toBe(clusterId('site-a', '/tmp/a.yaml'));
    expect((await readRegistry(directory))[0]?.known.practice).toBe(true);
    await remember('site-a', '/tmp/a.yaml', false);
    expect((await readRegistry(directory))[0]?.known.practice).toBe(false);
  });

  it('a file that now describes another cluster does not stand for the one that was applied from it', async () => {
    const file = path.join(directory, 'site.yaml');
    await writeFile(file, textOf('site-b'));
    await remember('site-a', file);
    const [one] = await readRegistry(directory);
    expect(one?.chosen).toMatchObject({ configuration: { cluster: 'site-a' } });
  });

  it('one whose configuration this version cannot read is named, with the reason', async () => {
    await mkdir(path.join(directory, 'clusters'));
    const content = { format: 1, cluster: 'x', file: '/gone', text: 'version: 9\n', usedAt: '2026-01-01T00:00:00Z' };
    await writeFile(path.join(directory, 'clusters', 'x-1.json'), JSON.stringify(content));
    const [one] = await readRegistry(directory);
    expect(one?.chosen).toHaveProperty('code');
  });

  it('adding a text twice is adding it once; other servers of the same name are another cluster', async () => {
    const first = await addCluster(directory, textOf('site-a'), 'site-a.yaml');
    expect(await addCluster(directory, textOf('site-a'), 'copy of site-a.yaml')).toBe(first);
    expect(await addCluster(directory, textOf('site-a', '10.9.9.9'), 'site-a.yaml')).not.toBe(first);
    const registered = await readRegistry(directory);
    expect(registered).toHaveLength(2);
    for (const { known } of registered) expect(await readFile(known.file, 'utf8')).toBe(known.text);
  });

  it('a text that is no configuration is refused and leaves nothing behind', async () => {
    await expect(addCluster(directory, 'cluster: [', 'x.yaml')).rejects.toMatchObject({ code: 'configuration-syntax' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('a name from a screen never leads out of the directory', async () => {
    const outside = path.join(directory, 'other.json');
    await writeFile(outside, '{}');
    await expect(forgetRegistered(directory, '../other')).rejects.toMatchObject({ code: 'cluster-unknown' });
    expect(await readFile(outside, 'utf8')).toBe('{}');
  });
});

describe('how a cluster looked when it was last read', () => {
  const status = (observedAt: string): ClusterStatus => ({
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt,
    protected: true,
    sentence: '',
    nodes: [],
    witness: { kind: 'none', reachable: null },
    modules: [],
  });
  const [early, late] = ['2026-01-01T14:00:00.000Z', '2026-01-01T14:05:00.000Z'];

  it('two copies of the app leave the newer picture, and for each server when it was seen last', async () => {
    const [one, two] = [lastLooksIn(directory), lastLooksIn(directory)];
    await one.write('a', { status: status(late), lastSeen: { n1: late, n2: early } });
    await two.write('a', { status: status(early), lastSeen: { n1: early, n2: late } });
    expect(await one.read('a')).toMatchObject({ status: { observedAt: late }, lastSeen: { n1: late, n2: late } });
  });

  it('is gone with its cluster, and a damaged one is none', async () => {
    const looks = lastLooksIn(directory);
    await looks.write('a', { status: status(early), lastSeen: {} });
    await looks.remove('a');
    expect(await looks.read('a')).toBeNull();
    await writeFile(path.join(directory, 'last-looks', 'b.json'), 'no');
    expect(await looks.read('b')).toBeNull();
  });
});
