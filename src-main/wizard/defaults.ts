/** What the wizard begins with: nothing that only a person knows, and a sensible answer to everything else. */
import type { Answers } from '../app-api/index.ts';

type Machine = Answers['nodes'][number]['machine'];

const nowhere: Machine = { destination: '', port: null, identity: null };

/** Of the configuration file: what equals them is left out of it. */
export const defaults = {
  scriptTimeoutSeconds: 60,
  detectionMs: 3000,
  withoutWitness: 'prefer-one-copy',
  failback: 'manual',
} as const;

export function firstAnswers(): Answers {
  return {
    cluster: '',
    nodes: ['n1', 'n2'].map((name) => ({ name, machine: nowhere, facts: null })),
    application: {
      name: '',
      service: null,
      directories: [],
      start: '',
      stop: '',
      startTimeout: defaults.scriptTimeoutSeconds,
      stopTimeout: defaults.scriptTimeoutSeconds,
    },
    goodNode: null,
    vip: '',
    interface: null,
    checkers: [],
    checkersBy: 'nobody',
    networks: null,
    witness: { kind: 'none', machine: nowhere, facts: null },
    withoutWitness: defaults.withoutWitness,
    detectionMs: defaults.detectionMs,
    prefer: null,
    failback: defaults.failback,
  };
}
