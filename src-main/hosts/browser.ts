/**
 * The app in a browser: its screens and one conversation, on loopback, for whoever has the link. Lines to the screen
 * travel as server-sent events, lines from it as POST bodies: both are plain HTTP, so that one set of checks covers all.
 */
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { Fault, lineBytesMax, type LinePort } from '../../agent/contract/index.ts';
import { Session } from './session.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};

/** Proxies and browsers drop a stream on which nothing moves. */
const keepAliveMs = 20_000;

export interface BrowserHost extends AsyncDisposable {
  /** Opens the app once; then it is used up. */
  readonly url: string;
  readonly port: number;
}

export interface BrowserHostOptions {
  /** The built screens. */
  readonly rendererDirectory: string;
  readonly onScreen: (port: LinePort) => void;
}

/** What a page has not taken yet. One that takes nothing, as in a tab that the browser has put to sleep, is let go: it connects again when it wakes. */
const unsentBytesMax = 16 * 1024 * 1024;
/** A browser opens six connections to one place. Each page holds one, and one has to be left for what the pages say. */
const pagesMax = 5;
/** Longer than the pauses of a person who types: the connection stands when the next key is pressed. */
const idleConnectionMs = 120_000;

/** One page that is open: server-sent events out, posted lines in. */
class ScreenPort implements LinePort {
  readonly #response: ServerResponse;
  readonly #lineListeners: ((line: string) => void)[] = [];
  readonly #closeListeners: ((reason?: Error) => void)[] = [];
  /** For the choice of the page that somebody is least likely to look at. */
  heardAtMs = performance.now();

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('close', () => {
      for (const listener of this.#closeListeners) listener();
    });
  }
  send(line: string): void {
    if (this.#response.destroyed) return;
    this.#response.write(`data: ${line}\n\n`);
    if (this.#response.writableLength > unsentBytesMax) this.#response.destroy();
  }
  keepAlive(): void {
    if (!this.#response.destroyed) this.#response.write(': still here\n\n');
  }
  retire(): void {
    this.#response.end('event: retired\ndata:\n\n');
  }
  receive(line: string): void {
    this.heardAtMs = performance.now();
    for (const listener of this.#lineListeners) listener(line);
  }
  onLine(listener: (line: string) => void): void {
    this.#lineListeners.push(listener);
  }
  onClose(listener: (reason?: Error) => void): void {
    this.#closeListeners.push(listener);
  }
  close(): void {
    this.#response.end();
  }
}

/** All of them in memory: no path of a request ever reaches the file system. */
function loadScreens(directory: string): ReadonlyMap<string, { type: string; body: Buffer }> {
  const screens = new Map<string, { type: string; body: Buffer }>();
  for (const file of globSync('**/*.{html,js,css,svg}', { cwd: directory })) {
    const type = contentTypes[extname(file)] ?? 'application/octet-stream';
    screens.set(`/${file.replaceAll('\\', '/')}`, { type, body: readFileSync(join(directory, file)) });
  }
  const start = screens.get('/index.html');
  if (!start) throw new Fault('screens-missing', { message: `There are no built screens in ${directory}.` });
  return screens.set('/', start);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > lineBytesMax) throw new Fault('message-too-long', { message: 'The page sent an oversized message.' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...securityHeaders, ...headers });
  response.end(text);
}

const usedLink =
  'This link has been used or belongs to another start of Holdfast. Run `npm start` again for a new one.\n';

export async function startBrowserHost(options: BrowserHostOptions): Promise<BrowserHost> {
  const screens = loadScreens(options.rendererDirectory);
  const ports = new Map<string, ScreenPort>();
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answer(response, 400, Fault.from(error).message);
    });
  });
  server.keepAliveTimeout = idleConnectionMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listening socket has no port');
  const { port } = address;
  const session = new Session(port);

  function openStream(response: ServerResponse): void {
    if (ports.size >= pagesMax) {
      const [quietest] = [...ports.values()].sort((a, b) => a.heardAtMs - b.heardAtMs);
      quietest?.retire();
    }
    const id = randomBytes(16).toString('base64url');
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...securityHeaders });
    response.write(`event: open\ndata: ${id}\n\n`);
    const screen = new ScreenPort(response);
    ports.set(id, screen);
    const keepAlive = setInterval(() => screen.keepAlive(), keepAliveMs);
    screen.onClose(() => {
      clearInterval(keepAlive);
      ports.delete(id);
    });
    options.onScreen(screen);
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host, origin, cookie } = request.headers;
    const method = request.method ?? '';
    if (!session.isOwnHost(host)) {
      answer(response, 403, 'Wrong host.\n');
      return;
    }
    const url = new URL(request.url ?? '/', `http://${host ?? ''}`);
    const token = url.searchParams.get('token');
    const fetchSite = request.headers['sec-fetch-site'];
    const facts = { host, origin, cookie, changesSomething: method !== 'GET' };
    const isAllowed = session.allows({ ...facts, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined });
    if (method === 'GET' && url.pathname === '/' && token !== null) {
      const setCookie = session.exchange(token);
      // Onwards to an address without the token: it stays neither in the history nor on the screen. The browser that is
      // in already may follow its link again.
      if (setCookie !== undefined) answer(response, 303, '', { Location: '/', 'Set-Cookie': setCookie });
      else if (isAllowed) answer(response, 303, '', { Location: '/' });
      else answer(response, 403, usedLink);
      return;
    }
    if (!isAllowed) {
      answer(response, 403, usedLink);
      return;
    }
    if (method === 'POST' && url.pathname === '/lines') {
      const screen = ports.get(url.searchParams.get('stream') ?? '');
      if (!screen) {
        answer(response, 410, 'This page is not connected any more.\n');
        return;
      }
      const body = await readBody(request);
      for (const line of body.split('\n')) if (line !== '') screen.receive(line);
      answer(response, 204, '');
      return;
    }
    const screen = screens.get(url.pathname);
    if (method !== 'GET') answer(response, 405, 'Only GET and POST.\n');
    else if (url.pathname === '/stream') openStream(response);
    else if (screen) {
      response.writeHead(200, { 'Content-Type': screen.type, ...securityHeaders });
      response.end(screen.body);
    } else answer(response, 404, 'Nothing here.\n');
  }

  return {
    url: `http://127.0.0.1:${port}/?token=${session.token}`,
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const screen of ports.values()) screen.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
