/** The only bridge between the page and the main process: lines of the one conversation, nothing else. */
import { contextBridge, ipcRenderer } from 'electron';

const lineChannel = 'holdfast-line';

contextBridge.exposeInMainWorld('holdfastLines', {
  open: () => ipcRenderer.send(`${lineChannel}-open`),
  send: (line: string) => ipcRenderer.send(lineChannel, line),
  onLine: (listener: (line: string) => void) => {
    ipcRenderer.on(lineChannel, (_event, line: string) => listener(line));
  },
});
