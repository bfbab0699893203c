/**
 * Files that are open and have no name (any more): a link of each stands in `.holdfast/orphans` under its id until the last one closes it, so that a successor of this
 * process finds it again. Nobody sees the link, and it is not counted as one. What a crash of the machine leaves there goes at the next mount.
 */
import { AT, close, E, linkAt, makeDirectoryAt, O, openAt, renameAt, RENAME, unlinkAt } from '../sys/linux.ts';
import { DirectoryStream } from './directory-stream.ts';

const holdfastName = Buffer.from('.holdfast');
const orphansName = Buffer.from('orphans');
const nothing = Buffer.alloc(0);

function nameOf(id: number): Buffer {
  return Buffer.from(String(id));
}

export class Orphans {
  readonly #rootFd: number;
  /** -1: not opened yet. */
  #fd = -1;

  constructor(rootFd: number) {
    this.#rootFd = rootFd;
  }

  /** -errno when there is no such directory and none can be made. */
  #directory(): number {
    if (this.#fd >= 0) return this.#fd;
    const parent = openAt(this.#rootFd, holdfastName, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (parent < 0) return parent;
    const made = makeDirectoryAt(parent, orphansName, 0o700);
    const fd = made < 0 && made !== -E.EXIST ? made : openAt(parent, orphansName, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    close(parent);
    this.#fd = Math.max(fd, -1);
    return fd;
  }

  /** The last name of an open file goes. */
  move(parentFd: number, name: Buffer, id: number): number {
    const fd = this.#directory();
    return fd < 0 ? fd : renameAt(parentFd, name, fd, nameOf(id));
  }

  /** The file gets a link here beside the name that it may have. */
  link(fileFd: number, id: number): number {
    const fd = this.#directory();
    if (fd < 0) return fd;
    const status = linkAt(fileFd, nothing, fd, nameOf(id), AT.EMPTY_PATH);
    if (status !== -E.EXIST) return status;
    // Left by somebody else, who had this id.
    unlinkAt(fd, nameOf(id));
    return linkAt(fileFd, nothing, fd, nameOf(id), AT.EMPTY_PATH);
  }

  /** It gets its first name. */
  give(id: number, parentFd: number, name: Buffer): number {
    const fd = this.#directory();
    return fd < 0 ? fd : renameAt(fd, nameOf(id), parentFd, name, RENAME.NOREPLACE);
  }

  remove(id: number): void {
    if (this.#fd >= 0 || this.#directory() >= 0) unlinkAt(this.#fd, nameOf(id));
  }

  /** O_PATH, or -errno. */
  open(id: number): number {
    const fd = this.#directory();
    return fd < 0 ? fd : openAt(fd, nameOf(id), O.PATH | O.NOFOLLOW);
  }

  /** The ids whose links stand there; what is none goes. */
  ids(): number[] {
    const parent = openAt(this.#rootFd, holdfastName, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (parent < 0) return [];
    const fd = openAt(parent, orphansName, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    close(parent);
    if (fd < 0) return [];
    const names: string[] = [];
    const stream = new DirectoryStream(fd);
    while (stream.peek() > 0) {
      if (!stream.isDot()) names.push(stream.name.toString());
      stream.advance();
    }
    const isId = (name: string): boolean => /^\d{1,16}$/.test(name);
    for (const name of names) if (!isId(name)) unlinkAt(fd, Buffer.from(name));
    close(fd);
    return names.filter(isId).map(Number);
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}

/** Nobody has any of them open: a crash of the machine, or of a role, has left them. */
export function removeOrphans(rootFd: number): void {
  const orphans = new Orphans(rootFd);
  for (const id of orphans.ids()) orphans.remove(id);
  orphans.close();
}
