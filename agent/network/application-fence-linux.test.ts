import { expect, test } from 'vitest';
import { applicationRules } from './application-ruleset.ts';
import type { CommandRunner } from './command-runner.ts';
import { linuxFence } from './fence-linux.ts';

const acknowledgement = Buffer.alloc(36);
acknowledgement.writeUInt32LE(36, 0);
acknowledgement.writeUInt16LE(2, 4);
const getGeneration = 0xa10;

/** nft and netlink of a kernel that fails where the test says so. */
class Kernel {
  readonly programs: string[] = [];
  transactions = 0;
  generation = 1;
  failProgram: (text: string) => boolean = () => false;
  refuses = false;

  readonly run: CommandRunner = async (argv, options) => {
    const text = options?.stdin ?? argv.slice(1).join(' ');
    const about = `${text.includes('delete table') ? 'delete' : text.includes('list') ? 'list' : 'make'} ${text.includes('applications') ? 'applications' : 'addresses'}`;
    this.programs.push(about);
    if (this.failProgram(about)) return { code: 1, stdout: '', stderr: 'Resource temporarily unavailable' };
    if (!about.startsWith('list')) this.generation++;
    return { code: 0, stdout: ' @managed x @leased drop\n'.repeat(applicationRules), stderr: '' };
  };

  readonly exchange = (request: Buffer): Buffer[] => {
    if (request.readUInt16LE(4) === getGeneration) {
      const answer = Buffer.alloc(28);
      answer.writeUInt32LE(28, 0);
      answer.writeUInt16LE(0xa0f, 4);
      answer.writeUInt16LE(8, 20);
      answer.writeUInt16LE(1, 22);
      answer.writeUInt32BE(this.generation, 24);
      return [answer];
    }
    this.transactions++;
    if (this.refuses) return [];
    this.generation++;
    this.take(request);
    return [acknowledgement];
  };
  private readonly sets = { managed: new Set<bigint>(), leased: new Set<bigint>() };

  /** Takes each message of a transaction as the kernel does. */
  private take(transaction: Buffer): void {
    for (let at = 0; at < transaction.length; at += (transaction.readUInt32LE(at) + 3) & ~3) {
      const type = transaction.readUInt16LE(at + 4);
      if (type !== 0xa0c && type !== 0xa0e) continue;
      const message = transaction.subarray(at, at + transaction.readUInt32LE(at));
      const set = this.sets[message.includes('managed') ? 'managed' : 'leased'];
      // Attributes: the table, the set, the element; its key is eight bytes after five headers.
      const tableEnd = 20 + ((message.readUInt16LE(20) + 3) & ~3);
      const setEnd = tableEnd + ((message.readUInt16LE(tableEnd) + 3) & ~3);
      if (setEnd >= message.length) set.clear();
      else if (type === 0xa0c) set.add(message.readBigUInt64LE(setEnd + 16));
      else set.delete(message.readBigUInt64LE(setEnd + 16));
    }
  }
  guarded(group: bigint): 'free' | 'leased' | 'cut' {
    if (!this.sets.managed.has(group)) return 'free';
    return this.sets.leased.has(group) ? 'leased' : 'cut';
  }

  fence(obstacle: string | null = null) {
    return linuxFence(this.run, () => 1000, obstacle, this);
  }
}

test('guards of one turn are one transaction, and nothing is listed while nobody else changes the filter', async () => {
  const kernel = new Kernel();
  const fence = kernel.fence();
  await fence.manage([]);
  await fence.guard('a', [1n], 3000);
  await fence.check();
  kernel.programs.length = 0;
  kernel.transactions = 0;
  for (let tick = 0; tick < 3; tick++) {
    await Promise.all([fence.guard('a', [1n], 3000), fence.guard('b', [2n], 3000)]);
    expect(await fence.check()).toBe(false);
  }
  expect(kernel.transactions).toBe(3);
  expect(kernel.programs).toEqual([]);
});

test('what fails once is tried again, and does not hold up a lease', async () => {
  const kernel = new Kernel();
  const fence = kernel.fence();
  await fence.manage([]);
  kernel.refuses = true;
  kernel.failProgram = () => true;
  await fence.guard('a', [1n], 3000);
  await expect(fence.check()).rejects.toThrow('unavailable');
  kernel.refuses = false;
  kernel.failProgram = () => false;
  kernel.programs.length = 0;
  expect(await fence.check()).toBe(true);
  expect(kernel.programs).toEqual(['make applications']);
  expect(fence.guardObstacle()).toBeNull();
  kernel.transactions = 0;
  await fence.guard('a', [1n], 4000);
  expect(kernel.transactions).toBe(1);
  await fence.remove();
  expect(kernel.programs.at(-1)).toBe('delete applications');
});

test.each(['a kernel that refuses', 'a host without control groups'])(
  '%s keeps no guard of a former process',
  async (what) => {
    const kernel = new Kernel();
    const fence = kernel.fence(what === 'a host without control groups' ? what : null);
    kernel.failProgram = (about) => about === 'make applications';
    await fence.manage([]);
    expect(fence.guardObstacle()).not.toBeNull();
    expect(kernel.programs.at(-1)).toBe('delete applications');
    await fence.guard('a', [1n], 3000);
    await fence.settle();
    expect(kernel.transactions).toBe(0);
    kernel.programs.length = 0;
    await fence.remove();
    expect(kernel.programs).toContain('delete applications');
  },
);

test('a module that was released is released also when the kernel was busy at that instant', async () => {
  const kernel = new Kernel();
  const fence = kernel.fence();
  await fence.manage([]);
  await fence.guard('a', [1n], 3000);
  kernel.refuses = true;
  kernel.failProgram = () => true;
  await fence.guard('a', [], 0);
  await new Promise((resolve) => setImmediate(resolve));
  kernel.refuses = false;
  kernel.failProgram = () => false;
  kernel.transactions = 0;
  expect(await fence.check()).toBe(true);
  expect(kernel.transactions).toBe(1);
});

test('what is condemned is cut once, put back with everything else, and free again where it lives after all', async () => {
  const kernel = new Kernel();
  const fence = kernel.fence();
  await fence.manage([]);
  await fence.guard('a', [1n], 3000);
  kernel.transactions = 0;
  await fence.condemn('a');
  expect(kernel.transactions).toBe(1);
  await fence.settle();
  expect(kernel.guarded(1n)).toBe('cut');
  await fence.guard('a', [1n], 3000);
  await fence.settle();
  expect(kernel.guarded(1n)).toBe('leased');
});

test('a group that vanishes while it is cut off is not let go of; one that vanishes under the lease is', async () => {
  const kernel = new Kernel();
  const fence = kernel.fence();
  await fence.manage([]);
  await fence.guard('a', [1n], 3000);
  await fence.guard('a', [2n], 3000);
  expect([kernel.guarded(1n), kernel.guarded(2n)]).toEqual(['free', 'leased']);
  await fence.guard('a', [2n], 0);
  await fence.guard('a', [3n], 0);
  expect([kernel.guarded(2n), kernel.guarded(3n)]).toEqual(['cut', 'cut']);
  await fence.guard('a', [], 0);
  expect([kernel.guarded(2n), kernel.guarded(3n)]).toEqual(['free', 'free']);
});
