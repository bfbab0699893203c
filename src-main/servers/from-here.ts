/** Access as this user has it: their SSH configuration and agent, what they gave, and what an earlier start wrote down. */
import path from 'node:path';
import { createSecretStore, environmentSecrets, type Keychain } from '../secrets/index.ts';
import { readUserConfig } from '../ssh/index.ts';
import { createServerAccess, type ServerAccess } from './access.ts';
import { fileLoginMemory } from './login-memory.ts';

export interface HereOptions {
  readonly stateDirectory: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Null: secrets end with the app. */
  readonly keychain?: Keychain | null;
}

/** The same file as the command line uses: a key that was accepted in one is known in the other. */
export function hostKeysFileIn(stateDirectory: string): string {
  return path.join(stateDirectory, 'known_hosts');
}

export function serverAccessFromHere(options: HereOptions): ServerAccess {
  const environment = options.environment ?? process.env;
  return createServerAccess({
    secrets: createSecretStore({ keychain: options.keychain, otherwise: environmentSecrets(environment) }),
    hostKeysFile: hostKeysFileIn(options.stateDirectory),
    logins: fileLoginMemory(path.join(options.stateDirectory, 'logins.json')),
    sshConfig: () => readUserConfig(environment),
  });
}
