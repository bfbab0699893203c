/** The wizard's side of the main process on real servers: from two hosts with a PostgreSQL on one of them to a cluster. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Answers, CheckResult, Installation, WizardHandlers } from '../../src-main/app-api/index.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { connectFromHere, knownClusters } from '../../src-main/cluster/index.ts';
import { parseConfiguration } from '../../src-main/configuration/index.ts';
import { applyCluster, programFiles, programVersion } from '../../src-main/install/index.ts';
import { environmentSecrets } from '../../src-main/secrets/index.ts';
import { serverAccessFromHere, type ServerAccess } from '../../src-main/servers/index.ts';
import { createWizardPart, type WizardPart } from '../../src-main/wizard/index.ts';
import {
  installPostgres,
  postgresDirectory,
  postgresLayer,
  postgresPort,
  preparePostgres,
} from '../e2e/harness/index.ts';
import { Lab, labObstacle } from '../lab/index.ts';

const obstacle = labObstacle();
const never = new AbortController().signal;

let lab: Lab;
let stateDirectory = '';
let environment: NodeJS.ProcessEnv = {};
let access: ServerAccess;
let part: WizardPart;
let wizard: WizardHandlers;
let answers: Answers;
let draft = '';

const machine = (destination: string): Answers['witness']['machine'] => ({ destination, port: null, identity: null });

/** One screen of an app that was just opened. */
function openApp(onInstallation: (installation: Installation) => void = () => undefined): void {
  part = createWizardPart({ stateDirectory, servers: access });
  wizard = part.serve({
    emit: (event, data) => {
      if (event === 'installation') onInstallation(data as Installation);
    },
    onClose: () => undefined,
  });
}

const problems = (checks: readonly CheckResult[]): string[] =>
  checks.filter(({ ok, attention }) => !ok || attention).map(({ host, code }) => `${host ?? 'cluster'} ${code}`);

async function checks(): Promise<CheckResult[]> {
  return wizard.checkServers({ answers }, never);
}

async function ended(): Promise<Installation> {
  await expect
    .poll(async () => (await wizard.installation({ draft }, never))?.state, { timeout: 200_000, interval: 100 })
    .not.toBe('running');
  const installation = await wizard.installation({ draft }, never);
  if (installation === null) throw new Error('there is no installation');
  return installation;
}

describe('the wizard', () => {
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    lab = await Lab.up({ name: 'wizard', nodes: 2, witness: true, layers: [postgresLayer] });
    stateDirectory = mkdtempSync(path.join(tmpdir(), 'holdfast-wizard-'));
    const { PATH, HOME } = process.env;
    environment = {
      PATH,
      HOME,
      HOLDFAST_LAB: lab.name,
      HOLDFAST_SSH_PASSWORD: 'secret',
      XDG_STATE_HOME: stateDirectory,
    };
    access = serverAccessFromHere({ stateDirectory, environment });
    const [n1, n2] = [lab.host('n1'), lab.host('n2')];
    await Promise.all([preparePostgres(n1), installPostgres(n2)]);
    // As a server has it before anybody thinks of high availability.
    await n1.must(
      `printf '[Install]\\nWantedBy=multi-user.target\\n' >> /etc/systemd/system/app.service && systemctl daemon-reload && systemctl enable --quiet --now app`,
    );
    openApp();
    const made = await wizard.createDraft({}, never);
    draft = made.id;
    answers = {
      ...made.answers,
      checkers: [],
      checkersBy: 'nobody',
      cluster: 'site-w',
      nodes: [
        { name: 'n1', machine: machine('root@10.77.0.11'), facts: null },
        // sudo asks this user for a password.
        { name: 'n2', machine: machine('admin@10.77.0.12'), facts: null },
      ],
      application: {
        ...made.answers.application,
        name: 'db',
        service: 'app.service',
        directories: [postgresDirectory],
        start: 'systemctl start app',
        stop: 'systemctl stop app',
      },
      vip: '10.77.0.50/24',
      goodNode: 'n1',
      prefer: 'n1',
      witness: { kind: 'voting', machine: machine('root@10.77.0.13'), facts: null },
    };
  });
  afterAll(async () => {
    if (obstacle !== undefined) return;
    await part[Symbol.asyncDispose]();
    await access[Symbol.asyncDispose]();
    rmSync(stateDirectory, { recursive: true, force: true });
    await lab.down();
  });

  it('finds what runs there, and where it has its data', async () => {
    const [first] = await wizard.services({ answers }, never);
    expect(first).toMatchObject({
      unit: 'app.service',
      product: 'postgresql',
      on: [
        { node: 'n1', active: true, enabled: true },
        { node: 'n2', active: false, enabled: false },
      ],
      ports: [postgresPort],
      directories: [{ path: postgresDirectory }],
    });
    expect(first?.directories[0]?.bytes).toBeGreaterThan(10_000_000);
    const found = (await wizard.services({ answers }, never)).map(({ unit }) => unit);
    expect(found.filter((unit) => /ssh|cron|dbus|getty|systemd-/.test(unit))).toEqual([]);
    const below = await wizard.browse({ answers, node: 'n1', path: '/data' }, never);
    expect(below.map((one) => one.path)).toEqual([postgresDirectory]);
  });

  it('says what stands in the directories of both', async () => {
    const copies = await wizard.copies({ answers }, never);
    expect(copies).toMatchObject([
      { node: 'n1', exists: true, empty: false, version: 'PostgreSQL 15', atLeast: false },
      { node: 'n2', exists: true, empty: true, files: 0, newestFile: null },
    ]);
    expect(copies[0]?.files).toBeGreaterThan(500);
    expect(copies[0]?.newestFile?.path).toMatch(/^\/data\/db\//);
  });

  it('suggests the network that they share and an address that nobody has', async () => {
    const { networks, vip } = await wizard.suggestions({ answers }, never);
    expect(networks).toMatchObject([
      { subnet: '10.77.0.0/24', addresses: ['10.77.0.11', '10.77.0.12'], interfaces: ['eth0', 'eth0'], ssh: true },
    ]);
    expect(vip).toMatch(/^10\.77\.0\.2\d\d\/24$/);
    expect(await wizard.addressInUse({ answers, address: '10.77.0.12/24' }, never)).toEqual({ by: 'n2', inUse: true });
    expect(await wizard.addressInUse({ answers, address: '10.77.0.100' }, never)).toEqual({ by: null, inUse: true });
    expect((await wizard.addressInUse({ answers, address: vip ?? '' }, never)).inUse).toBe(false);
  });

  it('checks both servers and the ways between them', async () => {
    expect(problems(await checks())).toEqual(['n1 application-running', 'n1 unit-starts-by-itself']);
    const n2 = lab.host('n2');
    const uid = (await n2.must('id -u postgres')).trim();
    await n2.must(
      "nft add table inet wall; nft 'add chain inet wall input { type filter hook input priority 0; }'; nft add rule inet wall input udp dport 7412 drop; usermod -u 4711 postgres",
    );
    try {
      const found = await checks();
      expect(problems(found).sort()).toEqual([
        'n1 application-running',
        'n1 unit-starts-by-itself',
        'n2 owner-differs',
        'n2 peer-ports-blocked',
      ]);
      expect(found.find(({ code }) => code === 'peer-ports-blocked')?.facts).toMatchObject({
        network: 'lan',
        from: 'n1',
        to: 'n2',
        udp: 'silent',
        tcp: 'ok',
      });
    } finally {
      await n2.must(`nft delete table inet wall; usermod -u ${uid} postgres`);
    }
  });

  it('refuses the empty copy as the good one', async () => {
    const wrong = await wizard.checkServers({ answers: { ...answers, goodNode: 'n2' } }, never);
    expect(problems(wrong)).toContain('n2 good-copy-empty');
  });

  it('says on which server it could not log in', async () => {
    const [first, second] = answers.nodes;
    const elsewhere: Answers = { ...answers, nodes: [first!, { ...second!, machine: machine('operator@10.77.0.12') }] };
    const fault = await wizard.services({ answers: elsewhere }, never).then(
      () => null,
      (error: unknown) => Fault.from(error),
    );
    expect(fault).toMatchObject({ details: { node: 'n2' } });
  });

  it('is interrupted by the end of the app, and another app goes on', { timeout: 240_000 }, async () => {
    const { revision } = await wizard.readDraft({ draft }, never);
    await wizard.saveDraft({ draft, revision, step: 'install', answers }, never);
    const plan = await wizard.plan({ answers }, never);
    expect(plan.find(({ kind }) => kind === 'stop-application')).toMatchObject({ host: 'n1', facts: { module: 'db' } });
    expect(plan.find(({ id }) => id === 'n2/initialise:db')?.facts).toEqual({
      module: 'db',
      as: 'blank',
      keepsAside: false,
    });

    const uploaded = Promise.withResolvers<undefined>();
    await part[Symbol.asyncDispose]();
    openApp(({ steps }) => {
      if (steps.some(({ id, state }) => id === 'n1/upload-runtime' && state === 'done')) uploaded.resolve(undefined);
    });
    await wizard.install({ draft }, never);
    await uploaded.promise;
    await part[Symbol.asyncDispose]();

    openApp();
    const found = await wizard.installation({ draft }, never);
    expect(found?.state).toBe('interrupted');
    expect(found?.steps.find(({ id }) => id === 'n1/upload-runtime')?.state).toBe('done');
    expect(found?.steps.find(({ id }) => id === 'n2/start:db')?.state).toBe('waiting');

    await wizard.install({ draft }, never);
    await expect
      .poll(async () => (await wizard.installation({ draft }, never))?.steps.some(({ state }) => state === 'running'))
      .toBe(true);
    // Another laptop, meanwhile.
    const { text } = await wizard.compose({ answers }, never);
    const { packages, resourcesDirectory } = programFiles();
    const other = applyCluster({
      configuration: parseConfiguration(text ?? '', 'x'),
      connect: connectFromHere({ environment, secrets: environmentSecrets(environment) }),
      packages,
      resourcesDirectory,
      programVersion: programVersion(),
    });
    await expect(other).rejects.toMatchObject({ code: 'installation-running-elsewhere' });

    const installation = await ended();
    expect(installation).toMatchObject({ state: 'done', fault: null });
    expect(installation.steps.every(({ state }) => state === 'done')).toBe(true);
    const known = await knownClusters(stateDirectory);
    expect(known.map(({ id, cluster }) => ({ id, cluster }))).toEqual([
      { id: installation.cluster, cluster: 'site-w' },
    ]);
    expect(readFileSync(known[0]!.file, 'utf8')).toBe(text);
  });

  it('leaves a cluster that runs the application on the data that was there', { timeout: 180_000 }, async () => {
    const n1 = lab.host('n1');
    const select = `psql -h 10.77.0.50 -U postgres -Atc 'select 1'`;
    await expect.poll(async () => (await n1.exec(select)).stdout.trim(), { timeout: 30_000 }).toBe('1');
    await expect
      .poll(async () => (await wizard.copies({ answers }, never)).find(({ node }) => node === 'n2')?.bytes ?? 0, {
        timeout: 30_000,
        interval: 500,
      })
      .toBeGreaterThan(10_000_000);
    expect(problems(await checks())).toEqual(['n1 unit-starts-by-itself']);
    expect(await wizard.addressInUse({ answers, address: '10.77.0.50/24' }, never)).toEqual({ by: null, inUse: false });
    expect((await wizard.plan({ answers }, never)).map(({ id }) => id)).toEqual([]);
    await wizard.removeDraft({ draft }, never);
    expect(await wizard.drafts({}, never)).toEqual([]);
  });
});
