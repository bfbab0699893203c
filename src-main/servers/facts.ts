/** What a server is, in one round trip and as root: whoever may not become root there is told so at the door. */
import { clusterRecordSchema } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { ServerFacts } from '../app-api/index.ts';
import { layout } from '../install/index.ts';
import type { Transport } from '../ssh/index.ts';

const factsTimeoutMs = 15_000;

/** Few processes, and none that looks anything up: the answer is waited for. Output: `key=base64`. */
export const factsScript = `LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | base64 | tr -d '\\n')"; }
file() { [ -f "$2" ] && printf '%s=%s\\n' "$1" "$(base64 < "$2" | tr -d '\\n')"; }
say system "$(uname -s)"
say kernel "$(uname -r)"
say machine "$(uname -m)"
say hostname "$(uname -n)"
say sudo "$SUDO_UID"
say os "$( (. /etc/os-release; printf %s "$PRETTY_NAME") 2>/dev/null)"
say cores "$(grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
file memory /proc/meminfo
file machine-id /etc/machine-id
ip -o -4 addr show 2>/dev/null | while read -r _ name _ cidr _; do say address "$name $cidr"; done
[ -L ${layout.current} ] && say agent "$(readlink ${layout.current})"
file cluster ${layout.clusterRecord}
say end yes
exit 0
`;

/** A name as the configuration takes it: `DB Server_1.example.com` → `db-server-1`. */
export function nodeNameOf(hostname: string): string {
  const short = hostname.toLowerCase().split('.')[0] ?? '';
  const plain = short
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 32)
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'server' : plain;
}

function parseLines(stdout: string): (key: string) => string[] {
  const lines = stdout.split('\n').flatMap((line) => {
    const match = /^([a-z-]+)=([A-Za-z0-9+/=]*)$/.exec(line);
    return match?.[1] === undefined
      ? []
      : [{ key: match[1], value: Buffer.from(match[2] ?? '', 'base64').toString('utf8') }];
  });
  return (key) => lines.filter((line) => line.key === key).map(({ value }) => value);
}

function clusterName(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return clusterRecordSchema.pick({ cluster: true }).parse(JSON.parse(text)).cluster;
  } catch {
    return '?'; // there is a cluster, and its record says nothing that can be read
  }
}

function positive(text: string | undefined): number | null {
  const value = Number(text ?? '');
  return Number.isFinite(value) && value > 0 ? value : null;
}

type Own = Pick<ServerFacts, 'user' | 'hostKeyFingerprint' | 'firstContactMs'>;

/** Fault: not-a-linux-server. */
export function parseFacts(stdout: string, host: string, own: Own): ServerFacts {
  const all = parseLines(stdout);
  const first = (key: string): string | undefined => all(key)[0];
  const system = first('system') ?? '';
  if (system !== 'Linux' || first('end') === undefined) {
    throw new Fault(
      'not-a-linux-server',
      {
        message: `${host} runs ${system === '' ? 'something that is not known here' : system}, not Linux.`,
        remedy: 'Choose a Linux server with systemd.',
      },
      { host, system },
    );
  }
  const hostname = first('hostname') ?? host;
  const kibibytes = positive(/^MemTotal:\s+(\d+) kB/m.exec(first('memory') ?? '')?.[1]);
  return {
    ...own,
    suggestedName: nodeNameOf(hostname),
    hostname,
    isRoot: first('sudo') === '',
    osName: first('os') === '' ? 'Linux' : (first('os') ?? 'Linux'),
    kernel: first('kernel') ?? '',
    architecture: first('machine') ?? '',
    cores: positive(first('cores')),
    memoryBytes: kibibytes === null ? null : kibibytes * 1024,
    machineId: (first('machine-id') ?? '').trim(),
    addresses: all('address').map((value) => {
      const [name = '', cidr = ''] = value.split(' ');
      const [address = '', length = '32'] = cidr.split('/');
      return { interface: name.split('@')[0] ?? name, address, prefixLength: Number(length) };
    }),
    cluster: clusterName(first('cluster')),
    agentVersion: /agent\/(.+)-[0-9a-f]+$/.exec(first('agent') ?? '')?.[1] ?? null,
  };
}

/** Faults: those of `Transport.command`, not-a-linux-server. */
export async function readFacts(
  transport: Transport,
  beganAtMs: number,
  signal: AbortSignal | undefined,
): Promise<ServerFacts> {
  const { host, user, hostKeyFingerprint } = transport;
  const { stdout } = await transport.command(factsScript, { elevated: true, signal, timeoutMs: factsTimeoutMs });
  const firstContactMs = Math.round(performance.now() - beganAtMs);
  return parseFacts(stdout, host, { user, hostKeyFingerprint, firstContactMs });
}
