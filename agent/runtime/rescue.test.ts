import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { CommandRunner } from '../network/index.ts';
import { processTimers } from './host.ts';
import { hostRescue, parseMainPid, parseThreadState } from './rescue.ts';

test('the main process of a unit, and what its main thread does', () => {
  expect(parseMainPid('MainPID=4711\n')).toBe(4711);
  expect(parseMainPid('MainPID=0\n')).toBeNull();
  expect(parseMainPid('')).toBeNull();
  expect(parseThreadState('12 (a) D (b)) T 1 12 12 0\n')).toBe('T');
  expect(parseThreadState('nonsense')).toBeNull();
});

test('a process that was stopped is killed while it is silent, and only then', async (context) => {
  if (process.platform !== 'linux') context.skip('needs the processes and signals of Linux');
  const child = spawn('sleep', ['600']);
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  child.kill('SIGSTOP');
  const answer = (stdout: string): CommandRunner => {
    return async () => ({ code: 0, stdout, stderr: '' });
  };
  const rescue = hostRescue(processTimers, answer(`MainPID=${String(child.pid)}\n`));
  const ms = (): number => 5000;
  expect(await rescue.endReplicator({ lasts: () => false, ms })).toBe('answers');
  expect(await hostRescue(processTimers, answer('MainPID=0\n')).endReplicator({ lasts: () => true, ms })).toBe(
    'not-found',
  );
  expect(child.exitCode).toBeNull();
  expect(await rescue.endReplicator({ lasts: () => true, ms })).toBe('killed');
  expect(await ended).toEqual([null, 'SIGKILL']);
});
