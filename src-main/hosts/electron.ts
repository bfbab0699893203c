/**
 * The app in its own window. Only the shell is here: what it shows and does is the same as in a browser. The page is
 * sandboxed, sees no Node, and reaches the main process through two functions of the preload script.
 */
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, ipcMain, nativeTheme, protocol, type WebContents } from 'electron';
import type { LinePort } from '../../agent/contract/index.ts';
import { disposeParts, readAppVersion, serveScreen, type AppParts } from '../app.ts';
import { createParts } from '../parts.ts';

/** A scheme of our own: pages from `file:` may not load modules, and could read every file of the user. */
const scheme = 'holdfast';
const origin = `${scheme}://app`;
const bundleDirectory = dirname(fileURLToPath(import.meta.url));
const rendererDirectory = join(bundleDirectory, '../renderer');
const lineChannel = 'holdfast-line';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function serveFile(url: string): Promise<Response> {
  const { host, pathname } = new URL(url);
  const path = normalize(join(rendererDirectory, pathname === '/' ? 'index.html' : decodeURIComponent(pathname)));
  const type = contentTypes[extname(path)];
  if (host !== 'app' || type === undefined || !path.startsWith(rendererDirectory + sep))
    return new Response('Nothing here.', { status: 404 });
  try {
    return new Response(await readFile(path), {
      headers: { 'Content-Type': type, 'Content-Security-Policy': contentSecurityPolicy },
    });
  } catch {
    return new Response('Nothing here.', { status: 404 });
  }
}

/** One loaded page. A reload makes a new one: the hello of the protocol has to come first again. */
function portTo(page: WebContents): { port: LinePort; close: () => void } {
  const lineListeners: ((line: string) => void)[] = [];
  const closeListeners: ((reason?: Error) => void)[] = [];
  let open = true;
  const receive = (event: Electron.IpcMainEvent, line: unknown): void => {
    const own = event.sender === page && event.senderFrame?.url.startsWith(`${origin}/`) === true;
    if (own && typeof line === 'string') for (const listener of lineListeners) listener(line);
  };
  ipcMain.on(lineChannel, receive);
  const close = (): void => {
    if (!open) return;
    open = false;
    ipcMain.off(lineChannel, receive);
    for (const listener of closeListeners) listener();
  };
  page.once('destroyed', close);
  const port: LinePort = {
    send: (line) => {
      if (open && !page.isDestroyed()) page.send(lineChannel, line);
    },
    onLine: (listener) => lineListeners.push(listener),
    onClose: (listener) => closeListeners.push(listener),
    close,
  };
  return { port, close };
}

async function openWindow(parts: AppParts, version: string): Promise<BrowserWindow> {
  const window = new BrowserWindow({
    width: 1120,
    height: 760,
    minWidth: 640,
    minHeight: 480,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0f1413' : '#fbfcfc',
    webPreferences: {
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      preload: join(bundleDirectory, 'electron-preload.cjs'),
    },
  });
  // This window shows the app and nothing else.
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  window.webContents.session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  let closePrevious = (): void => undefined;
  ipcMain.on(`${lineChannel}-open`, (event) => {
    if (event.sender !== window.webContents) return;
    closePrevious();
    const { port, close } = portTo(window.webContents);
    closePrevious = close;
    serveScreen(port, parts, version);
  });
  window.once('ready-to-show', () => window.show());
  await window.loadURL(`${origin}/`);
  return window;
}

async function main(): Promise<void> {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true } }]);
  await app.whenReady();
  protocol.handle(scheme, (request) => serveFile(request.url));
  const root = app.getAppPath();
  const parts = createParts({ root, host: 'electron' });
  const window = await openWindow(parts, readAppVersion(root));
  console.log(`Holdfast is ready: ${origin}/`);
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('window-all-closed', () => {
    void disposeParts(parts).then(() => app.quit());
  });
}

// Not awaited: Electron becomes ready only after this file has run to its end.
main().catch((error: unknown) => {
  console.error(error);
  app.exit(1);
});
