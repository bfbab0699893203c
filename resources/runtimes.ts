/**
 * What servers run on, for both architectures whatever this machine is: npm installs only this platform's Node, and libatomic.so.1 belongs to
 * the system. Gathered into dist/runtime, from where it is packaged.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { architectures, findLibrary, findNode, type Architecture } from '../src-main/install/packages.ts';
import { repositoryRoot } from './tools.ts';

export const runtimeDirectory = join(repositoryRoot, 'dist/runtime');
const cacheDirectory = join(repositoryRoot, 'dist/cache');

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});
const packedSchema = z.array(z.object({ filename: z.string() }));

function run(program: string, args: readonly string[], directory: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${(error?.message ?? stderr).trim().split('\n').slice(-3).join(' ')}`);
}

/** npm's own program file under this Node, so that no shell is needed; without npm above us, whatever PATH has. */
function npm(args: readonly string[], directory: string): string {
  const program = process.env['npm_execpath'];
  return program?.endsWith('.js') === true
    ? run(process.execPath, [program, ...args], directory)
    : run('npm', args, directory);
}

/** Fetched by npm once, and held against the lockfile as `npm ci` would. */
function fetchNode(architecture: Architecture): string {
  const name = `node-linux-${architecture}`;
  const lock = lockSchema.parse(JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json does not name ${name}.`);
  const target = join(cacheDirectory, `${name}-${version}`, 'node');
  if (existsSync(target)) return target;
  console.log(`Fetching ${name}@${version} (about 50 MB, once) …`);
  mkdirSync(cacheDirectory, { recursive: true });
  const work = mkdtempSync(join(cacheDirectory, 'fetch-'));
  try {
    const answer = packedSchema.parse(
      JSON.parse(npm(['pack', `${name}@${version}`, '--json', '--loglevel=error'], work)),
    );
    const archive = join(work, answer[0]?.filename ?? '');
    const [algorithm = '', expected] = integrity.split(/-(.*)/s);
    const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
    if (found !== expected)
      throw new Error(`${name}@${version} is not what package-lock.json says: ${algorithm}-${found}.`);
    run('tar', ['-xzf', archive, 'package/bin/node'], work);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(work, 'package/bin/node'), target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Of the cross compiler's packages, which Debian and Ubuntu have for every machine; apt checks their signature. */
function fetchLibrary(architecture: Architecture): string {
  const target = join(cacheDirectory, `libatomic-${architecture}`, 'libatomic.so.1');
  if (existsSync(target)) return target;
  const debianPackage = architecture === 'x64' ? 'libatomic1-amd64-cross' : 'libatomic1-arm64-cross';
  mkdirSync(cacheDirectory, { recursive: true });
  const work = mkdtempSync(join(cacheDirectory, 'fetch-'));
  try {
    run('apt-get', ['download', '-q', debianPackage], work);
    const [archive = ''] = globSync('*.deb', { cwd: work });
    run('dpkg-deb', ['-x', archive, 'out'], work);
    const [library] = globSync('out/usr/*/lib/libatomic.so.1', { cwd: work });
    if (library === undefined) throw new Error(`${debianPackage} holds no libatomic.so.1.`);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(work, library), target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** As an installation from this checkout would take it; undefined: not on this machine. */
function present(find: typeof findNode, architecture: Architecture): string | undefined {
  try {
    return find(architecture, { runtimeDirectory: join(repositoryRoot, 'resources/runtime') });
  } catch {
    return undefined;
  }
}

/** Faults are sentences with what to do: an app without one of them could not install on such servers. */
export function gatherRuntimes(): void {
  for (const architecture of architectures) {
    const target = join(runtimeDirectory, `linux-${architecture}`);
    mkdirSync(target, { recursive: true });
    try {
      copyFileSync(present(findNode, architecture) ?? fetchNode(architecture), join(target, 'node'));
    } catch (error) {
      throw new Error(
        `There is no Node for ${architecture} servers here, and it could not be fetched (${String(error)}). ` +
          `It needs the npm registry once, or the program at resources/runtime/linux-${architecture}/node.`,
        { cause: error },
      );
    }
    try {
      copyFileSync(present(findLibrary, architecture) ?? fetchLibrary(architecture), join(target, 'libatomic.so.1'));
    } catch (error) {
      throw new Error(
        `There is no libatomic.so.1 for ${architecture} servers here, and it could not be fetched (${String(error)}). ` +
          `On Debian, apt-get update may help; or put the file of such a server at resources/runtime/linux-${architecture}/libatomic.so.1.`,
        { cause: error },
      );
    }
  }
}
