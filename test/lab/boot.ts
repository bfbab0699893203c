/**
 * `boot.ts LAB HOST`: the power supply of one host. Boots it, and boots it again when it asks for a reboot; ends when
 * the host is switched off. Runs detached inside the host's own cgroup, so that a power cut or a freeze takes it along.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { insideGroup, joinGroup, makeGroup } from './cgroups.ts';
import { hostPlaces, readDescription } from './description.ts';
import { namespaceOf, plugIn } from './network.ts';
import { start } from './process.ts';
import { letGoOfDisks } from './suite-disks.ts';

const [labName, hostName] = process.argv.slice(2);
if (labName === undefined || hostName === undefined) throw new Error('usage: boot.ts LAB HOST');
const lab = readDescription(labName);
const host = lab.hosts.find((candidate) => candidate.name === hostName);
if (host === undefined) throw new Error(`no host ${hostName}`);
const places = hostPlaces(labName, hostName);

joinGroup(makeGroup(lab.id, hostName, 'supervisor'));
const machineGroup = makeGroup(lab.id, hostName, 'machine');

const rebootRequested = 133;

function nspawnCommand(): string[] {
  const devices = ['/dev/fuse', '/dev/net/tun'].filter((device) => existsSync(device));
  return [
    'systemd-nspawn',
    '--quiet',
    `--directory=${places.root}`,
    `--machine=${lab.id}-${String(hostName)}`,
    `--hostname=${String(hostName)}`,
    '--register=no',
    '--keep-unit',
    `--network-namespace-path=/run/netns/${namespaceOf(lab, String(hostName))}`,
    ...devices.map((device) => `--bind=${device}`),
    `--bind=${places.data}:/data`,
    `--bind=${places.journal}:/var/log/journal`,
    '--capability=all',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=pipe',
    '--boot',
  ];
}

const environment = {
  ...process.env,
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
  // The agent opens files by handle and mounts FUSE: a real server filters neither.
  SYSTEMD_SECCOMP: '0',
};

// nspawn keeps locks below /run/systemd/nspawn; its own tmpfs there keeps the machine's untouched. Mounts of other hosts
// come along as slaves, not as copies: a copy would keep a host's disk mounted after its power cut.
const privately = ['unshare', '-m', '--propagation', 'slave', '--', 'sh', '-c'];
const script =
  letGoOfDisks() + '; mkdir -p /run/systemd/nspawn && mount -t tmpfs tmpfs /run/systemd/nspawn && exec "$@"';

let code: number | null;
do {
  // A boot starts with an empty network stack: addresses and rules of the last life must not survive it.
  await plugIn(lab, host, lab.networks);
  const command = insideGroup(machineGroup, [...privately, script, 'sh', ...nspawnCommand()]);
  const child = start(command, { stdio: ['ignore', 'inherit', 'inherit'], env: environment });
  [code] = (await once(child, 'close')) as [number | null];
} while (code === rebootRequested);
process.exitCode = code ?? 1;
