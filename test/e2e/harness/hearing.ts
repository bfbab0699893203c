/** An application that speaks by itself, and a place that hears which server it speaks from: connections that no virtual address has to do with. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { nodeCommand, until, type Host, type Lab } from '../../lab/index.ts';

const port = 7100;
const speaker = `#!/usr/bin/perl
use strict; use Socket;
$SIG{PIPE} = 'IGNORE';
open(my $file, '<', '/etc/hostname') or die; chomp(my $name = <$file>);
while (1) {
  my $to;
  if (socket($to, PF_INET, SOCK_STREAM, 0) && connect($to, sockaddr_in(${port}, inet_aton('10.77.0.100')))) {
    while (syswrite($to, "$name\\n")) { select(undef, undef, undef, 0.005); }
  }
  select(undef, undef, undef, 0.1);
}
`;

/** The service `app`: says the name of its server two hundred times a second. */
export async function installSpeaker(host: Host, directory: string): Promise<void> {
  await host.writeFile('/usr/local/bin/speak', speaker, '0755');
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
