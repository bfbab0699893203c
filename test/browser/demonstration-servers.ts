/** Two bare servers and a third machine, as found on the network of a customer. */
import type { FoundServer, Machine, ServerFacts, ServerHandlers } from '../../src-main/app-api/index.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export function machine(destination: string): Machine {
  return { destination, port: null, identity: null };
}

export function serverFacts(name: string, address: string, change: Partial<ServerFacts> = {}): ServerFacts {
  return {
    suggestedName: name,
    hostname: name,
    user: 'root',
    isRoot: true,
    hostKeyFingerprint: `SHA256:${`${name}c2VydmVyIGtleSBvZiB0aGUgZGVtb25zdHJhdGlvbg`.slice(0, 43)}`,
    osName: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-28-amd64',
    architecture: 'x86_64',
    cores: 4,
    memoryBytes: 8 * 1024 ** 3,
    machineId: `machine-${name}`,
    addresses: [{ interface: 'eth0', address, prefixLength: 24 }],
    cluster: null,
    agentVersion: null,
    firstContactMs: 180,
    ...change,
  };
}

export const demonstrationFacts: Readonly<Record<string, ServerFacts>> = {
  'root@10.77.0.11': serverFacts('n1', '10.77.0.11'),
  'root@10.77.0.12': serverFacts('n2', '10.77.0.12'),
  'root@10.77.0.13': serverFacts('witness', '10.77.0.13'),
};

export const foundServers: readonly FoundServer[] = [
  { destination: 'root@10.77.0.11', port: null, name: 'n1', source: 'ssh-config', answers: true },
  { destination: 'root@10.77.0.12', port: null, name: 'n2', source: 'known-hosts', answers: true },
  { destination: 'root@10.77.0.13', port: null, name: '10.77.0.13', source: 'scan', answers: true },
  { destination: 'root@10.77.0.99', port: null, name: 'backup', source: 'ssh-config', answers: false },
];

export class DemonstrationServers extends DemonstrationPart<ServerHandlers> {
  /** By destination; others are like n1. A test puts in what it needs. */
  readonly facts = new Map(Object.entries(demonstrationFacts));

  protected handlers(): ServerHandlers {
    return {
      discover: async () => foundServers.filter((server) => server.source !== 'scan'),
      subnets: async () => ['10.77.0.0/24'],
      scan: async () => {
        const found = foundServers.filter((server) => server.source === 'scan');
        for (const server of found) this.emit('found', server);
        return found;
      },
      identities: async () => ['/home/integrator/.ssh/id_ed25519'],
      connectServer: async ({ destination }) =>
        this.facts.get(destination) ?? serverFacts('server', destination.split('@').at(-1) ?? destination),
      giveSecret: async () => null,
      acceptHostKey: async () => null,
    };
  }
}
