/** A whole directory as text: names, types, modes, owners, links, sizes, contents, extended attributes. Two equal trees give equal text. */
import { createHash } from 'node:crypto';
import {
  Attributes,
  close,
  fileType,
  getXattr,
  listXattrs,
  Memory,
  O,
  openAt,
  readAt,
  readDirectory,
  SEEK,
  seek,
  sync,
  readLinkAt,
  reopen,
  statOf,
} from '../../../agent/sys/linux.ts';

const block = new Memory(1 << 20);

function contentOf(fd: number): string {
  const readable = reopen(fd, O.RDONLY);
  const hash = createHash('sha256');
  for (let offset = 0; ;) {
    const count = readAt(readable, block.address(), block.length, offset);
    if (count < 0) return `read failed ${count}`;
    if (count === 0) break;
    hash.update(block.bytes.subarray(0, count));
    offset += count;
  }
  close(readable);
  return hash.digest('hex').slice(0, 16);
}

/** Where its data is. Written out first: what is only allocated counts as a hole, what waits in memory as data. */
function extentsOf(fd: number): string {
  const readable = reopen(fd, O.RDONLY);
  sync(readable, false);
  const extents: string[] = [];
  for (let data = seek(readable, 0, SEEK.DATA); data >= 0;) {
    const end = seek(readable, data, SEEK.HOLE);
    extents.push(`${data}-${end}`);
    data = seek(readable, end, SEEK.DATA);
  }
  close(readable);
  return `[${extents.join(' ')}]`;
}

/** Names of a directory, sorted by bytes. */
export function namesIn(fd: number): Buffer[] {
  const readable = reopen(fd, O.RDONLY | O.DIRECTORY);
  const buffer = new Memory(65536);
  const names: Buffer[] = [];
  for (;;) {
    const count = readDirectory(readable, buffer);
    if (count <= 0) break;
    for (let at = 0; at < count; at += buffer.bytes.readUInt16LE(at + 16)) {
      const name = Buffer.from(buffer.bytes.subarray(at + 19, buffer.bytes.indexOf(0, at + 19)));
      if (!['.', '..'].includes(name.toString('latin1'))) names.push(name);
    }
  }
  close(readable);
  return names.sort((a, b) => a.compare(b));
}

function xattrsOf(fd: number): string {
  const list = listXattrs(fd);
  if (typeof list === 'number') return `listxattr ${list}`;
  return list
    .toString('latin1')
    .split('\0')
    .filter((name) => name !== '')
    .sort()
    .map((name) => {
      const value = getXattr(fd, Buffer.from(name, 'latin1'));
      return `${name}=${typeof value === 'number' ? value : createHash('sha256').update(value).digest('hex').slice(0, 8)}`;
    })
    .join(',');
}

export interface TreeOptions {
  readonly times?: boolean;
  /** Which parts of files are data. */
  readonly holes?: boolean;
}

export function describeTree(path: string, options: TreeOptions = {}): string[] {
  const lines: string[] = [];
  const known = new Map<number, string>();
  const visit = (directory: number, name: Buffer, shown: string): void => {
    const fd = openAt(directory, name, O.PATH | O.NOFOLLOW);
    if (fd < 0) {
      lines.push(`${shown} cannot be opened: ${fd}`);
      return;
    }
    const attributes = new Attributes();
    statOf(fd, attributes);
    const type = attributes.mode & fileType.mask;
    const parts = [
      shown,
      attributes.mode.toString(8),
      attributes.uid,
      attributes.gid,
      attributes.links,
      attributes.rdev,
    ];
    if (options.times) parts.push(`${attributes.modified.seconds}.${attributes.modified.nanoseconds}`);
    const first = known.get(attributes.inode);
    if (type !== fileType.directory && first !== undefined) parts.push(`= ${first}`);
    known.set(attributes.inode, shown);
    if (type === fileType.file) parts.push(attributes.size, contentOf(fd));
    if (type === fileType.file && options.holes) parts.push(extentsOf(fd));
    if (type === fileType.link) parts.push(String(readLinkAt(fd, Buffer.alloc(0))));
    parts.push(xattrsOf(fd));
    lines.push(parts.join(' '));
    if (type === fileType.directory) {
      for (const child of namesIn(fd)) visit(fd, child, `${shown}/${child.toString('latin1')}`);
    }
    close(fd);
  };
  visit(-100, Buffer.from(path), '');
  return lines;
}
