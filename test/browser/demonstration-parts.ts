/** All parts of a main process that only tells stories: what a test does not script answers as a healthy site would. */
import type { Draft, KnownCluster } from '../../src-main/app-api/index.ts';
import type { AppParts } from '../../src-main/app.ts';
import { resynchronisingCluster } from './demonstration.ts';
import { DemonstrationClusters, knownCluster } from './demonstration-clusters.ts';
import { DemonstrationHistory } from './demonstration-history.ts';
import { DemonstrationPractice } from './demonstration-practice.ts';
import { DemonstrationPreferences } from './demonstration-preferences.ts';
import { DemonstrationServers } from './demonstration-servers.ts';
import { DemonstrationTerminals } from './demonstration-terminals.ts';
import { DemonstrationWizard } from './demonstration-wizard.ts';
import { draftAt } from './demonstration-answers.ts';

export interface Demonstration extends AppParts {
  readonly clusters: DemonstrationClusters;
  readonly history: DemonstrationHistory;
  readonly servers: DemonstrationServers;
  readonly wizard: DemonstrationWizard;
  readonly terminals: DemonstrationTerminals;
  readonly practice: DemonstrationPractice;
  readonly preferences: DemonstrationPreferences;
}

export interface DemonstrationStart {
  readonly clusters?: readonly KnownCluster[];
  readonly drafts?: readonly Draft[];
}

export function demonstrate({ clusters = [], drafts = [] }: DemonstrationStart = {}): Demonstration {
  const known = new DemonstrationClusters(clusters);
  const wizard = new DemonstrationWizard(drafts, () => known.add(knownCluster('site-a', resynchronisingCluster)));
  return {
    clusters: known,
    history: new DemonstrationHistory(),
    servers: new DemonstrationServers(),
    wizard,
    terminals: new DemonstrationTerminals(),
    practice: new DemonstrationPractice(() => wizard.put(draftAt('review', { id: 'practice', practice: true })).id),
    preferences: new DemonstrationPreferences(),
  };
}
