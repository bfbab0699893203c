export { openTransport, type SshEnvironment, type SshTarget } from './connect.ts';
export type { HostKeyPolicy, HostKeyQuestion } from './host-keys.ts';
export { linePort } from './line-port.ts';
export { quoted } from './shell.ts';
export { parseDestination } from './ssh-config.ts';
export type { CommandOptions, CommandResult, CopyOptions, CopySource, Transport } from './transport.ts';
export { labConfigFile, readUserConfig } from './user-config.ts';
