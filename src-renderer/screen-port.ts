/** The way to the main process: through the preload script in Electron, over HTTP in a browser. Nothing else knows which. */
import type { LinePort } from '../agent/contract/index.ts';

interface PreloadLines {
  open(): void;
  send(line: string): void;
  onLine(listener: (line: string) => void): void;
}
declare global {
  var holdfastLines: PreloadLines | undefined;
}

type CloseListener = (reason?: Error) => void;

function portOverPreload(lines: PreloadLines): LinePort {
  // The main process says hello as soon as it is asked, so the listener has to be there before.
  return {
    send: (line) => lines.send(line),
    onLine: (listener) => {
      lines.onLine(listener);
      lines.open();
    },
    onClose: () => undefined, // the window goes with the main process
    close: () => undefined,
  };
}

function portOverHttp(): LinePort {
  const stream = new EventSource('/stream');
  const closeListeners: CloseListener[] = [];
  let closed = false;
  function close(reason?: Error): void {
    if (closed) return;
    closed = true;
    stream.close();
    for (const listener of closeListeners) listener(reason);
  }
  const id = new Promise<string>((resolve) => {
    stream.addEventListener('open', (event) => {
      if (event instanceof MessageEvent) resolve(String(event.data));
    });
  });
  // A stream that was opened again would be another conversation: whoever uses this port starts a new one instead.
  stream.addEventListener('error', () => close(new Error('the connection to the app was lost')));

  /** One after the other: lines must arrive in the order in which they were sent. */
  let last: Promise<void> = Promise.resolve();
  async function post(line: string): Promise<void> {
    const response = await fetch(`/lines?stream=${await id}`, { method: 'POST', body: line });
    if (!response.ok) throw new Error(`the app answered ${response.status}`);
  }
  return {
    send(line) {
      last = last
        .then(() => (closed ? undefined : post(line)))
        .catch((error: unknown) => close(error instanceof Error ? error : new Error(String(error))));
    },
    onLine(listener) {
      stream.addEventListener('message', (event) => listener(String(event.data)));
    },
    onClose(listener) {
      closeListeners.push(listener);
    },
    close: () => close(),
  };
}

export function openScreenPort(): LinePort {
  return globalThis.holdfastLines ? portOverPreload(globalThis.holdfastLines) : portOverHttp();
}
