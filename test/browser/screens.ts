/** Every screen that a person can meet, each in the situation in which it says the most. */
import type { Page } from 'playwright-core';
import { wizardSteps, type Comparison, type KnownCluster } from '../../src-main/app-api/index.ts';
import * as statuses from './demonstration.ts';
import { badChecks, draftAt, emptyAnswers, installationAt, plannedSteps } from './demonstration-answers.ts';
import { knownCluster } from './demonstration-clusters.ts';
import * as comparisons from './demonstration-comparison.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { openLockedShell, openLostShell, openShell } from './demonstration-shell.ts';
import { practiceMaking, practiceObstacle, practiceReady } from './demonstration-practice.ts';

import { wizardSituations } from './wizard-demonstration.ts';

export interface ScreenCase {
  readonly name: string;
  readonly hash: string;
  start(): Demonstration;
  /** Something is being done there that has no end in this picture. */
  readonly goesOn?: boolean;
  /** What a person does there before the picture is taken. */
  act?(page: Page, parts: Demonstration): Promise<void>;
}

type Status = typeof statuses.protectedCluster;

const cluster = (name: string, status: Status, more: Partial<ScreenCase> = {}): ScreenCase => ({
  name: `cluster-${name}`,
  hash: '#/cluster/site-a',
  start: () => demonstrate({ clusters: [knownCluster('site-a', status)] }),
  ...more,
});

const unreadable = (code: string, message: string): KnownCluster => ({
  ...knownCluster('site-a'),
  view: {
    kind: 'unreadable',
    fault: { code, message, remedy: '', details: { nodes: ['n1', 'n2'] } },
    since: '2026-01-01T14:01:57Z',
    last: statuses.bothUnreachableCluster,
  },
});

const clusterScreens: readonly ScreenCase[] = [
  cluster('protected', statuses.protectedCluster),
  cluster('alone', statuses.aloneCluster),
  cluster('resynchronising', statuses.resynchronisingCluster),
  cluster('forked', statuses.forkedCluster),
  cluster('waiting', statuses.waitingCluster),
  cluster('stopped', statuses.stoppedCluster),
  cluster('maintenance', statuses.maintenanceCluster),
  cluster('witness-lost', statuses.witnessLostCluster),
  cluster('agent-dead', statuses.agentDeadCluster),
  cluster('disk-full', statuses.diskFullCluster),
  {
    name: 'cluster-unreachable',
    hash: '#/cluster/site-a',
    start: () => demonstrate({ clusters: [unreadable('servers-unreachable', 'Neither server can be reached.')] }),
  },
  {
    name: 'cluster-laptop-offline',
    hash: '#/cluster/site-a',
    start: () => demonstrate({ clusters: [unreadable('laptop-offline', 'This computer is on no network.')] }),
  },
];

const wizardScreens: readonly ScreenCase[] = wizardSteps.map((step) => ({
  name: `wizard-${step}`,
  hash: `#/wizard/draft-${step}`,
  goesOn: step === 'install',
  start: () => {
    const parts = demonstrate({ drafts: [draftAt(step)] });
    parts.wizard.pace = 'hold';
    if (step === 'install') parts.wizard.show(installationAt(`draft-${step}`, 9));
    if (step === 'sync') {
      parts.wizard.show(installationAt(`draft-${step}`, plannedSteps.length));
      parts.clusters.add(knownCluster('site-a', statuses.resynchronisingCluster));
    }
    return parts;
  },
}));

const wizardTroubles: readonly ScreenCase[] = [
  {
    name: 'wizard-checks-failed',
    hash: '#/wizard/draft-checks',
    start: () => {
      const parts = demonstrate({ drafts: [draftAt('checks')] });
      parts.wizard.answer('checkServers', async () => [...badChecks]);
      return parts;
    },
  },
  {
    name: 'wizard-install-failed',
    hash: '#/wizard/draft-install',
    start: () => {
      const parts = demonstrate({ drafts: [draftAt('install')] });
      const running = installationAt('draft-install', 4);
      parts.wizard.show({
        ...running,
        state: 'failed',
        steps: running.steps.map((step) => (step.state === 'running' ? { ...step, state: 'failed' } : step)),
        fault: {
          code: 'connection-lost',
          message: 'The connection to n2 was lost.',
          remedy: '',
          details: { host: 'n2' },
        },
      });
      return parts;
    },
  },
];

const startScreens: readonly ScreenCase[] = [
  { name: 'start-empty', hash: '', start: () => demonstrate() },
  {
    name: 'start-clusters',
    hash: '',
    start: () =>
      demonstrate({
        clusters: [
          knownCluster('site-a'),
          knownCluster('dupont', { ...statuses.aloneCluster, cluster: 'dupont' }),
          knownCluster('museum', { ...statuses.resynchronisingCluster, cluster: 'museum' }),
          { ...unreadable('servers-unreachable', 'Neither server can be reached.'), id: 'depot', cluster: 'depot' },
        ],
        drafts: [draftAt('application', { answers: { ...emptyAnswers, cluster: 'new-site' } })],
      }),
  },
  {
    name: 'start-practice-impossible',
    hash: '',
    start: () => {
      const parts = demonstrate();
      parts.practice.show(practiceObstacle);
      return parts;
    },
  },
  {
    name: 'start-practice-making',
    hash: '',
    goesOn: true,
    start: () => {
      const parts = demonstrate();
      parts.practice.show(practiceMaking);
      return parts;
    },
  },
  {
    name: 'cluster-practice',
    hash: '#/cluster/practice',
    start: () => {
      const parts = demonstrate({
        clusters: [knownCluster('practice', { ...statuses.protectedCluster, cluster: 'practice' }, true)],
      });
      parts.practice.show({ ...practiceReady, draft: 'practice' });
      return parts;
    },
  },
];

const terminalScreens: readonly ScreenCase[] = [
  cluster('terminal', statuses.protectedCluster, { act: openShell }),
  cluster('terminal-locked', statuses.protectedCluster, { act: openLockedShell }),
  cluster('terminal-lost', statuses.aloneCluster, { act: openLostShell }),
];

const comparing = (name: string, status: Status, comparison: Comparison, then?: string): ScreenCase =>
  cluster(`compare-${name}`, status, {
    act: async (page, parts) => {
      parts.clusters.showComparison(comparison);
      await page.getByRole('button', { name: 'Orders for db' }).click();
      await page.getByRole('menuitem', { name: 'Compare the copies' }).click();
      await page
        .getByRole('dialog')
        .getByText(/comparison/)
        .first()
        .waitFor();
      if (then !== undefined) await page.getByRole('dialog').getByRole('button', { name: then }).click();
    },
  });
const comparisonScreens: readonly ScreenCase[] = [
  comparing('running', statuses.protectedCluster, comparisons.runningComparison(comparisons.equalComparison)),
  comparing('different', statuses.differingCluster, comparisons.differentComparison),
  comparing('overwrite', statuses.differingCluster, comparisons.differentComparison, 'Make n2’s copy equal to n1’s'),
];

export const screens: readonly ScreenCase[] = [
  ...startScreens,
  ...wizardScreens,
  ...wizardTroubles,
  ...clusterScreens,
  ...comparisonScreens,
  ...terminalScreens,
  ...wizardSituations,
];
