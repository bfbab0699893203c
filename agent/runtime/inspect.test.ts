import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { countBelow } from './inspect.ts';

it('a directory that cannot be listed is not an empty one', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'holdfast-inspect-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const clock = { bootMs: () => 0 };
  mkdirSync(path.join(root, '.holdfast'));
  mkdirSync(path.join(root, 'lost+found'));
  expect((await countBelow(root, clock)).names).toBe(0);
  writeFileSync(path.join(root, 'file'), 'x');
  expect((await countBelow(root, clock)).names).toBe(1);
  await expect(countBelow(path.join(root, 'file'), clock)).rejects.toMatchObject({ code: 'disk-failed' });
});
