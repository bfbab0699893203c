/** Applications that speak by themselves, and a place that hears which server they speak from: nothing that a virtual address has to do with. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { nodeCommand, until, type Host, type Lab } from '../../lab/index.ts';

const port = 7100;
const head = `#!/usr/bin/perl
use strict; use Socket;
$SIG{PIPE} = 'IGNORE';
open(my $file, '<', '/etc/hostname') or die; chomp(my $name = <$file>);
my $place = sockaddr_in(${port}, inet_aton('10.77.0.100'));
`;
/** Two hundred times a second on a connection. */
const onConnection = `${head}while (1) {
  my $to;
  if (socket($to, PF_INET, SOCK_STREAM, 0) && connect($to, $place)) {
    while (syswrite($to, "$name\\n")) { select(undef, undef, undef, 0.005); }
  }
  select(undef, undef, undef, 0.1);
}
`;
/** Twenty times a second, each by itself: where packets are lost, a connection may be silent for seconds without anything being wrong. Writes twice a second, synced. */
const inDatagrams = (directory: string): string => `${head}use IO::Handle;
# What waits for its files, or is refused them, must not keep the other one from speaking.
if (!fork()) {
  while (1) {
    if (open(my $log, '>>', '${directory}/said')) { print $log time, " $name\\n"; $log->flush && $log->sync; close $log; }
    select(undef, undef, undef, 0.5);
  }
}
socket(my $out, PF_INET, SOCK_DGRAM, 0) or die;
while (1) { send($out, "$name\\n", 0, $place); select(undef, undef, undef, 0.05); }
`;

/** The service `app`: says the name of its server. */
export async function installSpeaker(
  host: Host,
  directory: string,
  way: 'connection' | 'datagrams' = 'connection',
): Promise<void> {
  await host.writeFile('/usr/local/bin/speak', way === 'connection' ? onConnection : inDatagrams(directory), '0755');
  await host.writeFile('/etc/systemd/system/app.service', '[Service]\nExecStart=/usr/local/bin/speak\n');
  await host.must(`mkdir -p ${directory} && systemctl daemon-reload && sync`);
}

export class Hearing implements Disposable {
  readonly #child: ChildProcess;
  readonly #last = new Map<string, number>();

  constructor(lab: Lab) {
    this.#child = lab.client.spawn(nodeCommand(path.join(import.meta.dirname, 'hearing-process.ts'), String(port)));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const { name, atMs } = JSON.parse(line) as { name: string; atMs: number };
      this.#last.set(name, atMs);
    });
  }

  /** When this server was last heard, by `nowMs()`; 0: never. */
  lastMs(name: string): number {
    return this.#last.get(name) ?? 0;
  }

  async hears(name: string, afterMs: number, timeoutMs = 30_000): Promise<void> {
    await until(`${name} is heard`, timeoutMs, () => this.lastMs(name) > afterMs);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
