/** What the machine needs so that a lab can stand on it. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';

/** Programs of the lab and the Debian package that brings each. */
const programs: Readonly<Record<string, string>> = {
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  'mkfs.ext4': 'e2fsprogs',
  mount: 'mount',
  losetup: 'mount',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  flock: 'util-linux',
  sysctl: 'procps',
  ping: 'iputils-ping',
};

export const labDebianPackages: readonly string[] = [...new Set(Object.values(programs))];

function isInstalled(program: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(path.join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What is missing, as Debian package names; empty when a lab can be made. */
export function missingDebianPackages(): string[] {
  const missing = Object.entries(programs).filter(([program]) => !isInstalled(program));
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))];
}

/** Why no lab can stand on this machine, or undefined. */
export function labObstacle(): { readonly reason: string; readonly remedy: string } | undefined {
  if (process.platform !== 'linux') return { reason: 'a lab needs Linux', remedy: 'use a Linux machine' };
  if (process.getuid?.() !== 0) return { reason: 'a lab needs root', remedy: 'sudo npm run lab -- up' };
  const missing = missingDebianPackages();
  if (missing.length > 0) {
    const remedy = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
    return { reason: `missing programs (${missing.join(', ')})`, remedy };
  }
  if (!existsSync('/dev/loop-control')) return { reason: 'no loop devices', remedy: 'modprobe loop' };
  return undefined;
}

export async function requireMachine(): Promise<void> {
  const obstacle = labObstacle();
  if (obstacle === undefined) return;
  throw new Fault('lab-impossible', { message: obstacle.reason, remedy: obstacle.remedy });
}
