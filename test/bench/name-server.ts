/** A trivial application: it says the name of its server to whoever connects. Perl is part of the barest Debian and starts in milliseconds. */
import { writeFileSync } from 'node:fs';
import type { Cluster } from '../e2e/harness/index.ts';
import type { Host } from '../lab/index.ts';

export const namePort = 7000;
export const moduleAddress = '10.77.0.50';
export const directory = '/data/app';

const program = `#!/usr/bin/perl
use strict; use Socket;
open(my $file, '<', '/etc/hostname') or die; chomp(my $name = <$file>);
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
# The address may come later, or go (IP_FREEBIND).
setsockopt($listener, 0, 15, 1);
bind($listener, sockaddr_in($ARGV[0], inet_aton($ARGV[1]))) or die "bind: $!";
listen($listener, 512) or die;
while (1) { accept(my $client, $listener) or next; syswrite($client, "$name\\n"); close($client); }
`;

/** Not enabled: the cluster decides where it runs. */
export async function installNameServer(host: Host): Promise<void> {
  await host.writeFile('/usr/local/bin/say-name', program, '0755');
  await host.writeFile(
    '/etc/systemd/system/app.service',
    `[Service]\nExecStart=/usr/local/bin/say-name ${namePort} ${moduleAddress}\n`,
  );
  await host.must(`mkdir -p ${directory} && systemctl daemon-reload && sync`);
}

export function configure(cluster: Cluster, detection: string): void {
  writeFileSync(
    cluster.file,
    `version: 1
cluster: bench
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
witness: { ssh: root@10.77.0.13 }
detection: ${detection}
modules:
  - name: app
    kind: mirror
    replicate:
      - path: ${directory}
    vip: ${moduleAddress}/24
    start: systemctl start app
    stop: systemctl stop app
`,
  );
}

/** Installed and protected, with these timings. */
export async function apply(cluster: Cluster, detection: string): Promise<void> {
  configure(cluster, detection);
  await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '180s');
  await cluster.waitUntilProtected(180_000);
}
