/** The app under plain Node: the browser host, until it is told to stop. The Electron host has its own start, hosts/electron.ts. */
import { disposeParts, readAppVersion, serveScreen, type AppParts } from './app.ts';
import { startBrowserHost, type BrowserHost } from './hosts/browser.ts';

export interface AppOptions {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly rendererDirectory: string;
  /** Disposed with the app. */
  readonly parts: AppParts;
}

export async function startApp(options: AppOptions): Promise<BrowserHost> {
  const version = readAppVersion(options.root);
  const host = await startBrowserHost({
    rendererDirectory: options.rendererDirectory,
    onScreen: (port) => serveScreen(port, options.parts, version),
  });
  return {
    url: host.url,
    port: host.port,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await disposeParts(options.parts);
    },
  };
}
