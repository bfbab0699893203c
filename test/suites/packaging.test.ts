/** `npm run dist`: what is packaged is whole, is found by the packaged program, and a hole in it would be noticed. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, type TestContext } from 'vitest';
import { createClient, type LinePort } from '../../agent/contract/index.ts';
import { packagedProblems, packagedResources, readAppArchive } from '../../resources/packaged-app.ts';
import { repositoryRoot } from '../../resources/tools.ts';
import { appApi } from '../../src-main/app-api/index.ts';

const distributionTimeoutMs = 240_000;

let folder: string;
let resources: string;
/** Why it could not be made here; undefined: it was. */
let obstacle: string | undefined;
let said: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-packaging-'));
  const output = path.join(folder, 'release');
  const script = path.join(repositoryRoot, 'resources/dist.ts');
  const made = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, '--out', output], {
    encoding: 'utf8',
  });
  said = made.stdout + made.stderr;
  if (made.status === 0) resources = packagedResources(output);
  // Without a network the other architecture's runtime cannot be had; anything else is a failure.
  else if (said.includes('could not be fetched')) obstacle = said.trim().split('\n').at(-1);
  else throw new Error(said);
}, distributionTimeoutMs);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function needsDistribution(context: TestContext): void {
  if (obstacle !== undefined) context.skip(obstacle);
}

/** Something of the layout is taken away or damaged, looked at, and put back. */
async function problemsWithout(file: string, damage: (file: string) => void): Promise<string[]> {
  const whole = path.join(resources, file);
  const kept = path.join(folder, 'kept');
  cpSync(whole, kept);
  damage(whole);
  try {
    return await packagedProblems(resources, path.join(folder, 'cache'));
  } finally {
    rmSync(whole, { force: true });
    renameSync(kept, whole);
  }
}

test('the layout holds the app, the agent and what servers of both architectures run on, and nothing else', (context) => {
  needsDistribution(context);
  expect(said).toContain('The layout is whole');
  const inside = [...readAppArchive(path.join(resources, 'app.asar')).keys()];
  expect(inside).toContain('dist/main/electron.js');
  // No Node of this machine, no tool, no test.
  expect(inside.filter((file) => /^(node_modules\/node-(?!pty)|test\/|agent\/|src-)/.test(file))).toEqual([]);
});

test('a hole in the layout is noticed', async (context) => {
  needsDistribution(context);
  const remove = (file: string): void => rmSync(file);
  expect(await problemsWithout('runtime/linux-arm64/libatomic.so.1', remove)).toHaveLength(1);
  expect(await problemsWithout('agent/lane.mjs', (file) => writeFileSync(file, 'other'))).toHaveLength(1);
  const x64 = readFileSync(path.join(resources, 'runtime/linux-x64/libatomic.so.1'));
  const wrong = await problemsWithout('runtime/linux-arm64/node', (file) => writeFileSync(file, x64));
  expect(wrong).toEqual([expect.stringMatching(/node is not for arm64$/)]);
});

test('the packaged main process starts, answers its page, and opens a shell', async (context) => {
  needsDistribution(context);
  const app = path.join(folder, 'app');
  for (const [file, content] of readAppArchive(path.join(resources, 'app.asar'))) {
    mkdirSync(path.dirname(path.join(app, file)), { recursive: true });
    writeFileSync(path.join(app, file), content);
  }
  const electron = path.join(app, 'node_modules/electron');
  mkdirSync(electron, { recursive: true });
  cpSync(path.join(import.meta.dirname, 'packaging/electron-stand-in.mjs'), path.join(electron, 'index.mjs'));
  writeFileSync(path.join(electron, 'package.json'), '{ "name": "electron", "exports": "./index.mjs" }');
  const start = path.join(folder, 'start.mjs');
  writeFileSync(start, `process.resourcesPath = process.env['RESOURCES'];\nawait import(process.env['MAIN']);\n`);
  const child = fork(start, {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      SHELL: '/bin/sh',
      XDG_STATE_HOME: path.join(folder, 'state'),
      PACKAGED_APP: app,
      RESOURCES: resources,
      MAIN: path.join(app, 'dist/main/electron.js'),
    },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (words += chunk.toString()));
  await expect.poll(() => words).toContain('Holdfast is ready: holdfast://app/');

  const port: LinePort = {
    send: (line) => child.send(line),
    onLine: (listener) => child.on('message', (line) => listener(line as string)),
    onClose: (listener) => child.once('exit', () => listener()),
    close: () => child.disconnect(),
  };
  const client = createClient(appApi, port, 'test');
  expect(await client.call('app', {})).toMatchObject({ host: 'electron', version: '0.1.0' });
  expect((await client.call('practice', {})).obstacle).toMatchObject({ code: 'practice-needs-checkout' });
  let shell = '';
  client.on('terminalData', ({ data }) => (shell += data));
  const { terminal } = await client.call('openLocalTerminal', { columns: 80, rows: 24 });
  await client.call('typeInTerminal', { terminal, data: 'echo $((6 * 7))\n' });
  await expect.poll(() => shell).toMatch(/\b42\b/);
  await client.call('closeTerminal', { terminal });

  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number | null];
  expect({ code, words: words.replace(/^Holdfast is ready.*\n/m, '') }).toEqual({ code: 0, words: '' });
});
