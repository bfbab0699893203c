import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import type { Transport } from '../ssh/index.ts';
import { withInstallLock, type LockedNode, type LockPlace } from './lock.ts';

let directory = '';
let place: LockPlace;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-lock-'));
  place = { directory: path.join(directory, 'lock'), silenceSecondsMax: 15 };
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A server: this machine's shell. */
function node(name: string): LockedNode {
  const connect: Transport['connect'] = (script) => {
    const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    child.stdin.on('error', () => undefined);
    const stream = Duplex.from({
      readable: child.stdout as NodeJS.ReadableStream,
      writable: child.stdin as NodeJS.WritableStream,
    } as never);
    return Promise.resolve(stream);
  };
  return { name, transport: { connect, host: name } as Transport };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: unknown) => Fault.from(error).code,
  );
}

/** Somebody else, who took it and then says nothing any more, or goes on saying. */
function takenBySomebody(alive: boolean): void {
  mkdirSync(place.directory);
  writeFileSync(path.join(place.directory, 'owner'), 'token\npat@laptop\n2026-01-01T10:00:00.000Z\n');
  writeFileSync(path.join(place.directory, 'sign'), '7\n');
  if (!alive) return;
  const beat = `i=8; while [ -d ${place.directory} ]; do echo $i > ${place.directory}/sign; i=$((i+1)); sleep 0.3; done`;
  children.push(spawn('/bin/sh', ['-c', beat], { stdio: 'ignore' }));
}

describe('the lock of an installation', { timeout: 60_000 }, () => {
  it('is there while it runs, and gone after it, however it ended', async () => {
    await withInstallLock([node('n1')], undefined, async () => expect(existsSync(place.directory)).toBe(true), place);
    expect(readdirSync(directory)).toEqual([]);
    const failing = withInstallLock(
      [node('n1')],
      undefined,
      () => Promise.reject(new Fault('x', { message: 'x' })),
      place,
    );
    expect(await codeOf(failing)).toBe('x');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says who has it', async () => {
    takenBySomebody(true);
    const refused = withInstallLock([node('n1')], undefined, () => Promise.resolve(), place);
    await expect(refused).rejects.toMatchObject({
      code: 'installation-running-elsewhere',
      details: { node: 'n1', who: 'pat@laptop', since: '2026-01-01T10:00:00.000Z' },
    });
    expect(existsSync(place.directory)).toBe(true);
  });

  it('is had by one of two who begin at once', async () => {
    const gate = Promise.withResolvers<undefined>();
    let inside = 0;
    const all = [1, 2, 3].map(() =>
      codeOf(
        withInstallLock(
          [node('n1')],
          undefined,
          async () => {
            inside += 1;
            await gate.promise;
          },
          place,
        ),
      ),
    );
    const refused = await Promise.any([
      Promise.all([all[0]!, all[1]!]),
      Promise.all([all[0]!, all[2]!]),
      Promise.all([all[1]!, all[2]!]),
    ]);
    expect(refused).toEqual(['installation-running-elsewhere', 'installation-running-elsewhere']);
    expect(inside).toBe(1);
    gate.resolve(undefined);
    expect((await Promise.all(all)).sort()).toEqual([
      'done',
      'installation-running-elsewhere',
      'installation-running-elsewhere',
    ]);
  });

  it('of somebody who is not heard of any more is taken over', async () => {
    takenBySomebody(false);
    const impatient = { ...place, silenceSecondsMax: 2 };
    expect(await codeOf(withInstallLock([node('n1')], undefined, () => Promise.resolve(), impatient))).toBe('done');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('ends what runs when it is lost', async () => {
    const running = withInstallLock(
      [node('n1')],
      undefined,
      async (signal) => {
        rmSync(place.directory, { recursive: true });
        mkdirSync(place.directory);
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
      place,
    );
    expect(await codeOf(running)).toBe('connection-lost');
    // It is another's now.
    expect(existsSync(place.directory)).toBe(true);
  });

  it('is no obstacle where the same server stands twice: the checks say that better', async () => {
    expect(await codeOf(withInstallLock([node('a'), node('b')], undefined, () => Promise.resolve(), place))).toBe(
      'done',
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is no obstacle where it cannot be made: the checks say why', async () => {
    const nowhere = { ...place, directory: '/proc/lock' };
    expect(await codeOf(withInstallLock([node('n1')], undefined, () => Promise.resolve(), nowhere))).toBe('done');
  });
});
