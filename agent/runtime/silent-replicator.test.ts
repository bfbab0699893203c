import { expect, test } from 'vitest';
import type { EventDraft } from '../contract/index.ts';
import { lineJournal } from './journal.ts';
import type { Silence, SilenceOutcome } from './ports.ts';
import { SilentReplicator } from './silent-replicator.ts';

function bench(outcome: () => SilenceOutcome) {
  const events: EventDraft[] = [];
  const journal: string[] = [];
  let tries = 0;
  const rescue = {
    abortMounts: async () => undefined,
    killHolders: async () => [],
    endReplicator: async () => {
      tries++;
      return outcome();
    },
  };
  const ports = { node: 'n1', rescue, journal: lineJournal((line) => journal.push(line), false) };
  const replicator = new SilentReplicator(ports, (event) => events.push(event));
  return { replicator, journal, tries: () => tries, codes: () => events.map(({ code }) => code) };
}
const silence = (): Silence => ({ lasts: () => true, ms: () => 5000 });

test('it is killed once in a silence, and that is told', async () => {
  const { replicator, tries, codes } = bench(() => 'killed');
  const first = silence();
  for (let times = 0; times < 3; times++) await replicator.end(first);
  expect([tries(), codes()]).toEqual([1, ['replicator-silent']]);
  await replicator.end(silence());
  expect([tries(), codes()]).toEqual([2, ['replicator-silent', 'replicator-silent']]);
});

test('one that waits for its disk is left to it, which is told once, and killed when it is silent without that', async () => {
  let outcome: SilenceOutcome = 'waits-for-disk';
  const { replicator, codes } = bench(() => outcome);
  const first = silence();
  for (let times = 0; times < 3; times++) await replicator.end(first);
  expect(codes()).toEqual(['replicator-waits-for-disk']);
  outcome = 'killed';
  await replicator.end(first);
  expect(codes()).toEqual(['replicator-waits-for-disk', 'replicator-silent']);
});

test('a service manager that does not know it is complained of once', async () => {
  const { replicator, journal, codes } = bench(() => 'not-found');
  const first = silence();
  for (let times = 0; times < 3; times++) await replicator.end(first);
  expect([codes(), journal.length]).toEqual([[], 1]);
});
