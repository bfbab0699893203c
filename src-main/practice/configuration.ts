/** The practice cluster as a configuration file and as answers of the wizard: both say the same. */
import type { Answers } from '../app-api/index.ts';
import { database } from './postgres.ts';

export const practiceCluster = 'practice';
export const practiceModule = 'db';
export const virtualAddress = '10.77.0.50';

/** Of the lab, in its own words; the witness is a server without a database. */
export const labHosts = { n1: 'n1', n2: 'n2', witness: 'w' } as const;
export type PracticeHost = keyof typeof labHosts;

export function isPracticeHost(name: string): name is PracticeHost {
  return Object.hasOwn(labHosts, name);
}

/** By name: the addresses are those of every lab on this machine. */
function destinationOf(lab: string, host: PracticeHost): string {
  return `root@${labHosts[host]}.${lab}`;
}

export function configurationText(lab: string): string {
  return `# The practice cluster: made by Holdfast on this machine.
version: 1
cluster: ${practiceCluster}
nodes:
  - { name: n1, ssh: ${destinationOf(lab, 'n1')} }
  - { name: n2, ssh: ${destinationOf(lab, 'n2')} }
witness: { ssh: ${destinationOf(lab, 'witness')} }
modules:
  - name: ${practiceModule}
    kind: mirror
    prefer: n1
    replicate:
      - path: ${database.directory}
    vip: ${virtualAddress}/24
    start: systemctl start ${database.unit}
    stop: systemctl stop ${database.unit}
`;
}

export function practiceAnswers(lab: string): Answers {
  const machine = (host: PracticeHost) => ({
    machine: { destination: destinationOf(lab, host), port: null, identity: null },
    facts: null,
  });
  return {
    cluster: practiceCluster,
    nodes: [
      { name: 'n1', ...machine('n1') },
      { name: 'n2', ...machine('n2') },
    ],
    application: {
      name: practiceModule,
      service: `${database.unit}.service`,
      directories: [database.directory],
      start: `systemctl start ${database.unit}`,
      stop: `systemctl stop ${database.unit}`,
      startTimeout: 60,
      stopTimeout: 60,
    },
    goodNode: 'n1',
    vip: `${virtualAddress}/24`,
    interface: null,
    checkers: [],
    checkersBy: 'nobody',
    networks: null,
    witness: { kind: 'voting', ...machine('witness') },
    withoutWitness: 'prefer-one-copy',
    detectionMs: 3000,
    prefer: 'n1',
    failback: 'manual',
  };
}
