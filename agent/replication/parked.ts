/**
 * What a resync by marks has parked in `.holdfast/limbo` waits there, under its id, for the place that the source has moved it to. Where the source never comes back and a person
 * orders that this copy is used, nobody will come to fetch it: it is put where people find it. Its name is not known any more.
 */
import { readdirSync } from 'node:fs';
import { checked, close, descriptorPath, E, makeDirectoryAt, O, openAt, RENAME, renameAt, sync } from '../sys/linux.ts';

const recoveredName = 'recovered-by-holdfast';
const directoryFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;

/** @param directoryFd the replicated directory below its mount, which people know as `path`. Throws SystemError. */
export function bringBackParked(directoryFd: number, path: string): void {
  const limbo = openAt(directoryFd, Buffer.from('.holdfast/limbo'), directoryFlags);
  if (limbo === -E.NOENT) return;
  checked(limbo, 'open', '.holdfast/limbo');
  const opened = [limbo];
  try {
    const parked = readdirSync(descriptorPath(limbo), { encoding: 'buffer' });
    if (parked.length === 0) return;
    const name = Buffer.from(recoveredName);
    const made = makeDirectoryAt(directoryFd, name, 0o700);
    if (made !== -E.EXIST) checked(made, 'mkdir', recoveredName);
    const target = checked(openAt(directoryFd, name, directoryFlags), 'open', recoveredName);
    opened.push(target);
    for (const id of parked) place(limbo, id, target);
    for (const fd of [target, limbo, directoryFd]) checked(sync(fd, false), 'fsync', recoveredName);
    process.stderr.write(
      `${path}: a resync had not come to an end; ${String(parked.length)} files and directories that it was about to move are in ${path}/${recoveredName}.\n`,
    );
  } finally {
    for (const fd of opened) close(fd);
  }
}

/** Ids are given anew by every resync: of an earlier one something of the same name may stand there. */
function place(limbo: number, id: Buffer, target: number): void {
  for (let turn = 1; ; turn += 1) {
    const name = turn === 1 ? id : Buffer.from(`${id.toString('latin1')}-${String(turn)}`, 'latin1');
    const status = renameAt(limbo, id, target, name, RENAME.NOREPLACE);
    if (status === -E.EXIST) continue;
    checked(status, 'rename', id.toString('latin1'));
    return;
  }
}
