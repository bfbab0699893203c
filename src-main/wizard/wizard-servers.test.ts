import { expect, it } from 'vitest';
import type { Answers, ServerFacts } from '../app-api/index.ts';
import { firstAnswers } from './defaults.ts';
import { machineIdsOf } from './wizard-servers.ts';

it('an installation is bound to the machines that answered, as far as they said who they are', () => {
  const machine = (destination: string): Answers['witness']['machine'] => ({ destination, port: null, identity: null });
  const facts = (machineId: string): ServerFacts => ({ machineId }) as ServerFacts;
  const answers: Answers = {
    ...firstAnswers(),
    nodes: [
      { name: ' n1 ', machine: machine('root@a'), facts: facts('1') },
      { name: 'n2', machine: machine('root@b'), facts: facts('') },
    ],
    witness: { kind: 'voting', machine: machine('root@c'), facts: facts('3') },
  };
  expect(Object.fromEntries(machineIdsOf(answers))).toEqual({ n1: '1', witness: '3' });
  expect(machineIdsOf(firstAnswers()).size).toBe(0);
});
