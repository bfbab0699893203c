import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Attributes,
  changeTimes,
  checked,
  clearEvent,
  close,
  E,
  errorName,
  handleOf,
  makeDirectoryAt,
  makeEvent,
  groupsOf,
  Memory,
  O,
  openAt,
  parseGroups,
  openPath,
  Poll,
  readAt,
  readLinkAt,
  RENAME,
  renameAt,
  signalEvent,
  statAt,
  statOf,
  symbolicLinkAt,
  SystemError,
  truncate,
  unlinkAt,
  writeAt,
} from './linux.ts';

describe('calls on a directory', () => {
  let path: string;
  let directory: number;
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'holdfast-sys-'));
    directory = checked(openPath(path, O.RDONLY | O.DIRECTORY), 'open');
  });
  afterAll(() => {
    close(directory);
    rmSync(path, { recursive: true });
  });
  const notText = Buffer.from([0xff, 0x0a, 0xfe]);
  const attributes = new Attributes();

  it('takes any bytes as a name and gives errors as -errno', () => {
    const fd = openAt(directory, notText, O.RDWR | O.CREAT | O.EXCL, 0o640);
    expect(fd).toBeGreaterThan(0);
    expect(openAt(directory, notText, O.RDWR | O.CREAT | O.EXCL, 0o640)).toBe(-E.EXIST);
    expect(openAt(directory, Buffer.alloc(5000, 0x61), O.RDONLY)).toBe(-E.NAMETOOLONG);
    expect(statAt(directory, Buffer.from('absent'), attributes)).toBe(-E.NOENT);
    expect(unlinkAt(directory, notText)).toBe(0);
    close(fd);
  });

  it('writes and reads at offsets beyond 4 GiB', () => {
    const fd = checked(openAt(directory, Buffer.from('large'), O.RDWR | O.CREAT, 0o600), 'open');
    const memory = Memory.copyOf(Buffer.from('over there'));
    const offset = 5 * 2 ** 30;
    expect(writeAt(fd, memory.address(), 10, offset)).toBe(10);
    memory.bytes.fill(0);
    expect(readAt(fd, memory.address(), 100, offset + 5)).toBe(5);
    expect(memory.bytes.toString('latin1', 0, 5)).toBe('there');
    expect(statOf(fd, attributes)).toBe(0);
    expect(attributes.size).toBe(offset + 10);
    expect(truncate(fd, 0)).toBe(0);
    close(fd);
  });

  it('sets times to the nanosecond, also before 1970 and of a symbolic link', () => {
    expect(symbolicLinkAt(Buffer.from('target'), directory, Buffer.from('link'))).toBe(0);
    const fd = openAt(directory, Buffer.from('link'), O.PATH | O.NOFOLLOW);
    const modified = { seconds: -12345, nanoseconds: 987654321 };
    expect(changeTimes(fd, null, modified)).toBe(0);
    expect(statOf(fd, attributes)).toBe(0);
    expect(attributes.modified).toEqual(modified);
    expect(readLinkAt(fd, Buffer.alloc(0))).toEqual(Buffer.from('target'));
    close(fd);
  });

  it('exchanges names, and a file keeps its handle', () => {
    for (const name of ['one', 'two']) makeDirectoryAt(directory, Buffer.from(name), 0o755);
    const before = handleOf(directory, Buffer.from('one'));
    expect(renameAt(directory, Buffer.from('one'), directory, Buffer.from('two'), RENAME.NOREPLACE)).toBe(-E.EXIST);
    expect(renameAt(directory, Buffer.from('one'), directory, Buffer.from('two'), RENAME.EXCHANGE)).toBe(0);
    // A machine whose temporary directory has no handles (overlay) answers an errno both times.
    expect(handleOf(directory, Buffer.from('two'))).toEqual(before);
  });
});

describe('memory', () => {
  it('gives no address outside of itself', () => {
    const memory = new Memory(10);
    expect(memory.length).toBe(4096);
    expect(memory.address(4096) - memory.address()).toBe(4096n);
    expect(() => memory.address(4097)).toThrow(RangeError);
    expect(() => memory.address(-1)).toThrow(RangeError);
  });
});

describe('events and waiting', () => {
  it('sees a signalled event and clears it', () => {
    const event = makeEvent();
    const poll = new Poll([event]);
    expect(poll.wait(0)).toBe(0);
    signalEvent(event);
    expect(poll.wait(1000)).toBe(1);
    expect(poll.ready(0) & 1).toBe(1);
    expect([clearEvent(event), clearEvent(event)]).toEqual([true, false]);
    close(event);
  });
});

describe('groups of a process', () => {
  it('are read from its status', () => {
    expect(parseGroups('Name:\tx\nGid:\t5\t5\t5\t5\nGroups:\t4 24 1000 \nNStgid:\t1\n')).toEqual([4, 24, 1000]);
    expect(parseGroups('Groups:\t \n')).toEqual([]);
    expect(parseGroups('')).toEqual([]);
    // Node adds the effective group to what the kernel says.
    expect(process.getgroups?.()).toEqual(expect.arrayContaining(groupsOf(process.pid)));
    expect(groupsOf(0)).toEqual([]);
  });
});

describe('errors', () => {
  it('have their names', () => {
    expect([errorName(-2), errorName(5), errorName(12345)]).toEqual(['ENOENT', 'EIO', 'errno 12345']);
    expect(() => checked(-E.NOENT, 'open', '/x')).toThrow(SystemError);
    expect(checked(7, 'open')).toBe(7);
  });
});
