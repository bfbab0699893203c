/** docs/posix.md has a row for every feature that the suite compares, and calls a difference what the suite lists as one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { features } from '../suites/filesystem/features.ts';

const rows = readFileSync(new URL('../../docs/posix.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the table of POSIX features', () => {
  it.each(features)('says what is compared: $name', ({ name, differences }) => {
    const row = rows.find(([, feature]) => feature === name);
    expect(row).toBeDefined();
    if (differences !== undefined) expect(row?.[2]).toContain('**Differs**');
  });
});
