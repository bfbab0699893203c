/** Is a packaged app whole? Looked at from outside, since it cannot be run where there is no Electron. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { agentPackage, architectures, runtimePackage, type Architecture } from '../src-main/install/packages.ts';
import { programFiles } from '../src-main/install/program-files.ts';
import { readUnitTexts } from '../src-main/install/unit-files.ts';

interface ArchiveEntry {
  readonly files?: Readonly<Record<string, ArchiveEntry>> | undefined;
  readonly offset?: string | undefined;
  readonly size?: number | undefined;
  readonly unpacked?: boolean | undefined;
}
const entrySchema: z.ZodType<ArchiveEntry> = z.lazy(() =>
  z.object({
    files: z.record(z.string(), entrySchema).optional(),
    offset: z.string().optional(),
    size: z.number().optional(),
    unpacked: z.boolean().optional(),
  }),
);

/** Path → content. An asar is a JSON index behind four 32-bit sizes, then the files; what is unpacked lies beside it. */
export function readAppArchive(file: string): ReadonlyMap<string, Buffer> {
  const bytes = readFileSync(file);
  const index = entrySchema.parse(JSON.parse(bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12))));
  const base = 8 + bytes.readUInt32LE(4);
  const contents = new Map<string, Buffer>();
  const visit = (entry: ArchiveEntry, path: string): void => {
    for (const [name, child] of Object.entries(entry.files ?? {})) {
      const inside = path === '' ? name : `${path}/${name}`;
      if (child.files !== undefined) visit(child, inside);
      else if (child.unpacked === true) contents.set(inside, readFileSync(join(`${file}.unpacked`, inside)));
      else {
        const begin = base + Number(child.offset);
        contents.set(inside, bytes.subarray(begin, begin + (child.size ?? 0)));
      }
    }
  };
  visit(index, '');
  return contents;
}

/** The folder that Electron calls `resourcesPath`, wherever this platform has it below the output folder. */
export function packagedResources(outputDirectory: string): string {
  const [archive] = globSync('**/app.asar', { cwd: outputDirectory });
  if (archive === undefined) throw new Error(`There is no packaged app below ${outputDirectory}.`);
  return dirname(join(outputDirectory, archive));
}

/** e_machine of the ELF header (elf.h). */
const elfMachines: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 };

function runtimeProblems(resources: string, architecture: Architecture): string[] {
  return ['node', 'libatomic.so.1'].flatMap((name) => {
    const file = join(resources, 'runtime', `linux-${architecture}`, name);
    if (!existsSync(file)) return [`${file} is missing`];
    const header = readFileSync(file).subarray(0, 20);
    const isElf = header.length === 20 && header.readUInt32BE(0) === 0x7f454c46;
    return isElf && header.readUInt16LE(18) === elfMachines[architecture] ? [] : [`${file} is not for ${architecture}`];
  });
}

const versionSchema = z.object({ files: z.record(z.string(), z.string()) });

function agentProblems(resources: string): string[] {
  const directory = join(resources, 'agent');
  const version = join(directory, 'version.json');
  if (!existsSync(version)) return [`${version} is missing`];
  const { files } = versionSchema.parse(JSON.parse(readFileSync(version, 'utf8')));
  return Object.entries(files).flatMap(([name, hash]) => {
    const file = join(directory, name);
    if (!existsSync(file)) return [`${file} is missing`];
    const found = createHash('sha256').update(readFileSync(file)).digest('hex');
    return found === hash ? [] : [`${file} is not the one that version.json names`];
  });
}

const inArchive = [
  'package.json',
  'LICENSE',
  'dist/main/electron.js',
  'dist/main/electron-preload.cjs',
  'dist/renderer/index.html',
  'node_modules/node-pty/package.json',
  `node_modules/@lydell/node-pty-${process.platform}-${process.arch}/package.json`,
];

/** Empty: everything that the app installs and runs is inside, and found by the same functions that look for it when it runs. */
export async function packagedProblems(resources: string, cacheDirectory: string): Promise<string[]> {
  const archive = readAppArchive(join(resources, 'app.asar'));
  const missing = inArchive.filter((path) => !archive.has(path)).map((path) => `${path} is missing in app.asar`);
  const natives = [...archive.keys()].filter((path) => path.endsWith('.node'));
  const foreign = [...archive.keys()].filter((path) => /^node_modules\/(?!node-pty\/|@lydell\/node-pty-)/.test(path));
  const problems = [
    ...missing,
    ...(natives.length === 0 ? ['the native part of node-pty is missing'] : []),
    ...natives
      .filter((path) => !existsSync(join(resources, 'app.asar.unpacked', path)))
      .map((path) => `${path} is inside the archive, where no native code can be loaded from`),
    ...foreign.slice(0, 5).map((path) => `${path} does not belong into the app`),
    ...agentProblems(resources),
    ...architectures.flatMap((architecture) => runtimeProblems(resources, architecture)),
  ];
  if (problems.length > 0) return problems;
  const place = { root: join(resources, 'app.asar'), resourcesPath: resources, platform: process.platform };
  const { packages, resourcesDirectory } = programFiles({ ...place, environment: {} });
  const sources = { ...packages, cacheDirectory };
  readUnitTexts(resourcesDirectory);
  const found = [
    await agentPackage(sources),
    ...(await Promise.all(architectures.map((one) => runtimePackage(one, sources)))),
  ];
  return found.filter(({ size }) => size === 0).map(({ file }) => `${file} is empty`);
}
