/** The checker of virtual machines against QEMU itself. No guest is downloaded: each is 512 bytes. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChecker, type Checker } from '../../agent/checkers/index.ts';
import type { Finding } from '../../agent/contract/index.ts';

const qemu = 'qemu-system-x86_64';
const isMissing = spawnSync(qemu, ['--version']).error !== undefined;

let directory = '';
let machine: ChildProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-machine-'));
});
afterEach(async () => {
  machine?.kill('SIGKILL');
  machine = undefined;
  await rm(directory, { recursive: true });
});

/** Instructions of 16 bits at the place where a disk begins. */
function bootSector(...code: readonly number[]): Uint8Array {
  const sector = new Uint8Array(512);
  sector.set(code);
  sector.set([0x55, 0xaa], 510);
  return sector;
}
/** cli; hlt: nothing wakes it any more. */
const hangs = bootSector(0xfa, 0xf4, 0xeb, 0xfc);
/** sti; hlt; again: its clock wakes it eighteen times a second, as a system that has nothing to do. */
const idles = bootSector(0xfb, 0xf4, 0xeb, 0xfd);

async function start(guest: Uint8Array): Promise<Checker> {
  await writeFile(path.join(directory, 'disk'), guest);
  const socket = (name: string): string => `${directory}/${name},server=on,wait=off`;
  machine = spawn(
    qemu,
    [
      ...['-machine', 'pc', '-accel', 'tcg', '-m', '16', '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-drive', `file=${directory}/disk,format=raw,if=ide`, '-qmp', `unix:${socket('qmp')}`],
      ...['-chardev', `socket,id=ga,path=${socket('qga')}`, '-device', 'virtio-serial'],
      ...['-device', 'virtserialport,chardev=ga,name=org.qemu.guest_agent.0'],
    ],
    { stdio: 'ignore' },
  );
  await expect.poll(() => existsSync(`${directory}/qga`)).toBe(true);
  return checkerOf('qga');
}

function checkerOf(agent: string | null): Checker {
  const guestAgent = agent === null ? null : `${directory}/${agent}`;
  const probe = { kind: 'vm', domain: null, monitor: `${directory}/qmp`, guestAgent } as const;
  return createChecker(probe, { moduleRuns: () => null });
}
const look = (checker: Checker): Promise<Finding> => checker.look(AbortSignal.timeout(20_000));

/** A person at the monitor. */
async function order(...commands: readonly string[]): Promise<void> {
  const socket = net.connect(`${directory}/qmp`);
  const replies = commands.length + 1;
  let returned = 0;
  socket.setEncoding('utf8');
  socket.write(['qmp_capabilities', ...commands].map((execute) => `${JSON.stringify({ execute })}\n`).join(''));
  for await (const text of socket as AsyncIterable<string>) {
    returned += text.split('"return"').length - 1;
    if (returned >= replies) break;
  }
  socket.destroy();
}

describe('QEMU', () => {
  beforeEach((context) => {
    if (isMissing) context.skip(`${qemu} is not installed (Debian: qemu-system-x86)`);
  });

  test('a guest that is stopped and goes on; one whose QEMU ends', async () => {
    const checker = await start(idles);
    await expect.poll(async () => (await look(checker)).code).toBe('good');
    await order('stop');
    expect(await look(checker)).toEqual({ code: 'not-running', found: 'paused' });
    await order('cont');
    expect(await look(checker)).toMatchObject({ code: 'good' });
    machine?.kill('SIGKILL');
    await expect.poll(async () => (await look(checker)).code).toBe('not-running');
  });

  test('a guest that has nothing to do is good in every look, and one that has stopped for ever is found', async () => {
    const checker = await start(idles);
    const codes = new Set<string>();
    const beganMs = performance.now();
    await expect
      .poll(
        async () => {
          codes.add((await look(checker)).code);
          return performance.now() - beganMs;
        },
        { interval: 2500, timeout: 30_000 },
      )
      .toBeGreaterThan(9000);
    expect([...codes]).toEqual(['good']);
    machine?.kill('SIGKILL');
    await rm(`${directory}/qga`);
    const other = await start(hangs);
    await expect.poll(async () => (await look(other)).code, { interval: 2500, timeout: 60_000 }).toBe('guest-hung');
  });
});
