/** Where everything of this node stands (the installer's layout). */
import path from 'node:path';

export const directories = {
  configuration: '/etc/holdfast',
  state: '/var/lib/holdfast',
  run: '/run/holdfast',
} as const;
export const controlSocket = path.join(directories.run, 'control.sock');
export const replicatorSocket = path.join(directories.run, 'replicator.sock');
