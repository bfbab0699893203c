/**
 * What the packaged main process asks of Electron, for a machine that has none: one page that speaks over the channel to the test. It shows
 * that the bundle runs and finds what is packaged beside it; it says nothing about windows.
 */
import { EventEmitter } from 'node:events';

const root = process.env['PACKAGED_APP'];
const lineChannel = 'holdfast-line';

export const ipcMain = new EventEmitter();
const page = Object.assign(new EventEmitter(), {
  setWindowOpenHandler: () => undefined,
  isDestroyed: () => false,
  send: (/** @type {string} */ _channel, /** @type {string} */ line) => process.send?.(line),
  session: { setPermissionRequestHandler: () => undefined, setPermissionCheckHandler: () => undefined },
});
process.on('message', (line) => {
  ipcMain.emit(lineChannel, { sender: page, senderFrame: { url: 'holdfast://app/' } }, line);
});

export const app = Object.assign(new EventEmitter(), {
  requestSingleInstanceLock: () => true,
  whenReady: () => Promise.resolve(),
  getAppPath: () => root,
  quit: () => process.exit(0),
  exit: (/** @type {number} */ code) => process.exit(code),
});
process.on('disconnect', () => app.emit('window-all-closed'));

export class BrowserWindow extends EventEmitter {
  webContents = page;
  loadURL() {
    ipcMain.emit(`${lineChannel}-open`, { sender: page });
    return Promise.resolve();
  }
}
export const nativeTheme = { shouldUseDarkColors: false };
export const protocol = { registerSchemesAsPrivileged: () => undefined, handle: () => undefined };
/** A system without a keychain. */
export const safeStorage = {
  getSelectedStorageBackend: () => 'basic_text',
  isAsyncEncryptionAvailable: () => Promise.resolve(false),
};
export const Menu = { setApplicationMenu: () => undefined };
