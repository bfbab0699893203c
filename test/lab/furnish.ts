/** Everything that makes a host this host: written into its disks before it boots for the first time, or for the first time again. */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hostPlaces, placesOf, type HostDescription, type LabDescription } from './description.ts';
import { makeDisks, mountDisks, unmountDisks } from './disks.ts';
import { must } from './process.ts';
import { lowerDirectories } from './roots.ts';

export async function furnish(lab: LabDescription, { name, layers, dataBytesMax }: HostDescription): Promise<void> {
  const places = hostPlaces(lab.name, name);
  mkdirSync(places.dir, { recursive: true });
  await makeDisks(places, dataBytesMax);
  // Kept where the host is made anew: who knew it by this key still does.
  const key = path.join(places.dir, 'ssh_host_ed25519_key');
  if (!existsSync(key)) await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', key]);
  await mountDisks(places, await lowerDirectories(layers));
  const inside = (file: string): string => path.join(places.root, file);
  const publicKey = readFileSync(`${placesOf(lab.name).keyFile}.pub`, 'utf8');
  for (const suffix of ['', '.pub']) cpSync(`${key}${suffix}`, inside(`etc/ssh/ssh_host_ed25519_key${suffix}`));
  writeFileSync(inside('etc/hostname'), `${name}\n`);
  writeFileSync(inside('etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
  writeFileSync(inside('etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  for (const home of ['root', 'home/admin', 'home/operator']) {
    mkdirSync(inside(`${home}/.ssh`), { recursive: true, mode: 0o700 });
    writeFileSync(inside(`${home}/.ssh/authorized_keys`), publicKey, { mode: 0o600 });
  }
  for (const user of ['admin', 'operator']) {
    await must(['chroot', places.root, 'chown', '-R', `${user}:`, `/home/${user}/.ssh`]);
  }
  // Boots find the disks as a switched-off server has them.
  await unmountDisks(places);
}
