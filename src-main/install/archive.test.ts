import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { archive } from './archive.ts';

it('is read by tar, with names, modes and contents', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-archive-'));
  try {
    const content = Buffer.alloc(1300, 7);
    const tar = archive([
      { name: 'a', mode: 0o755, content },
      { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
    ]);
    writeFileSync(path.join(directory, 'x.tar'), tar);
    execFileSync('tar', ['-xf', 'x.tar'], { cwd: directory });
    expect(readFileSync(path.join(directory, 'a')).equals(content)).toBe(true);
    expect(statSync(path.join(directory, 'a')).mode & 0o777).toBe(0o755);
    expect(statSync(path.join(directory, 'empty')).size).toBe(0);
    expect(archive([{ name: 'a', mode: 0o755, content }])).toEqual(archive([{ name: 'a', mode: 0o755, content }]));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
