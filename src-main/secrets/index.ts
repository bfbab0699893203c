export {
  environmentSecrets,
  firstOf,
  noSecrets,
  remembering,
  type SecretRequest,
  type SecretSource,
} from './secret-source.ts';
export { fileKeychain, type Keychain, type Seal } from './keychain.ts';
export { createSecretStore, type LoginSecrets, type SecretStore, type SecretStoreOptions } from './secret-store.ts';
