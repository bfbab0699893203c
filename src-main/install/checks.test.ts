import { expect, it } from 'vitest';
import { parseProbe } from './probe.ts';
import { versionAtLeast } from './versions.ts';

it.each([
  ['4.18.0-513.el8', '4.18', true],
  ['4.9.0', '4.18', false],
  ['6.1', '4.18', true],
  ['glibc 2.28', '2.28', true],
  ['ldd (GNU libc) 2.17', '2.28', false],
  ['5', '4.18', true],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(versionAtLeast(version, least)).toBe(expected);
});

it('refuses an answer that was cut short', () => {
  expect(() => parseProbe('n1', 'uid=MA==\n')).toThrow(/does not answer as a Linux server/);
});
