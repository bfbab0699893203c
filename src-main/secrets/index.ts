export {
  environmentSecrets,
  firstOf,
  noSecrets,
  remembering,
  type SecretRequest,
  type SecretSource,
} from './secret-source.ts';
