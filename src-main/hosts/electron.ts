/**
 * The app in its own window. Only the shell is here: what it shows and does is the same as in a browser. The page is
 * sandboxed, sees no Node, and reaches the main process through two functions of the preload script.
 */
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, ipcMain, Menu, nativeTheme, protocol, safeStorage, type WebContents } from 'electron';
import type { LinePort } from '../../agent/contract/index.ts';
import { disposeParts, readAppVersion, serveScreen, type AppParts } from '../app.ts';
import { userStateDirectory } from '../cluster/index.ts';
import { createParts } from '../parts.ts';
import { fileKeychain, type Keychain } from '../secrets/index.ts';

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

/** The system may first ask the person whether it may be opened; the window does not wait for that. */
const keychainPatienceMs = 1500;

/** The keychain of the system; null where there is none, or where it would only hide a secret, not seal it. */
async function systemKeychain(stateDirectory: string): Promise<Keychain | null> {
  // Linux without a keyring: Electron then encrypts with a password that stands in its own source.
  if (process.platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text') return null;
  const tooLong = new Promise<false>((resolve) => setTimeout(() => resolve(false), keychainPatienceMs));
  if (!(await Promise.race([safeStorage.isAsyncEncryptionAvailable().catch(() => false), tooLong]))) return null;
  return fileKeychain(join(stateDirectory, 'secrets.json'), {
    encrypt: (secret) => safeStorage.encryptStringAsync(secret),
    decrypt: async (sealed) => (await safeStorage.decryptStringAsync(sealed)).result,
  });
}

/** Keys of a menu would be keys that a terminal never gets. Only macOS needs one, for its own keys of copying and quitting. */
function setMenu(): void {
  Menu.setApplicationMenu(
    process.platform === 'darwin'
      ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }])
      : null,
  );
}

const allowedPermissions: readonly string[] = ['clipboard-read', 'clipboard-sanitized-write'];
const zoomStep = 0.5;

/** What a menu would have brought. */
function zoomByKeys(page: WebContents): void {
  page.on('before-input-event', (event, { type, key, control, meta }) => {
    if (type !== 'keyDown' || !(process.platform === 'darwin' ? meta : control)) return;
    const steps: Readonly<Record<string, number>> = { '+': 1, '=': 1, '-': -1, '0': 0 };
    const step = steps[key];
    if (step === undefined) return;
    page.zoomLevel = step === 0 ? 0 : Math.min(Math.max(page.zoomLevel + step * zoomStep, -2), 4);
    event.preventDefault();
  });
}

async function openWindow(parts: AppParts, version: string): Promise<BrowserWindow> {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
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
  const { session } = window.webContents;
  session.setPermissionRequestHandler((_page, permission, decide) => decide(allowedPermissions.includes(permission)));
  session.setPermissionCheckHandler((_page, permission) => allowedPermissions.includes(permission));
  zoomByKeys(window.webContents);
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
  setMenu();
  const root = app.getAppPath();
  const stateDirectory = userStateDirectory();
  const parts = createParts({ root, host: 'electron', stateDirectory, keychain: await systemKeychain(stateDirectory) });
  endWith(parts);
  const window = await openWindow(parts, readAppVersion(root));
  console.log(`Holdfast is ready: ${origin}/`);
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
}

/** Longer than it takes to write down what was seen last; a server that hangs must not keep the app from ending. */
const endMs = 3000;

function endWith(parts: AppParts): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    const tooLong = new Promise((resolve) => setTimeout(resolve, endMs));
    void Promise.race([disposeParts(parts), tooLong]).then(() => app.exit(0));
  };
  app.on('window-all-closed', end);
  // Also a signal, or the end of the session of the user.
  app.on('before-quit', (event) => {
    event.preventDefault();
    end();
  });
}

// Not awaited: Electron becomes ready only after this file has run to its end.
main().catch((error: unknown) => {
  console.error(error);
  app.exit(1);
});
