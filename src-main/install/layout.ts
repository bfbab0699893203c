/** Where everything of Holdfast stands on a server. Uninstall removes exactly this. */

export const layout = {
  home: '/opt/holdfast',
  runtimes: '/opt/holdfast/runtime',
  agents: '/opt/holdfast/agent',
  uploads: '/opt/holdfast/upload',
  /** Symlink to the runtime in use. */
  node: '/opt/holdfast/node',
  /** Symlink to the bundle in use. */
  current: '/opt/holdfast/current',
  command: '/usr/local/bin/holdfast',
  configuration: '/etc/holdfast',
  nodeRecord: '/etc/holdfast/node.json',
  clusterRecord: '/etc/holdfast/cluster.json',
  certificate: '/etc/holdfast/node.crt',
  peers: '/etc/holdfast/peers',
  clusterSecret: '/etc/holdfast/cluster.secret',
  witnessSecrets: '/etc/holdfast/witness',
  state: '/var/lib/holdfast',
  run: '/run/holdfast',
  /** Held while somebody installs or removes. */
  installLock: '/run/holdfast-install.lock',
  units: '/etc/systemd/system',
} as const;

/**
 * Of a runtime, below its directory. What lies in a `bin` below /opt may be started by systemd on every SELinux policy, also after the whole server was
 * labelled anew; `node` beside it is a link to it.
 */
export const runtimeProgram = 'bin/node';

export const nodeUnits = ['holdfast-replicator.service', 'holdfastd.service'] as const;
export const witnessUnits = ['holdfast-witness.service'] as const;
export type UnitName = (typeof nodeUnits)[number] | (typeof witnessUnits)[number];
export const allUnits: readonly UnitName[] = [...nodeUnits, ...witnessUnits];

/** Node's experimental parts that the agent is built on; the runtime is pinned, so a warning would tell nothing. */
const nodeFlags = '--disable-warning=ExperimentalWarning';

/** Never an LD_LIBRARY_PATH: the runtime finds its library beside itself. Nothing of the caller's Node settings is taken over. */
export const commandScript = `#!/bin/sh
unset NODE_OPTIONS NODE_PATH
exec ${layout.node}/node ${nodeFlags} ${layout.current}/holdfast.mjs "$@"
`;
