/** The app behind its screens, the same under every host: a host only brings ports on which screens speak. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { serve, type LinePort } from '../agent/contract/index.ts';
import { appApi } from './app-api/index.ts';
import type { ClusterWatch } from './cluster-watch.ts';

/** Root of the installed app or of the checkout: the folder that holds package.json. */
export function readAppVersion(root: string): string {
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))).version;
}

export function serveScreen(port: LinePort, watch: ClusterWatch, version: string): void {
  const server = serve(
    appApi,
    {
      cluster: async () => watch.view,
      refresh: () => watch.refresh(),
    },
    port,
    version,
  );
  const stop = watch.watch((view) => server.emit('cluster', view));
  port.onClose(stop);
}
