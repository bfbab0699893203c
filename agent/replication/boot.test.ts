import { describe, expect, it } from 'vitest';
import { isStillBooting } from './boot.ts';

describe('the boot of the machine', () => {
  it.each([
    ['0\n', true],
    ['13485927\n', false],
    ['', false],
    ['\n', false],
  ])('is under way when systemd says %j: %s', (answer, expected) => {
    expect(isStillBooting(answer)).toBe(expected);
  });
});
