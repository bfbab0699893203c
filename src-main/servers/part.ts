/** How a screen finds servers and gets into them. */
import { homedir } from 'node:os';
import path from 'node:path';
import { discoverServers, findIdentities, ownSubnets, scanSubnet } from '../discovery/index.ts';
import type { AppPart } from '../app.ts';
import type { ServerHandlers } from '../app-api/index.ts';
import { labConfigFile, readConfigFile } from '../ssh/index.ts';
import type { ServerAccess } from './access.ts';
import { readFacts } from './facts.ts';

export interface ServersPartOptions {
  /** Ends with this part. */
  readonly access: ServerAccess;
  /** Our own known_hosts. */
  readonly hostKeysFile: string;
  readonly sshDirectory?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export function createServersPart(options: ServersPartOptions): AppPart<ServerHandlers> {
  const { access, hostKeysFile, environment = process.env } = options;
  const sshDirectory = options.sshDirectory ?? path.join(homedir(), '.ssh');

  async function discover(): ReturnType<ServerHandlers['discover']> {
    const lab = labConfigFile(environment);
    return discoverServers({
      labConfig: lab === null ? [] : readConfigFile(lab),
      userConfig: [
        ...readConfigFile(path.join(sshDirectory, 'config')),
        ...(process.platform === 'win32' ? [] : readConfigFile('/etc/ssh/ssh_config')),
      ],
      knownHostsFiles: [hostKeysFile, path.join(sshDirectory, 'known_hosts')],
    });
  }

  return {
    serve: (screen) => ({
      discover,
      subnets: () => Promise.resolve(ownSubnets()),
      scan: ({ subnet }, signal) => scanSubnet(subnet, { signal, onFound: (server) => screen.emit('found', server) }),
      identities: () => findIdentities(sshDirectory),
      async connectServer(machine, signal) {
        const beganAtMs = performance.now();
        await using transport = await access.transport(machine, signal);
        return await readFacts(transport, beganAtMs, signal);
      },
      async giveSecret({ request, secret, remember }) {
        await access.giveSecret(request, secret, remember);
        return null;
      },
      acceptHostKey(key) {
        access.acceptHostKey(key);
        return Promise.resolve(null);
      },
    }),
    [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
  };
}
