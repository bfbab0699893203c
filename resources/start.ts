/**
 * `npm start [-- --no-open]`: builds what has changed and opens the app, in Electron where there is one, otherwise in
 * the browser. Stays in the foreground until Ctrl-C. `--practice` first makes a practice cluster and pulls its plug.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { electronBinary } from '../src-main/hosts/electron-binary.ts';
import { startApp } from '../src-main/main.ts';
import { createParts } from '../src-main/parts.ts';
import { buildElectronMain, buildRenderer, rendererDirectory } from './build-app.ts';
import { fetchElectron } from './fetch-electron.ts';
import { repositoryRoot } from './tools.ts';

// In use already; the shells that are opened from here are to know nothing of it.
delete process.env['NODE_COMPILE_CACHE'];

const usage = 'Usage: npm start [-- [--no-open] [--practice [--traffic]]]';
/** What holds up the end of the app for longer will not come to one. */
const endTimeoutMs = 30_000;
const hasDisplay =
  process.platform !== 'linux' || Boolean(process.env['DISPLAY']) || Boolean(process.env['WAYLAND_DISPLAY']);

/** Why Electron is not even tried; undefined: it is. */
function electronIsOutOfPlace(): string | undefined {
  if (!hasDisplay) return 'this machine has no display';
  // Chromium's sandbox refuses root, and a window without its sandbox is worse than a browser with one.
  if (process.getuid?.() === 0) return 'Electron does not run as root with its sandbox';
  return undefined;
}

function openInBrowser(url: string): void {
  const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
    darwin: ['open'],
    win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  };
  const [command, ...prefix] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...prefix, url], { stdio: 'ignore', detached: true });
  child.on('error', () =>
    console.log(`No browser could be opened from here (${command} is missing): open the link yourself.`),
  );
  child.unref();
}

async function runElectron(binary: string): Promise<number> {
  await buildElectronMain();
  const child = spawn(binary, [repositoryRoot], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** As ssh would have it; in a container this user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? 'user';
  }
}

interface BrowserStart {
  /** Why not in a window of its own. */
  readonly reason: string;
  readonly open: boolean;
  /** Which screen: what stands behind `#` in the address. */
  readonly hash?: string;
}

async function runInBrowser({ reason, open, hash = '' }: BrowserStart): Promise<void> {
  const parts = createParts({ root: repositoryRoot, host: 'browser' });
  await using host = await startApp({ root: repositoryRoot, rendererDirectory, parts });
  const url = `${host.url}${hash}`;
  console.log(`The app opens in a browser: ${reason}.`);
  console.log(`Holdfast is ready: ${url}`);
  if (!hasDisplay)
    console.log(
      `From your own computer: ssh -L ${host.port}:127.0.0.1:${host.port} ${userName()}@${hostname()}   then open the link there.`,
    );
  else if (open) openInBrowser(url);
  await new Promise<void>((resolve) => {
    // `on`, not `once`: Ctrl-C comes twice, from the terminal and from the launcher, and the second must not cut the end off.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  setTimeout(() => process.exit(1), endTimeoutMs).unref();
}

interface StartArguments {
  readonly open: boolean;
  readonly practice: boolean;
  readonly traffic: boolean;
}

function parseArguments(): StartArguments {
  try {
    const { values } = parseArgs({
      options: {
        'no-open': { type: 'boolean', default: false },
        practice: { type: 'boolean', default: false },
        traffic: { type: 'boolean', default: false },
      },
    });
    if (values.traffic && !values.practice) throw new Error('--traffic belongs to --practice.');
    return { open: !values['no-open'], practice: values.practice, traffic: values.traffic };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

const { open, practice, traffic } = parseArguments();
if (practice) {
  // Loaded only here: a plain start has to be quick.
  const { startPractice } = await import('./start-practice.ts');
  process.exitCode = await startPractice({
    keepTraffic: traffic,
    run: (hash) => runInBrowser({ reason: electronIsOutOfPlace() ?? 'it was asked for on a terminal', open, hash }),
  });
} else {
  await buildRenderer();
  const outOfPlace = open ? electronIsOutOfPlace() : 'it was asked not to open a window';
  if (outOfPlace !== undefined) {
    await runInBrowser({ reason: outOfPlace, open });
  } else {
    const binary = electronBinary(repositoryRoot) ?? fetchElectron(repositoryRoot);
    if (binary === undefined)
      await runInBrowser({ reason: 'there is no Electron binary, and it could not be fetched', open });
    else process.exitCode = await runElectron(binary);
  }
}
