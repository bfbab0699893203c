/**
 * Random sequences of system calls on two directories at once; what both answer must be the same. A sequence is a list of numbers, each of which
 * is one call with all its arguments, so that fast-check can leave out what a failure does not need.
 */
import fc from 'fast-check';
import { namesIn } from './tree.ts';
import {
  allocate,
  Attributes,
  descriptorPath,
  changeMode,
  changeOwner,
  changeTimes,
  close,
  currentDirectory,
  errorName,
  FALLOC,
  getXattr,
  linkAt,
  listXattrs,
  makeDirectoryAt,
  makeNodeAt,
  Memory,
  O,
  openAt,
  readAt,
  readLinkAt,
  removeXattr,
  renameAt,
  setXattr,
  syncFilesystem,
  statAt,
  statOf,
  symbolicLinkAt,
  sync,
  truncate,
  unlinkAt,
  AT,
  write,
  writeAt,
} from '../../../agent/sys/linux.ts';

/** Small and fast; the same sequence on every machine (mulberry32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Few names, so that operations meet; not UTF-8, longest, and with bytes that shells fear among them. */
const names: readonly Buffer[] = [
  Buffer.from('a'),
  Buffer.from('b'),
  Buffer.from('c'),
  Buffer.from([0xff, 0xfe, 0x0a, 0x80]),
  Buffer.alloc(255, 0x6c),
  Buffer.from(' space\\"\'$'),
];
const tooLong = Buffer.alloc(256, 0x6d);
const slash = Buffer.from('/');
const dataBytesMax = 70_000;

function randomPath(random: Random): Buffer {
  const depth = random.of([1, 1, 1, 2, 2, 3]);
  const parts: Buffer[] = [];
  for (let level = 0; level < depth; level += 1) parts.push(slash, random.of(names));
  if (random.below(200) === 0) parts.push(slash, tooLong);
  return Buffer.concat(parts);
}

type Answer = number | string;

/** Runs the same call on one side; `base` is the side's directory. */
type Operation = (side: Side) => Answer;

class Side {
  readonly base: Buffer;
  readonly slots: number[] = [-1, -1, -1, -1];
  readonly memory = new Memory(dataBytesMax);
  /** O_DIRECT wants memory and offsets in blocks. */
  readonly direct = new Memory(4 * 4096);
  readonly directStart = Number(-this.direct.address() & 4095n);
  constructor(base: string) {
    this.base = Buffer.from(base);
  }
  at(path: Buffer): Buffer {
    return Buffer.concat([this.base, path]);
  }
  closeAll(): void {
    this.slots.forEach((fd, index) => {
      if (fd >= 0) close(fd);
      this.slots[index] = -1;
    });
  }
}

const here = currentDirectory;

function describe(attributes: Attributes): string {
  const directory = (attributes.mode & 0o170000) === 0o040000;
  return [
    attributes.mode.toString(8),
    attributes.uid,
    attributes.gid,
    attributes.links,
    directory ? '-' : attributes.size,
    attributes.rdev,
  ].join(' ');
}

function onPath(side: Side, path: Buffer, act: (fd: number) => Answer): Answer {
  const fd = openAt(here, side.at(path), O.PATH | O.NOFOLLOW);
  if (fd < 0) return fd;
  const answer = act(fd);
  close(fd);
  return answer;
}

function digest(bytes: Buffer): string {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return `${bytes.length}:${(hash >>> 0).toString(16)}`;
}

const xattrNames = [
  'user.one',
  'user.two',
  'trusted.three',
  'security.four',
  'user.' + 'x'.repeat(250),
  'system.unknown',
].map((name) => Buffer.from(name));

const aclNames = ['system.posix_acl_access', 'system.posix_acl_default'].map((name) => Buffer.from(name));

/** struct posix_acl_xattr: version 2, then tag, permissions and id of each entry, in this order. */
function randomAcl(random: Random): Buffer {
  const any = 0xffffffff;
  const entries: [number, number, number][] = [[0x01, random.below(8), any]];
  const named = random.below(3);
  if (named > 0) entries.push([0x02, random.below(8), 1000 + random.below(2)]);
  entries.push([0x04, random.below(8), any]);
  if (named > 1) entries.push([0x08, random.below(8), 2000]);
  if (named > 0) entries.push([0x10, random.below(8), any]);
  entries.push([0x20, random.below(8), any]);
  const value = Buffer.alloc(4 + entries.length * 8);
  value.writeUInt32LE(2, 0);
  entries.forEach(([tag, permissions, id], index) => {
    value.writeUInt16LE(tag, 4 + index * 8);
    value.writeUInt16LE(permissions, 6 + index * 8);
    value.writeUInt32LE(id, 8 + index * 8);
  });
  return value;
}

/** One operation, with a name for the log. */
function randomOperation(random: Random): readonly [string, Operation] {
  const path = randomPath(random);
  const other = randomPath(random);
  const slot = random.below(3);
  const offset = random.of([0, 1, 4095, 4096, 10_000, 65_536, 200_000]);
  const length = random.of([0, 1, 100, 4096, 5000, dataBytesMax]);
  const fill = random.below(256);
  const bits = random.of([0o644, 0o755, 0o4755, 0o2755, 0o2644, 0o1777, 0o600, 0o000, 0o6777]);
  const fillData = (side: Side): void => {
    for (let index = 0; index < length; index += 1) side.memory.bytes[index] = (fill + index * 7) & 0xff;
  };
  const kinds: (readonly [string, Operation])[] = [
    ['mkdir', (side) => makeDirectoryAt(here, side.at(path), bits)],
    ['mkdir', (side) => makeDirectoryAt(here, side.at(path), 0o755)],
    ['rmdir', (side) => unlinkAt(here, side.at(path), AT.REMOVEDIR)],
    ['unlink', (side) => unlinkAt(here, side.at(path))],
    ['rename', (side) => renameAt(here, side.at(path), here, side.at(other), 0)],
    ['rename', (side) => renameAt(here, side.at(path), here, side.at(other), random_flags)],
    ['link', (side) => linkAt(here, side.at(path), here, side.at(other), 0)],
    ['symlink', (side) => symbolicLinkAt(other.subarray(1), here, side.at(path))],
    [
      'readlink',
      (side) => {
        const target = readLinkAt(here, side.at(path));
        return typeof target === 'number' ? target : target.toString('latin1');
      },
    ],
    ['mknod', (side) => makeNodeAt(here, side.at(path), random_type | (bits & 0o777), 0x0103)],
    [
      'create',
      (side) => {
        const fd = openAt(here, side.at(path), O.CREAT | O.RDWR | (slot === 0 ? O.EXCL : 0), bits);
        if (fd < 0) return fd;
        fillData(side);
        const count = writeAt(fd, side.memory.address(), length, offset);
        close(fd);
        return count;
      },
    ],
    [
      'open slot',
      (side) => {
        const previous = side.slots[slot]!;
        if (previous >= 0) close(previous);
        const fd = openAt(here, side.at(path), slotFlags | O.NONBLOCK, 0o640);
        side.slots[slot] = fd;
        return Math.min(fd, 0);
      },
    ],
    [
      'open unnamed',
      (side) => {
        const previous = side.slots[slot]!;
        if (previous >= 0) close(previous);
        const fd = openAt(here, side.at(slot === 0 ? Buffer.alloc(0) : path), O.TMPFILE | O.RDWR | exclusive, bits);
        side.slots[slot] = fd;
        return Math.min(fd, 0);
      },
    ],
    [
      'link slot',
      (side) => {
        const from = Buffer.from(descriptorPath(side.slots[slot]!));
        return linkAt(here, from, here, side.at(path), AT.SYMLINK_FOLLOW);
      },
    ],
    ['set acl', (side) => onPath(side, path, (fd) => setXattr(fd, aclName, acl, 0))],
    ['remove acl', (side) => onPath(side, path, (fd) => removeXattr(fd, aclName))],
    [
      'get acl',
      (side) =>
        onPath(side, path, (fd) => {
          const value = getXattr(fd, aclName);
          return typeof value === 'number' ? value : value.toString('hex');
        }),
    ],
    [
      'direct write',
      (side) => {
        const fd = openAt(here, side.at(path), O.RDWR | O.DIRECT | O.NONBLOCK);
        if (fd < 0) return fd;
        const count = 4096 * (1 + slot);
        side.direct.bytes.fill(fill, side.directStart, side.directStart + count);
        const written = writeAt(fd, side.direct.address(side.directStart), count, offset - (offset % 4096));
        close(fd);
        return written;
      },
    ],
    [
      'list',
      (side) => {
        const fd = openAt(here, side.at(path), O.PATH | O.DIRECTORY);
        if (fd < 0) return fd;
        const found = namesIn(fd).map((name) => name.toString('latin1'));
        close(fd);
        return found.join('|');
      },
    ],
    [
      'append',
      (side) => {
        const fd = openAt(here, side.at(path), O.WRONLY | O.APPEND | O.NONBLOCK);
        if (fd < 0) return fd;
        fillData(side);
        const count = write(fd, side.memory.address(), length);
        close(fd);
        return count;
      },
    ],
    [
      'write slot',
      (side) => {
        fillData(side);
        return writeAt(side.slots[slot]!, side.memory.address(), length, offset);
      },
    ],
    [
      'read slot',
      (side) => {
        const count = readAt(side.slots[slot]!, side.memory.address(), length, offset);
        return count < 0 ? count : digest(side.memory.bytes.subarray(0, count));
      },
    ],
    ['truncate slot', (side) => truncate(side.slots[slot]!, offset)],
    ['sync slot', (side) => sync(side.slots[slot]!, slot % 2 === 0)],
    [
      'stat slot',
      (side) => {
        const attributes = new Attributes();
        const status = statOf(side.slots[slot]!, attributes);
        return status < 0 ? status : describe(attributes);
      },
    ],
    ['allocate slot', (side) => allocate(side.slots[slot]!, allocateMode, offset, Math.max(1, length))],
    [
      'stat',
      (side) => {
        const attributes = new Attributes();
        const status = statAt(here, side.at(path), attributes);
        return status < 0 ? status : describe(attributes);
      },
    ],
    ['chmod', (side) => onPath(side, path, (fd) => changeMode(fd, bits))],
    ['chown', (side) => onPath(side, path, (fd) => changeOwner(fd, 1000 + slot, slot === 1 ? 0xffffffff : 2000))],
    [
      'utimens',
      (side) =>
        onPath(side, path, (fd) => {
          const status = changeTimes(fd, slot === 1 ? null : { seconds: offset - 5000, nanoseconds: 123_456_789 }, {
            seconds: 1_700_000_000 + length,
            nanoseconds: fill,
          });
          const attributes = new Attributes();
          if (status < 0 || statOf(fd, attributes) < 0) return status;
          const { accessed, modified } = attributes;
          return `${slot === 1 ? '' : `${accessed.seconds}.${accessed.nanoseconds}`} ${modified.seconds}.${modified.nanoseconds}`;
        }),
    ],
    [
      'setxattr',
      (side) =>
        onPath(side, path, (fd) => setXattr(fd, xattrName, Buffer.alloc(Math.min(length, 5000), fill), slot % 3)),
    ],
    ['removexattr', (side) => onPath(side, path, (fd) => removeXattr(fd, xattrName))],
    [
      'getxattr',
      (side) =>
        onPath(side, path, (fd) => {
          const value = getXattr(fd, xattrName);
          return typeof value === 'number' ? value : digest(value);
        }),
    ],
    [
      'listxattr',
      (side) =>
        onPath(side, path, (fd) => {
          const list = listXattrs(fd);
          return typeof list === 'number' ? list : list.toString('latin1').split('\0').sort().join(',');
        }),
    ],
  ];
  const random_flags = random.below(4);
  const random_type = random.of([0o010000, 0o020000, 0o060000, 0o140000, 0o100000]);
  const slotFlags =
    random.of([O.RDONLY, O.WRONLY, O.RDWR]) |
    random.of([0, O.CREAT, O.CREAT, O.TRUNC, O.CREAT | O.TRUNC, O.CREAT | O.DSYNC, O.DIRECTORY]);
  const allocateMode = random.of([
    0,
    FALLOC.KEEP_SIZE,
    FALLOC.KEEP_SIZE | FALLOC.PUNCH_HOLE,
    FALLOC.ZERO_RANGE,
    FALLOC.ZERO_RANGE | FALLOC.KEEP_SIZE,
  ]);
  const xattrName = random.of(xattrNames);
  const aclName = random.of(aclNames);
  const acl = randomAcl(random);
  const exclusive = random.below(4) === 0 ? O.EXCL : 0;
  // Most operations on a slot need an open file.
  const [kind, operation] = random.below(6) === 0 ? kinds.find(([name]) => name === 'open slot')! : random.of(kinds);
  const text = `${kind} ${path.toString('latin1')} ${other.toString('latin1')} slot=${slot} offset=${offset} length=${length}`;
  return [text, operation];
}

function answerText(answer: Answer): string {
  return typeof answer === 'number' && answer < 0 ? errorName(answer) : String(answer);
}

/** Sequences of at most `length` operations, about half as long on average; shrinks by leaving operations out. */
export function operationSequences(length: number): fc.Arbitrary<readonly number[]> {
  return fc.array(fc.noShrink(fc.nat()), { minLength: 1, maxLength: length, size: 'max' });
}

/** Runs one sequence on both directories; throws at the first difference, naming the last operations. */
export function compareOperations(
  served: string,
  plain: string,
  sequence: readonly number[],
  every: number,
  compareTrees: () => void,
): void {
  const [one, two] = [new Side(served), new Side(plain)];
  const log: string[] = [];
  const compare = (): void => {
    try {
      compareTrees();
    } catch (error) {
      throw new Error(`after\n${log.slice(-every).join('\n')}`, { cause: error });
    }
  };
  try {
    sequence.forEach((seed, step) => {
      const [text, operation] = randomOperation(new Random(seed));
      const answers = [operation(one), operation(two)].map(answerText);
      log.push(`${step}: ${text.replaceAll(/l{9,}/g, 'lll…')} → ${answers.join(' | ')}`);
      if (answers[0] !== answers[1]) throw new Error(`answers differ\n${log.slice(-12).join('\n')}`);
      if (step % every === every - 1) compare();
    });
    compare();
  } finally {
    one.closeAll();
    two.closeAll();
  }
}

/** Everything that the kernel keeps for the mount has reached whoever serves it, and its peer. */
export function settle(served: string): void {
  const fd = openAt(here, Buffer.from(served), O.RDONLY | O.DIRECTORY);
  const statuses = [syncFilesystem(fd), sync(fd, false)];
  close(fd);
  if (statuses.some((status) => status < 0)) throw new Error(`the mount cannot be synced: ${statuses.join(' ')}`);
}
