import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { distrustScript, labelScript, trustScript } from './trust.ts';

/** Runs it with commands that only say what they were called with; `old`: a fapolicyd-cli that knows no trust file of one's own. */
function said(script: string, kind: 'none' | 'new' | 'old'): string[] {
  const place = mkdtempSync(path.join(tmpdir(), 'holdfast-trust-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const log = path.join(place, 'log');
  writeFileSync(log, '');
  const stub = (name: string, body: string): void =>
    writeFileSync(path.join(place, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  stub('systemctl', 'exit 0');
  const refusal = kind === 'old' ? 'case "$*" in *--trust-file*) exit 1 ;; esac' : '';
  if (kind !== 'none') stub('fapolicyd-cli', `${refusal}\necho "$*" >> ${log}`);
  const { status } = spawnSync('/bin/sh', ['-ec', script], { env: { PATH: `${place}:/usr/bin:/bin` }, cwd: place });
  expect(status).toBe(0);
  return readFileSync(log, 'utf8').split('\n').filter(Boolean);
}

describe('what fapolicyd is told', () => {
  it.each([
    ['none', []],
    ['new', ['--file delete /opt/x/', '--file add /opt/x/ --trust-file holdfast', '--update']],
    ['old', ['--file delete /opt/x/', '--file add /opt/x/', '--update']],
  ] as const)('with a command that is %s', (kind, expected) => {
    expect(said(trustScript('/opt/x/'), kind)).toEqual(expected);
  });

  it('is taken back at the end', () => {
    expect(said(distrustScript, 'new').at(-1)).toBe('--update');
    expect(said(distrustScript, 'none')).toEqual([]);
  });
});

it('labels nothing where SELinux is not', () => {
  expect(said(labelScript, 'none')).toEqual([]);
});
