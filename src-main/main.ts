/** The app under plain Node: the browser host, until it is told to stop. The Electron host has its own start, hosts/electron.ts. */
import { readAppVersion, serveScreen } from './app.ts';
import { ClusterWatch, type ReadClusterStatus } from './cluster-watch.ts';
import { startBrowserHost, type BrowserHost } from './hosts/browser.ts';

export interface AppOptions {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly rendererDirectory: string;
  readonly read: ReadClusterStatus;
}

export async function startApp(options: AppOptions): Promise<BrowserHost> {
  const version = readAppVersion(options.root);
  const watch = new ClusterWatch(options.read);
  const host = await startBrowserHost({
    rendererDirectory: options.rendererDirectory,
    onScreen: (port) => serveScreen(port, watch, version),
  });
  return {
    url: host.url,
    port: host.port,
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}
