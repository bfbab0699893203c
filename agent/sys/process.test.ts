/** A thrown error ends the whole process at once, although a worker sits in read(2) of a pipe that nobody writes to. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootTimeMs, notifySystemd } from './process.ts';

const linux = JSON.stringify(new URL('linux.ts', import.meta.url).href);

const program = `
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { installDeath, makeEvent, Memory, read } from ${linux};
installDeath(isMainThread ? 'main' : workerData.role);
const where = process.argv[2];
if (isMainThread) {
  const event = makeEvent(0);
  const start = (role) => new Worker(new URL(import.meta.url), { workerData: { role, event, where }, argv: [where] });
  const blocked = start('blocked');
  blocked.once('message', () => {
    if (where === 'main') setTimeout(() => { throw new Error('in main'); }, 50);
    if (where === 'main-promise') void Promise.reject(new Error('in main'));
    if (where === 'main-exit') process.exit(5);
    if (where.startsWith('worker')) start('thrower');
  });
  setInterval(() => undefined, 1000);
} else if (workerData.role === 'blocked') {
  parentPort.postMessage('about to block');
  const memory = new Memory(8);
  read(workerData.event, memory.address(), 8);
} else if (workerData.where === 'worker-promise') {
  await Promise.reject(new Error('in worker'));
} else {
  throw new Error('in worker');
}
`;

describe('dying', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-dying-'));
    writeFileSync(join(directory, 'program.ts'), program);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['main', 70, 'in main'],
    ['main-promise', 70, 'in main'],
    ['main-exit', 5, ''],
    ['worker', 70, 'in worker'],
    ['worker-promise', 70, 'in worker'],
  ])(
    'an error in %s ends the process while another worker is blocked in read(2)',
    async (where, code, message) => {
      const script = pathToFileURL(join(directory, 'program.ts')).pathname;
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, where]);
      let errors = '';
      child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
      const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const result = await new Promise((resolve) => child.once('close', (...ended) => resolve(ended)));
      clearTimeout(killer);
      expect(result, errors).toEqual([code, null]);
      expect(errors).toContain(message);
    },
    30_000,
  );
});

describe('the clock', () => {
  it('runs forward in milliseconds', async () => {
    const before = bootTimeMs();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const passed = bootTimeMs() - before;
    expect(passed).toBeGreaterThan(25);
    expect(passed).toBeLessThan(5000);
  });
});

/** Node has no unix datagram sockets, so systemd's side is not played here: only that nobody listening is no error. */
describe('notifying systemd', () => {
  it('is silent without a socket', () => {
    expect(notifySystemd('READY=1', '')).toBe(0);
    expect(notifySystemd('READY=1', '/nonexistent/notify')).toBeLessThan(0);
  });
});
