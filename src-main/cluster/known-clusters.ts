/** The clusters that this user has worked with: their configuration files, and which was the last. Kept per user. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';

const fileSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  /** Where the file was when it was used; it may have gone since. */
  file: z.string(),
  text: z.string(),
  usedAt: z.iso.datetime(),
  /** Made by the practice mode: plugs may be pulled. */
  practice: z.boolean().optional(),
});
export type KnownCluster = z.infer<typeof fileSchema> & {
  /** The name of its file here: the same again when its configuration file is applied again. */
  readonly id: string;
};

export function userStateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['XDG_STATE_HOME'];
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, 'holdfast');
  if (process.platform === 'win32' && environment['LOCALAPPDATA'] !== undefined) {
    return path.join(environment['LOCALAPPDATA'], 'holdfast');
  }
  return path.join(homedir(), '.local', 'state', 'holdfast');
}

function clustersDirectory(stateDirectory: string): string {
  return path.join(stateDirectory, 'clusters');
}

/** Two clusters of the same name, of two customers, are two files. */
export function clusterId(cluster: string, file: string): string {
  return `${cluster}-${createHash('sha256').update(path.resolve(file)).digest('hex').slice(0, 8)}`;
}

function fileOf(id: string, stateDirectory: string): string {
  // The id comes from a screen; a name with a path in it would be another file.
  if (path.basename(id) !== id || id.startsWith('.')) throw unknownCluster(id);
  return path.join(clustersDirectory(stateDirectory), `${id}.json`);
}

export function unknownCluster(id: string): Fault {
  return new Fault(
    'cluster-unknown',
    {
      message: 'This cluster is not known on this laptop any more.',
      remedy: 'Add it again by its configuration file.',
    },
    { cluster: id },
  );
}

/** Returns its id. `practice` stays as it was when it is not given. */
export async function rememberCluster(
  configuration: Configuration,
  file: string,
  text: string,
  options: { readonly practice?: boolean; readonly stateDirectory?: string } = {},
): Promise<string> {
  const stateDirectory = options.stateDirectory ?? userStateDirectory();
  const id = clusterId(configuration.cluster, file);
  const target = fileOf(id, stateDirectory);
  const practice = options.practice ?? (await readStateFile(target, fileSchema))?.practice;
  await writeStateFile(target, {
    format: 1,
    cluster: configuration.cluster,
    file: path.resolve(file),
    text,
    usedAt: new Date().toISOString(),
    ...(practice === undefined ? {} : { practice }),
  });
  return id;
}

export async function forgetCluster(configuration: Configuration, file: string): Promise<void> {
  await forgetClusterById(clusterId(configuration.cluster, file));
}

export async function forgetClusterById(id: string, stateDirectory = userStateDirectory()): Promise<void> {
  await rm(fileOf(id, stateDirectory), { force: true });
}

/** Last used first. A file that is damaged is left out and left alone. */
export async function knownClusters(stateDirectory = userStateDirectory()): Promise<KnownCluster[]> {
  const directory = clustersDirectory(stateDirectory);
  const names = await readdir(directory).catch(() => []);
  const read = names
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => {
      const known = await readStateFile(path.join(directory, name), fileSchema);
      return known === null ? [] : [{ ...known, id: name.slice(0, -'.json'.length) }];
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
  return configurationOf(last);
}

/** Its file as it is now, or as it was applied last: when it has gone, is being edited, or has become another cluster's. */
export async function configurationOf(known: Pick<KnownCluster, 'cluster' | 'file' | 'text'>): Promise<ChosenCluster> {
  const { file } = known;
  const current = await readFile(file, 'utf8').catch(() => known.text);
  try {
    const configuration = parseConfiguration(current, file);
    if (configuration.cluster === known.cluster) return { configuration, file, text: current };
  } catch {
    // What was applied last still tells how to reach the servers.
  }
  return { configuration: parseConfiguration(known.text, file), file, text: known.text };
}
