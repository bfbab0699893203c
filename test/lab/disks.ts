/**
 * Each host has two disks, loop images with ext4: one behind its root (overlay upper) and one as /data. A power cut
 * shuts both file systems down without flushing, so that what was not synced is gone, as on real hardware.
 */
import { existsSync, mkdirSync, openSync, ftruncateSync, closeSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { renameSync, statSync } from 'node:fs';
import path from 'node:path';
import type { HostPlaces } from './description.ts';
import { must, nodeCommand, run, until } from './process.ts';

/** Sparse: it bounds what a host can write below `/`, it does not take the space. */
export const diskBytesMax = 8 * 1024 ** 3;

async function makeImage(file: string, bytes: number): Promise<void> {
  const descriptor = openSync(file, 'w');
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
  // The file is all zeros: writing tables and journal once more would only take time and space.
  await must(['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', file]);
}

export async function makeDisks(places: HostPlaces, dataBytesMax: number): Promise<void> {
  for (const directory of [places.disk, places.data, places.root, places.journal]) {
    mkdirSync(directory, { recursive: true });
  }
  await Promise.all([makeImage(places.diskImage, diskBytesMax), makeImage(places.dataImage, dataBytesMax)]);
}

/** Mounting replays the journal, as a server does after its power came back. */
export async function mountDisks(places: HostPlaces, lower: readonly string[]): Promise<void> {
  await Promise.all([
    must(['mount', '-o', 'loop,noinit_itable', places.diskImage, places.disk]),
    must(['mount', '-o', 'loop,noinit_itable', places.dataImage, places.data]),
  ]);
  const [upper, scratch] = [path.join(places.disk, 'upper'), path.join(places.disk, 'work')];
  for (const directory of [upper, scratch]) mkdirSync(directory, { recursive: true });
  const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${scratch}`;
  await must(['mount', '-t', 'overlay', 'overlay', '-o', options, places.root]);
}

/** Mount points at or below a folder, deepest first. */
export function mountPointsBelow(directory: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const points = lines.map((line) => (line.split(' ')[4] ?? '').replace(/\\040/g, ' '));
  return points.filter((point) => point === directory || point.startsWith(`${directory}/`)).reverse();
}

/** Loop devices whose image is, or was, below a folder. */
export function loopDevicesBelow(directory: string): { device: string; image: string }[] {
  const found: { device: string; image: string }[] = [];
  for (const name of readdirSync('/sys/block')) {
    const file = `/sys/block/${name}/loop/backing_file`;
    if (!name.startsWith('loop') || !existsSync(file)) continue;
    try {
      const image = readFileSync(file, 'utf8').trim();
      if (image.startsWith(`${directory}/`)) found.push({ device: `/dev/${name}`, image });
    } catch {
      // Detached between the two calls.
    }
  }
  return found;
}

/** Loses everything that the two file systems have not made durable. Both must still be mounted. */
export async function losePower(places: HostPlaces): Promise<void> {
  const mounted = [places.data, places.disk].filter((point) => mountPointsBelow(point).includes(point));
  if (mounted.length > 0) await must(nodeCommand('shutdown-filesystem.ts', ...mounted));
}

/** Every request of the disk behind `/data` fails from now on, until the host's next power cut. */
export async function failDataDisk(places: HostPlaces): Promise<void> {
  await must(nodeCommand('shutdown-filesystem.ts', places.data));
}

export async function unmountDisks(places: HostPlaces): Promise<void> {
  for (const point of [places.root, places.disk, places.data]) {
    for (const mounted of mountPointsBelow(point)) await must(['umount', '-l', mounted]);
  }
  const gone = await until('the host’s file systems are gone', 2000, () => loopDevicesBelow(places.dir).length === 0)
    .then(() => true)
    .catch(() => false);
  if (!gone) await replaceHeldImages(places);
}

/**
 * Somebody else's mount namespace still holds the old file systems. Mounting the same image beside them would make
 * two file systems of one disk, so the host goes on with a copy, which is what the disk held at the power cut.
 */
async function replaceHeldImages(places: HostPlaces): Promise<void> {
  for (const image of [places.diskImage, places.dataImage]) {
    const loops = loopDevicesBelow(places.dir).filter((loop) => loop.image.startsWith(image));
    if (loops.length === 0) continue;
    const copy = `${image}.copy`;
    await copyImage(image, copy);
    rmSync(image);
    renameSync(copy, image);
  }
}

/** For leftovers: nothing of the folder stays mounted or attached. */
export async function releaseAll(directory: string): Promise<void> {
  for (const point of mountPointsBelow(directory)) await run(['umount', '-l', point]);
  for (const { device } of loopDevicesBelow(directory)) await run(['losetup', '-d', device]);
}

/** A new disk behind `/data`, with nothing on it; only while the host is off. */
export async function replaceDataDisk(places: HostPlaces): Promise<void> {
  const { size } = statSync(places.dataImage);
  rmSync(places.dataImage);
  await makeImage(places.dataImage, size);
}

const imageTaken = (image: string): string => `${image}.taken`;

/** What both disks hold now, as a snapshot of a running server has them. */
export async function takeImages(places: HostPlaces): Promise<void> {
  const frozen: string[] = [];
  try {
    for (const point of [places.data, places.disk]) {
      await must(['fsfreeze', '--freeze', point]);
      frozen.push(point);
    }
    for (const image of [places.dataImage, places.diskImage]) await copyImage(image, imageTaken(image));
  } finally {
    for (const point of frozen.reverse()) await must(['fsfreeze', '--unfreeze', point]);
  }
}

/** Only while the host is off. */
export async function restoreImages(places: HostPlaces): Promise<void> {
  for (const image of [places.dataImage, places.diskImage]) await copyImage(imageTaken(image), image);
}

async function copyImage(from: string, to: string): Promise<void> {
  await must(['cp', '--sparse=always', '--reflink=auto', from, to]);
}
