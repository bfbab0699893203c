import { expect, test } from 'vitest';
import type { ResyncEstimate } from '../../agent/contract/estimate.ts';
import { estimateText } from './resync-command.ts';

const marked: ResyncEstimate = {
  scope: 'marks',
  why: null,
  objects: 25,
  names: 3,
  wholeDirectories: 0,
  bytes: 12_000_000,
  bytesPerSecond: null,
  seconds: null,
  files: [
    { path: 'base/1', kind: 'content', bytes: 65_536 },
    { path: '', kind: 'names', bytes: 0 },
  ],
};
const text = (estimate: Partial<ResyncEstimate>): string =>
  estimateText({ volume: 'db/0', path: '/data/db', estimate: { ...marked, ...estimate } });

test('what is marked is told with its files, and that there are more', () => {
  expect(text({})).toBe(
    '/data/db: at most 12.0 MB in 25 files and directories and 3 names to compare, if the other copy comes back as it was left. What is the same is not sent.\n' +
      '  base/1: content, 65.5 kB\n  .: names\n  … and 23 more (--files)\n',
  );
  expect(text({ wholeDirectories: 2 })).toContain('all that is in 2 directories that were moved');
});

test('the time is told only when a rate was measured', () => {
  expect(text({ bytesPerSecond: 4_000_000, seconds: 3 })).toContain(', at most 3 s at 4.0 MB/s as last measured');
  expect(text({})).not.toContain(' s at ');
});

test('when everything has to be compared it says why', () => {
  const everything: Partial<ResyncEstimate> = { scope: 'everything', names: null, files: [] };
  expect(text({ ...everything, why: 'no-log' })).toContain(
    'everything is compared, at most 12.0 MB in at most 25 files',
  );
  expect(text({ ...everything, why: 'too-many-changes' })).toContain('more was changed than the log holds');
  expect(text({ ...everything, why: 'copies-differ', bytes: null, objects: null })).toContain('an unknown amount: ');
  expect(text({ scope: 'nothing' })).toContain('in sync');
});
