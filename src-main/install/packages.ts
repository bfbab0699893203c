/** What travels to a server: the Node runtime of its architecture and the agent bundle, each one compressed archive, made once and cached. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { Fault } from '../../agent/contract/fault.ts';
import type { CopySource } from '../ssh/index.ts';
import { archive, type ArchiveFile } from './archive.ts';
import { runtimeProgram } from './layout.ts';
import { withOwnDirectoryAsRunpath } from './runpath.ts';

export const architectures = ['x64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const packageSchema = z.object({
  kind: z.enum(['runtime', 'agent']),
  /** Directory name on the server: `<sha256-12>` or `<version>-<sha256-12>`. */
  id: z.string(),
  version: z.string(),
  file: z.string(),
  size: z.number(),
  sha256: z.string(),
  unpackedBytes: z.number(),
});
/** A compressed archive on this machine. */
export type Package = Readonly<z.infer<typeof packageSchema>>;

/** Raised when what is made of the same sources changes. */
const recipeRevision = 2;
const compressionLevel = 6;

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Checked on the server by `sha256sum -c` after unpacking. */
function sums(files: readonly ArchiveFile[]): ArchiveFile {
  const text = files.map((file) => `${sha256(file.content)}  ${file.name}\n`).join('');
  return { name: 'SHA256SUMS', mode: 0o644, content: Buffer.from(text) };
}

async function cached(
  cacheDirectory: string,
  key: string,
  make: () => { kind: Package['kind']; id: string; version: string; files: ArchiveFile[] },
): Promise<Package> {
  const description = path.join(cacheDirectory, `${key}.json`);
  if (existsSync(description)) {
    const known = packageSchema.safeParse(JSON.parse(readFileSync(description, 'utf8')));
    if (known.success && existsSync(known.data.file) && statSync(known.data.file).size === known.data.size)
      return known.data;
  }
  const { kind, id, version, files } = make();
  const tar = archive([...files, sums(files)]);
  const data = await promisify(gzip)(tar, { level: compressionLevel });
  mkdirSync(cacheDirectory, { recursive: true });
  const file = path.join(cacheDirectory, `${key}.tar.gz`);
  const made: Package = { kind, id, version, file, size: data.length, sha256: sha256(data), unpackedBytes: tar.length };
  // By rename, the description last: a build that was interrupted leaves nothing that looks whole.
  writeFileSync(`${file}.${process.pid}.new`, data);
  renameSync(`${file}.${process.pid}.new`, file);
  writeFileSync(`${description}.${process.pid}.new`, JSON.stringify(made));
  renameSync(`${description}.${process.pid}.new`, description);
  return made;
}

export interface PackageSources {
  /** Where finished archives are kept: `dist/cache`, or the app's cache folder. */
  readonly cacheDirectory: string;
  /** Of `build-agent`: version.json and the files that it names. */
  readonly agentDirectory: string;
  /** Files that override what the machine has: `<dir>/linux-<arch>/{node,libatomic.so.1}`. */
  readonly runtimeDirectory: string;
}

const require = createRequire(import.meta.url);
const libraryDirectories: Readonly<Record<Architecture, readonly string[]>> = {
  x64: ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/x86_64-linux-gnu/lib'],
  arm64: [
    '/usr/lib/aarch64-linux-gnu',
    '/usr/aarch64-linux-gnu/lib',
    ...(process.arch === 'arm64' ? ['/usr/lib64'] : []),
  ],
};

function runtimeMissing(architecture: Architecture, what: string, remedy: string): Fault {
  return new Fault(
    'runtime-missing',
    { message: `${what} for ${architecture} servers is not on this machine.`, remedy },
    { architecture },
  );
}

/** On this machine. Fault: runtime-missing. */
export function findNode(architecture: Architecture, sources: Pick<PackageSources, 'runtimeDirectory'>): string {
  const own = path.join(sources.runtimeDirectory, `linux-${architecture}`, 'node');
  if (existsSync(own)) return own;
  try {
    return path.join(path.dirname(require.resolve(`node-linux-${architecture}/package.json`)), 'bin', 'node');
  } catch {
    throw runtimeMissing(
      architecture,
      'The Node runtime',
      `Install it: npm install --no-save --force node-linux-${architecture}, or put the program at ${own}.`,
    );
  }
}

/** On this machine. Fault: runtime-missing. */
export function findLibrary(architecture: Architecture, sources: Pick<PackageSources, 'runtimeDirectory'>): string {
  const own = path.join(sources.runtimeDirectory, `linux-${architecture}`);
  for (const directory of [own, ...libraryDirectories[architecture]]) {
    const file = path.join(directory, 'libatomic.so.1');
    if (existsSync(file)) return file;
  }
  const debian = architecture === 'x64' ? 'libatomic1' : 'libatomic1-arm64-cross';
  throw runtimeMissing(
    architecture,
    'libatomic.so.1',
    `Install it (Debian: ${debian}), or put the file of such a server at ${path.join(own, 'libatomic.so.1')}.`,
  );
}

export async function runtimePackage(architecture: Architecture, sources: PackageSources): Promise<Package> {
  const node = findNode(architecture, sources);
  const library = findLibrary(architecture, sources);
  const identity = [node, library].map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  const key = `runtime-${architecture}-${sha256([recipeRevision, ...identity].join('\n')).slice(0, 12)}`;
  return cached(sources.cacheDirectory, key, () => {
    const files = [
      { name: runtimeProgram, mode: 0o755, content: withOwnDirectoryAsRunpath(readFileSync(node)) },
      { name: `${path.posix.dirname(runtimeProgram)}/libatomic.so.1`, mode: 0o644, content: readFileSync(library) },
    ];
    return { kind: 'runtime', id: sha256(sums(files).content).slice(0, 12), version: architecture, files };
  });
}

const versionSchema = z.object({ version: z.string(), sha256: z.string(), files: z.record(z.string(), z.string()) });

export async function agentPackage(sources: PackageSources): Promise<Package> {
  const versionFile = path.join(sources.agentDirectory, 'version.json');
  if (!existsSync(versionFile)) {
    throw new Fault('agent-missing', {
      message: `There is no agent to install in ${sources.agentDirectory}.`,
      remedy: 'Build it: npm run build-agent',
    });
  }
  const description = versionSchema.parse(JSON.parse(readFileSync(versionFile, 'utf8')));
  const id = `${description.version}-${description.sha256.slice(0, 12)}`;
  return cached(sources.cacheDirectory, `agent-${id}-${recipeRevision}`, () => ({
    kind: 'agent',
    id,
    version: description.version,
    files: ['version.json', ...Object.keys(description.files)].map((name) => ({
      name,
      mode: 0o644,
      content: readFileSync(path.join(sources.agentDirectory, name)),
    })),
  }));
}

const readChunkBytes = 256 * 1024;

export function packageSource(archived: Package): CopySource {
  return {
    size: archived.size,
    sha256: archived.sha256,
    async prefixSha256(length) {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(archived.file, { end: length - 1 })) hash.update(chunk as Buffer);
      return hash.digest('hex');
    },
    read: (offset) =>
      createReadStream(archived.file, { start: offset, highWaterMark: readChunkBytes }) as AsyncIterable<Buffer>,
  };
}
