import { describe, expect, test } from 'vitest';
import type { Answers, Copy, DetectedService } from '../../src-main/app-api/index.ts';
import {
  applicationFrom,
  blankAnswers,
  isSystemDirectory,
  likeliestService,
  nameFrom,
  renamed,
  suggestedClusterName,
  suggestedNetworks,
} from './answers.ts';
import { suggest } from './suggest.ts';

const answers: Answers = {
  ...blankAnswers,
  nodes: [
    { name: 'n1', machine: { destination: 'root@n1', port: null, identity: null }, facts: null },
    { name: 'n2', machine: { destination: 'root@n2', port: null, identity: null }, facts: null },
  ],
};
const service = (unit: string, change: Partial<DetectedService> = {}): DetectedService => ({
  unit,
  description: unit,
  product: null,
  on: [{ node: 'n1', active: true, enabled: true }],
  ports: [],
  listeners: [],
  directories: [],
  ...change,
});
const postgres = service('postgresql@15-main.service', {
  product: 'postgresql',
  directories: [{ path: '/var/lib/postgresql/15/main', bytes: 1 }],
});
const copy = (node: string, empty: boolean, exists = true): Copy => ({
  node,
  path: '/data',
  exists,
  empty,
  files: null,
  bytes: null,
  newestFile: null,
  version: null,
  atLeast: false,
});
const network = (name: string, ssh: boolean, addresses: string[]) => ({
  name,
  subnet: `${addresses[0] ?? ''}/24`,
  addresses,
  interfaces: ['eth0', 'eth0'],
  ssh,
});
const nothing = { services: null, copies: null, suggestions: null };

describe('names', () => {
  test('are what the configuration takes', () => {
    expect(nameFrom('postgresql@15-main.service')).toBe('postgresql-15-main');
    expect(nameFrom('Serveur de Vidéo (Étage 2)')).toBe('serveur-de-vid-o-tage-2');
    expect(nameFrom('x'.repeat(31) + '-y')).toBe('x'.repeat(31));
  });
  test('of a cluster follow the servers, and are not used twice', () => {
    expect(suggestedClusterName(['dupont-srv1.local', 'dupont-srv2.local'], [])).toBe('dupont-srv');
    expect(suggestedClusterName(['n1', 'n2'], [])).toBe('site-a');
    expect(suggestedClusterName(['n1', 'n2'], ['site-a'])).toBe('site-b');
  });
  test('of a node carry the answers that name it along', () => {
    const chosen = { ...answers, goodNode: 'n1', prefer: 'n2' };
    expect(renamed(chosen, 0, 'left')).toEqual({ goodNode: 'left', prefer: 'n2' });
    // While two are named alike nobody knows which one is meant.
    const alike = { ...chosen, nodes: chosen.nodes.map((node) => ({ ...node, name: 'n1' })) };
    expect(renamed(alike, 1, 'n3').goodNode).toBe('n1');
  });
});

test('the likeliest application keeps data and runs', () => {
  const cron = service('cron.service');
  const nginx = service('nginx.service', { product: 'nginx', ports: [80] });
  expect(likeliestService([cron, nginx, postgres])?.unit).toBe(postgres.unit);
  expect(likeliestService([cron, nginx])?.unit).toBe('nginx.service');
  expect(likeliestService([cron])).toBe(null);
  const stopped = { ...postgres, on: [{ node: 'n1', active: false, enabled: true }] };
  expect(likeliestService([stopped])).toBe(null);
});

describe('suggestions', () => {
  const both = [copy('n1', false), copy('n2', false)];
  test('the good copy: only where there is nothing to decide', () => {
    const good = (copies: Copy[]): unknown => suggest('data', answers, { ...nothing, copies }, false)?.goodNode;
    expect(good(both)).toBeUndefined();
    expect(good([copy('n1', true), copy('n2', false)])).toBe('n2');
    expect(good([copy('n1', false), copy('n2', true, false)])).toBe('n1');
    expect(good([copy('n1', true), copy('n2', true)])).toBe('n1');
  });
  test('what a person has emptied stays empty', () => {
    const suggestions = { networks: [], vip: '10.0.0.50/24' };
    expect(suggest('address', answers, { ...nothing, suggestions }, false)).toEqual({ vip: '10.0.0.50/24' });
    expect(suggest('address', answers, { ...nothing, suggestions }, true)).toBe(null);
    expect(suggest('preferred', { ...answers, goodNode: 'n2' }, nothing, true)).toBe(null);
  });
  test('what a person has typed is not replaced', () => {
    const typed = { ...answers, application: { ...answers.application, start: './run' } };
    expect(suggest('application', typed, { ...nothing, services: [postgres] }, false)).toBe(null);
    expect(suggest('application', answers, { ...nothing, services: [postgres] }, false)).toEqual({
      application: applicationFrom(postgres),
    });
  });
  test('a network of its own carries the replication; a bridge of containers is no network', () => {
    const lan = network('lan', true, ['10.0.0.1', '10.0.0.2']);
    const sync = network('sync', false, ['10.1.0.1', '10.1.0.2']);
    const bridge = network('docker0', false, ['172.17.0.1', '172.17.0.1']);
    expect(suggestedNetworks([lan, bridge, sync]).map(({ name }) => name)).toEqual(['sync', 'lan']);
  });
});

test.each([
  ['/', true],
  ['/etc/', true],
  ['/var/lib', true],
  ['/usr/share/app', true],
  ['/var/lib/postgresql/15/main', false],
  ['/data', false],
  ['/home/app/data', false],
  ['/srv/data', false],
])('%s belongs to the system: %s', (path, expected) => {
  expect(isSystemDirectory(path)).toBe(expected);
});
