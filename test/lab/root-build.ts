/**
 * Builds a root or a layer: `root TARGET` or `layer TARGET ROOT PACKAGE…`. Runs as a program of its own in a private
 * mount namespace under a lock (roots.ts); the result appears under its name by one rename, complete or not at all.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { must, run, start } from './process.ts';
import { barePackages, debianRelease } from './roots.ts';

const [kind, target, ...rest] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: root-build.ts root TARGET | layer TARGET ROOT PACKAGE…');
const work = `${target}.building`;

async function logged(argv: readonly string[]): Promise<void> {
  const log = openSync(`${String(target)}.log`, 'a');
  appendFileSync(log, `$ ${argv.join(' ')}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const child = start(['nice', ...argv], { stdio: ['ignore', log, log], env: environment });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${argv.slice(0, 3).join(' ')} … ended with ${String(code)}`);
}

/** The mirror this machine itself uses; undefined where its apt knows none for this release. */
async function mirror(): Promise<string | undefined> {
  const known = await run(['apt-get', 'indextargets', '--format', '$(REPO_URI)', `Codename: ${debianRelease}`]);
  return known.stdout.split('\n').find((line) => line.startsWith('http'));
}

async function buildRoot(): Promise<void> {
  const from = await mirror();
  // Without one, debootstrap knows the project's own.
  const source = from === undefined ? [] : [from];
  const include = `--include=${barePackages.join(',')}`;
  await logged(['debootstrap', '--variant=minbase', include, debianRelease, work, ...source]);
  const inside = (file: string): string => path.join(work, file);
  for (const name of readdirSync(inside('etc/ssh'))) {
    if (name.startsWith('ssh_host_')) rmSync(inside(`etc/ssh/${name}`));
  }
  for (const directory of ['var/cache/apt/archives', 'var/lib/apt/lists', 'var/log']) {
    for (const name of readdirSync(inside(directory))) {
      if (!['partial', 'lock', 'journal'].includes(name)) rmSync(inside(`${directory}/${name}`), { recursive: true });
    }
  }
  writeFileSync(inside('etc/machine-id'), '');
  writeFileSync(inside('etc/resolv.conf'), '');
  writeFileSync(
    inside('etc/ssh/sshd_config.d/lab.conf'),
    'PermitRootLogin yes\nPasswordAuthentication yes\nUseDNS no\nMaxStartups 100\n',
  );
  // Timers that would fetch packages or trim disks while a test measures something; a network-less server has no use for them.
  for (const unit of ['apt-daily.timer', 'apt-daily-upgrade.timer', 'e2scrub_all.timer', 'fstrim.timer']) {
    rmSync(inside(`etc/systemd/system/timers.target.wants/${unit}`), { force: true });
  }
  await logged(['chroot', work, 'useradd', '-m', '-s', '/bin/bash', '-G', 'sudo', 'admin']);
  // Debian has a group of this name already.
  await logged(['chroot', work, 'useradd', '-m', '-s', '/bin/bash', '-N', 'operator']);
  await must(['chroot', work, 'chpasswd'], { stdin: 'root:secret\nadmin:secret\noperator:secret\n' });
  mkdirSync(inside('data'), { recursive: true });
  renameSync(work, String(target));
}

async function buildLayer(root: string, packages: readonly string[]): Promise<void> {
  const [upper, scratch, merged] = ['upper', 'work', 'merged'].map((name) => path.join(work, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [upper, scratch, merged]) mkdirSync(directory, { recursive: true });
  await must([
    'mount',
    '-t',
    'overlay',
    'overlay',
    '-o',
    `lowerdir=${root},upperdir=${upper},workdir=${scratch}`,
    merged,
  ]);
  const inside = (file: string): string => path.join(merged, file);
  await must(['mount', '--rbind', '/dev', inside('dev')]);
  await must(['mount', '-t', 'proc', 'proc', inside('proc')]);
  // Bound, not copied: the layer must not remember the machine it was built on.
  const from = await mirror();
  if (from !== undefined) {
    const sources = path.join(work, 'sources.list');
    writeFileSync(sources, `deb ${from} ${debianRelease} main\n`);
    await must(['mount', '--bind', sources, inside('etc/apt/sources.list')]);
  }
  for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/apt/apt.conf.d']) {
    if (existsSync(file) && existsSync(inside(file))) await must(['mount', '--bind', file, inside(file)]);
  }
  const policy = inside('usr/sbin/policy-rc.d');
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  if (packages.includes('postgresql')) {
    // A cluster of its own would start at boot on every host and hold the port.
    mkdirSync(inside('etc/postgresql-common'), { recursive: true });
    writeFileSync(inside('etc/postgresql-common/createcluster.conf'), 'create_main_cluster = false\n');
  }
  await logged(['chroot', merged, 'apt-get', 'update', '-q']);
  const force = ['-o', 'Dpkg::Options::=--force-confold'];
  await logged(['chroot', merged, 'apt-get', 'install', '-qy', '--no-install-recommends', ...force, ...packages]);
  await logged(['chroot', merged, 'apt-get', 'clean']);
  rmSync(policy);
  await must(['umount', '-R', '-l', merged]);
  rmSync(path.join(upper, 'var/lib/apt/lists'), { recursive: true, force: true });
  renameSync(upper, String(target));
  rmSync(work, { recursive: true, force: true });
}

// Another lab may have finished the same build while this one waited for the lock.
if (!existsSync(target)) {
  rmSync(work, { recursive: true, force: true });
  rmSync(`${target}.log`, { force: true });
  if (kind === 'root') await buildRoot();
  else await buildLayer(String(rest[0]), rest.slice(1));
}
