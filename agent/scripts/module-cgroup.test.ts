import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findModuleCgroup, killProcessesIn, parseProcessStat, processesIn } from './module-cgroup.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'holdfast-cgroup-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** As the kernel shows it: one group of its own below for each scope. */
async function group(...pids: readonly number[]): Promise<string> {
  const slice = path.join(root, 'holdfast.slice', 'holdfast-db.slice');
  await mkdir(path.join(slice, 'run-1.scope'), { recursive: true });
  await writeFile(path.join(slice, 'cgroup.procs'), '');
  await writeFile(path.join(slice, 'run-1.scope', 'cgroup.procs'), pids.map((pid) => `${pid}\n`).join(''));
  return slice;
}

test('the group of a module is found where it is, and not that of another one', async () => {
  const slice = await group();
  expect(findModuleCgroup('db', ['/no/such', root])).toBe(slice);
  expect(findModuleCgroup('d', [root])).toBeNull();
});

test('everybody below is found by name; one write ends them all', async () => {
  const slice = await group(process.pid);
  const name = (await readFile('/proc/self/comm', 'utf8')).trim();
  expect(await processesIn(slice)).toMatchObject([
    { pid: process.pid, name, startTicks: expect.stringMatching(/^\d+$/) as string },
  ]);
  // Here nobody obeys the file: it is looked for so often, and no longer.
  expect(await killProcessesIn(slice)).toHaveLength(1);
  expect(await readFile(path.join(slice, 'cgroup.kill'), 'utf8')).toBe('1');
});

test('where the kernel has no such file each of them is ended', async () => {
  const child = spawn('sleep', ['60']);
  const ended = once(child, 'exit');
  const slice = await group(child.pid ?? 0);
  await mkdir(path.join(slice, 'cgroup.kill'));
  await killProcessesIn(slice);
  expect((await ended)[1]).toBe('SIGKILL');
});

test('an empty group needs no kill', async () => {
  const slice = await group();
  expect(await killProcessesIn(slice)).toEqual([]);
  await expect(readFile(path.join(slice, 'cgroup.kill'))).rejects.toThrow();
});

test('when a process was started is read past a name that holds anything', () => {
  const rest = Array.from({ length: 18 }, (_, index) => String(index)).join(' ');
  expect(parseProcessStat(`7 (a) b (c) D ${rest} 4711 0 0\n`)).toEqual({ state: 'D', startTicks: '4711' });
  expect(parseProcessStat('')).toEqual({ state: '', startTicks: '' });
});
