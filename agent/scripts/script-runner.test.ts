import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApplicationGroups } from './application-groups.ts';
import type { ScriptOrder } from './script-runner.ts';
import { sliceOf } from './module-cgroup.ts';
import { linuxScriptRunner, scriptCommand } from './script-runner.ts';

let directory: string;
let wallMs = 0;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-scripts-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const order = (command: string, change: Partial<ScriptOrder> = {}): ScriptOrder => ({
  module: 'db',
  script: 'start',
  command,
  timeoutMs: 5000,
  environment: { HOLDFAST_MODULE: 'db' },
  ...change,
});
const runner = () =>
  linuxScriptRunner({
    directory,
    wallMs: () => wallMs++,
    systemdRun: false,
    groups: new ApplicationGroups({ run: async () => '', hierarchy: null, formerHierarchy: '/nowhere' }),
  });
const never = new AbortController().signal;

async function outputs(): Promise<string[]> {
  const names = await readdir(path.join(directory, 'db'));
  return await Promise.all(names.sort().map((name) => readFile(path.join(directory, 'db', name), 'utf8')));
}

describe('a script', () => {
  test('runs with its surroundings, and both of its outputs are kept', async () => {
    await runner().run(order('echo module $HOLDFAST_MODULE; echo trouble >&2; pwd'), never);
    expect(await outputs()).toEqual(['module db\ntrouble\n/\n']);
  });

  test('that fails says how, and where its output is', async () => {
    await expect(runner().run(order('echo no space left; exit 3'), never)).rejects.toMatchObject({
      code: 'script-failed',
      message: 'The start script of db failed with exit 3: no space left',
      details: { exitCode: 3, script: 'start' },
    });
  });

  test('that takes too long is ended with everything it started', async () => {
    const marker = `hf-sleep-${process.pid}`;
    await expect(
      runner().run(order(`sh -c 'sleep 60; : ${marker}' & sleep 60`, { timeoutMs: 200 }), never),
    ).rejects.toMatchObject({ code: 'script-timed-out' });
    await vi.waitFor(async () => {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
        expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).not.toContain(marker);
    });
  });

  test('that leaves a daemon behind does not keep us waiting for its output', async () => {
    const file = path.join(directory, 'pid');
    await runner().run(order(`sleep 60 & echo $! > ${file}`), never);
    const pid = Number(await readFile(file, 'utf8'));
    expect(process.kill(pid, 0)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  test('is given up at once when something more urgent comes', async () => {
    const controller = new AbortController();
    const running = runner().run(order('sleep 60'), controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
  });

  test('that floods its output fills no disk: how it began and how it ended is kept', async () => {
    await expect(
      runner().run(order('echo began; yes flood | head -c 60000000; echo ended; exit 3', { timeoutMs: 30_000 }), never),
    ).rejects.toMatchObject({ code: 'script-failed', message: expect.stringMatching(/: ended$/) as string });
    const [text = ''] = await outputs();
    expect(text.length).toBeLessThan(1024 * 1024 + 1);
    expect(text).toMatch(/^began\n/);
    expect(text).toMatch(/\[… \d+ bytes …\]/);
    expect(text).toMatch(/\nended\n$/);
  });

  test('twenty runs are kept', async () => {
    const scripts = runner();
    for (let run = 0; run < 23; run++) await scripts.run(order(`echo ${run}`), never);
    expect(await outputs()).toEqual(Array.from({ length: 20 }, (_, index) => `${index + 3}\n`));
  });
});

test('on a systemd host a start script gets a scope of its own, a stop script does not', () => {
  expect(scriptCommand(order('x'), true)).toContain('--slice=holdfast-db.slice');
  expect(scriptCommand(order('x', { script: 'stop' }), true)).toEqual(['/bin/sh', '-c', 'x']);
  expect(scriptCommand(order('x'), false)).toEqual(['/bin/sh', '-c', 'x']);
  expect(sliceOf('a-b')).toBe('holdfast-a\\x2db.slice');
});
