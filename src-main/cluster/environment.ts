/** How this user reaches servers: their SSH configuration, their keys, the host keys that they have accepted. */
import path from 'node:path';
import type { Connect } from '../install/index.ts';
import { environmentSecrets, type SecretSource } from '../secrets/index.ts';
import { openTransport, readUserConfig, type HostKeyPolicy } from '../ssh/index.ts';
import { userStateDirectory } from './known-clusters.ts';

export interface ConnectOptions {
  readonly secrets?: SecretSource;
  readonly identity?: string | undefined;
  readonly acceptedHostKeys?: readonly string[];
  readonly askHostKey?: HostKeyPolicy['ask'];
  readonly environment?: NodeJS.ProcessEnv;
}

export function connectFromHere(options: ConnectOptions = {}): Connect {
  const environment = options.environment ?? process.env;
  const config = readUserConfig(environment);
  const secrets = options.secrets ?? environmentSecrets(environment);
  return (machine, signal) =>
    openTransport(
      { destination: machine.destination, port: machine.port },
      {
        config,
        secrets,
        identity: options.identity,
        hostKeys: {
          storeFile: path.join(userStateDirectory(environment), 'known_hosts'),
          accepted: options.acceptedHostKeys ?? [],
          ask: options.askHostKey ?? null,
        },
      },
      signal,
    );
}
