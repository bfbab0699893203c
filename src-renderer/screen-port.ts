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
  // A browser opens six connections to one place, and every page holds one. The page that is looked at has the right to it.
  stream.addEventListener('retired', () => {
    stream.close();
    const wake = (): void => {
      if (document.visibilityState === 'visible') close(new Error('this page was put aside for another one'));
    };
    document.addEventListener('visibilitychange', wake, { once: true });
    addEventListener('focus', wake, { once: true });
  });

  /** In the order in which they were said; what is said while a request is under way goes with the next one. */
  let waiting: string[] = [];
  let posting = false;
  async function postAll(): Promise<void> {
    posting = true;
    while (waiting.length > 0 && !closed) {
      const lines = waiting;
      waiting = [];
      const response = await fetch(`/lines?stream=${await id}`, { method: 'POST', body: lines.join('\n') });
      if (!response.ok) throw new Error(`the app answered ${response.status}`);
    }
    posting = false;
  }
  return {
    send(line) {
      waiting.push(line);
      if (!posting)
        postAll().catch((error: unknown) => close(error instanceof Error ? error : new Error(String(error))));
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
