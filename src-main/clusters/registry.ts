/** The clusters that this laptop knows, as its state directory says now: the command line and other copies of the app write there too. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import {
  configurationOf,
  forgetClusterById,
  knownClusters,
  rememberCluster,
  type ChosenCluster,
  type KnownCluster,
} from '../cluster/index.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { writeStateText } from '../state-file.ts';

export interface RegisteredCluster {
  readonly known: KnownCluster;
  /** Or why its configuration cannot be used. */
  readonly chosen: ChosenCluster | FaultRecord;
}

export async function readRegistry(stateDirectory: string): Promise<RegisteredCluster[]> {
  const all = await knownClusters(stateDirectory);
  return Promise.all(
    all.map(async (known) => {
      try {
        return { known, chosen: await configurationOf(known) };
      } catch (error) {
        return { known, chosen: Fault.from(error).toRecord() };
      }
    }),
  );
}

/**
 * By the text of its file. A page in a browser cannot say where a file came from: then the text is kept here, under a name that is the same
 * for the same servers, so that adding it twice is adding it once. Faults: those of the configuration.
 */
export async function addCluster(stateDirectory: string, text: string, file: string): Promise<string> {
  const configuration = parseConfiguration(text, path.basename(file) || 'configuration');
  let place = file;
  if (!path.isAbsolute(file)) {
    const servers = configuration.nodes.map((node) => `${node.ssh}:${node.port ?? 22}`).join(' ');
    const mark = createHash('sha256').update(servers).digest('hex').slice(0, 8);
    const directory = path.join(stateDirectory, 'configurations');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    place = path.join(directory, `${configuration.cluster}-${mark}.yaml`);
    await writeStateText(place, text);
  }
  return rememberCluster(configuration, place, text, { stateDirectory });
}

export function forgetRegistered(stateDirectory: string, id: string): Promise<void> {
  return forgetClusterById(id, stateDirectory);
}
