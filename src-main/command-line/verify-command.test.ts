import { expect, test } from 'vitest';
import type { Verification } from '../../agent/contract/verify.ts';
import { verificationText } from './verify-command.ts';

const equal: Verification = {
  state: 'equal',
  repair: false,
  directories: 2,
  files: 7,
  comparedBytes: 3_000_000,
  bytesPerSecond: null,
  differing: 0,
  minor: 0,
  differences: [],
};

test('equal copies are said to be equal, with what was looked at', () => {
  const text = verificationText('/data/db', equal);
  expect(text).toContain('/data/db: the copies are equal.');
  expect(text).toContain('7 files in 2 directories');
});

test('what differs is listed with how, and with what to do', () => {
  const text = verificationText('/data/db', {
    ...equal,
    state: 'different',
    differing: 3,
    differences: [
      { path: 'base/1', kinds: ['content', 'times'], bytes: 65536 },
      { path: '', kinds: ['mode'], bytes: 0 },
    ],
  });
  expect(text).toContain('--repair');
  expect(text).toMatch(/ {2}base\/1: content, times \(\S+ \S+\)\n {2}\.: mode\n {2}… and 1 more\n$/);
});

test('a running comparison tells how long at most, and a directory is one', () => {
  const running = {
    ...equal,
    state: 'running',
    totalBytes: 9_000_000,
    bytesPerSecond: 50_000,
    etaSeconds: 120,
  } as const;
  const differences = [{ path: 'sub', kinds: ['only-on-secondary' as const], bytes: 0, directory: true }];
  const text = verificationText('/data/db', { ...running, differing: 1, differences });
  expect(text).toContain('3.0 MB of at most 9.0 MB, 50.0 kB/s, 2 min left at most');
  expect(text).toContain('  sub/: only-on-secondary\n');
});

test('a primary whose disk does not read is not the one to repair from', () => {
  const differences = [{ path: 'base/1', kinds: ['unreadable-on-primary' as const], bytes: 0 }];
  const text = verificationText('/data/db', { ...equal, state: 'different', minor: 1, unreadable: 1, differences });
  expect(text).toContain('holdfast swap');
  expect(text).not.toContain('--repair');
  expect(text).toContain('base/1: unreadable-on-primary');
});

test('nothing is claimed of copies that were not compared', () => {
  expect(verificationText('/data/db', null)).toContain('not compared');
  expect(verificationText('/data/db', { ...equal, state: 'interrupted' })).toContain('not compared to the end');
});
