import { describe, expect, it } from 'vitest';
import { kernelAtLeast } from './kernel.ts';

describe('the release of a kernel', () => {
  it.each([
    ['6.1.0-18-amd64', true],
    ['5.8.0', true],
    ['5.10', true],
    ['5.7.19', false],
    ['4.18.0-553.el8_10.x86_64', false],
    ['', false],
    ['unknown', false],
  ])('%s is 5.8 or newer: %s', (release, expected) => {
    expect(kernelAtLeast(release, 5, 8)).toBe(expected);
  });
});
