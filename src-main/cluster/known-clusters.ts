/** The clusters that this user has worked with: their configuration files, and which was the last. Kept per user. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { parseConfiguration } from '../configuration/index.ts';

const knownSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  /** Where the file was when it was used; it may have gone since. */
  file: z.string(),
  text: z.string(),
  usedAt: z.iso.datetime(),
});
export type KnownCluster = z.infer<typeof knownSchema>;

export function userStateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['XDG_STATE_HOME'];
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, 'holdfast');
  if (process.platform === 'win32' && environment['LOCALAPPDATA'] !== undefined) {
    return path.join(environment['LOCALAPPDATA'], 'holdfast');
  }
  return path.join(homedir(), '.local', 'state', 'holdfast');
}

function clustersDirectory(): string {
  return path.join(userStateDirectory(), 'clusters');
}

/** Two clusters of the same name, of two customers, are two files. */
function fileName(cluster: string, file: string): string {
  return `${cluster}-${createHash('sha256').update(path.resolve(file)).digest('hex').slice(0, 8)}.json`;
}

async function write(known: KnownCluster): Promise<void> {
  const directory = clustersDirectory();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const target = path.join(directory, fileName(known.cluster, known.file));
  const temporary = `${target}.${process.pid}.new`;
  await writeFile(temporary, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, target);
}

export async function rememberCluster(configuration: Configuration, file: string, text: string): Promise<void> {
  await write({
    format: 1,
    cluster: configuration.cluster,
    file: path.resolve(file),
    text,
    usedAt: new Date().toISOString(),
  });
}

export async function forgetCluster(configuration: Configuration, file: string): Promise<void> {
  await rm(path.join(clustersDirectory(), fileName(configuration.cluster, file)), { force: true });
}

/** Last used first. */
export async function knownClusters(): Promise<KnownCluster[]> {
  const directory = clustersDirectory();
  const names = await readdir(directory).catch(() => []);
  const read = names
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => {
      const parsed = knownSchema.safeParse(JSON.parse(await readFile(path.join(directory, name), 'utf8')));
      return parsed.success ? [parsed.data] : [];
    });
  return (await Promise.all(read)).flat().sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
}

export interface ChosenCluster {
  readonly configuration: Configuration;
  readonly file: string;
  readonly text: string;
}

export async function readConfigurationFile(file: string): Promise<ChosenCluster> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Fault(
      'configuration-unreadable',
      {
        message: missing ? `There is no file ${file}.` : `${file} cannot be read.`,
        remedy: 'Give the path of the configuration file.',
      },
      { file },
      error,
    );
  }
  return { configuration: parseConfiguration(text, file), file, text };
}

/** The given file, else the last used cluster: its file as it is now, or as it was when the file has gone. Fault: no-cluster-known. */
export async function chooseCluster(clusterFile?: string): Promise<ChosenCluster> {
  if (clusterFile !== undefined) return readConfigurationFile(clusterFile);
  const [last] = await knownClusters();
  if (!last) {
    throw new Fault('no-cluster-known', {
      message: 'No cluster has been used from here yet.',
      remedy: 'Give its configuration file: --cluster FILE, or begin with: holdfast apply FILE',
    });
  }
  const current = await readFile(last.file, 'utf8').catch(() => last.text);
  try {
    return { configuration: parseConfiguration(current, last.file), file: last.file, text: current };
  } catch {
    // The file is being edited: what was applied last still tells how to reach the servers.
    return { configuration: parseConfiguration(last.text, last.file), file: last.file, text: last.text };
  }
}
