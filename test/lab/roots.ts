/** Root file systems that hosts boot from: a bare Debian, and layers of further packages above it. Built once, then offline. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';
import { labHome } from './description.ts';
import { nodeCommand, run } from './process.ts';

export const debianRelease = 'bookworm';

/** What a server has before anybody thinks of high availability. No Python, no FUSE tools, no libatomic. */
export const barePackages: readonly string[] = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'sudo',
  'iproute2',
  'nftables',
  'procps',
  'iputils-ping',
];

/** Named layers; any other set of packages can be given as a list. */
export const namedLayers: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['postgresql'],
  /** Peers to measure beside, and what measures. */
  replication: ['fio', 'git', 'rsync', 'postgresql', 'glusterfs-server', 'glusterfs-client'],
  /** What people keep on a replicated directory. */
  programs: ['postgresql', 'mariadb-server', 'sqlite3', 'git', 'rsync', 'acl', 'attr', 'fio', 'busybox-static'],
  machines: ['qemu-system-x86', 'qemu-utils', 'linux-image-cloud-amd64', 'busybox-static', 'cpio'],
  keepalived: ['keepalived'],
  /** Login shells that do not speak the language of sh. */
  shells: ['tcsh', 'fish'],
};

/** Raised when the recipe in root-build.ts changes what comes out. */
const recipeRevision = 1;

function keyOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

function cacheDir(): string {
  return path.join(labHome(), '.cache');
}

async function build(target: string, argv: readonly string[], what: string): Promise<void> {
  if (existsSync(target)) return;
  mkdirSync(path.dirname(target), { recursive: true });
  process.stderr.write(`lab: building ${what}, once (needs the network; log: ${target}.log)\n`);
  // flock: of two labs that start together one builds and the other waits; a killed builder gives the lock back.
  // unshare: whatever the build mounts disappears with it, however it ends.
  const command = [...nodeCommand('root-build.ts'), ...argv];
  const result = await run(['flock', `${target}.lock`, 'unshare', '-m', '--propagation', 'slave', ...command]);
  if (result.code === 0 && existsSync(target)) return;
  const log = existsSync(`${target}.log`) ? readFileSync(`${target}.log`, 'utf8').trim().split('\n').slice(-5) : [];
  throw new Fault('lab-root-build-failed', {
    message: `${what} could not be built: ${result.stderr.trim().slice(-1000)}\n${log.join('\n')}`,
    remedy: `read ${target}.log; the first build needs a Debian mirror (see /etc/apt/sources.list)`,
  });
}

function bareRootDir(): string {
  return path.join(cacheDir(), `root-${keyOf(recipeRevision, debianRelease, ...barePackages)}`);
}

export async function bareRoot(): Promise<string> {
  const target = bareRootDir();
  await build(target, ['root', target], 'the bare server root');
  return target;
}

/** The folder with what `packages` add to the bare root, to be used as the upper of two read-only overlay layers. */
export async function layer(name: string, packages = namedLayers[name]): Promise<string> {
  if (packages === undefined) {
    const known = Object.keys(namedLayers).join(', ');
    throw new Fault('lab-unknown-layer', { message: `there is no layer "${name}" (known: ${known})` });
  }
  const root = await bareRoot();
  const target = path.join(cacheDir(), `layer-${name}-${keyOf(path.basename(root), ...packages)}`);
  await build(target, ['layer', target, root, ...packages], `the layer ${name}`);
  return target;
}

/** Read-only folders of a host, highest first, as overlayfs wants them. */
export async function lowerDirectories(layers: readonly string[]): Promise<string[]> {
  const lower: string[] = [];
  for (const name of layers) lower.unshift(await layer(name));
  return [...lower, await bareRoot()];
}
