/** What the installer put under `/etc/holdfast`. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { clusterRecordSchema, Fault, nodeRecordSchema } from '../contract/index.ts';
import { readIfThere, removeDurably, writeDurably } from './durable-file.ts';
import type { ConfigurationStore } from './ports.ts';

export function fileConfigurationStore(directory: string): ConfigurationStore {
  const file = path.join(directory, 'cluster.json');
  return {
    async load() {
      const text = await readIfThere(file);
      if (text === null) return null;
      try {
        return clusterRecordSchema.parse(JSON.parse(text));
      } catch (error) {
        throw new Fault(
          'configuration-unreadable',
          { message: `${file} cannot be read.`, remedy: 'Apply the configuration again.' },
          {},
          error,
        );
      }
    },
    save: (record) => writeDurably(file, `${JSON.stringify(record, null, 2)}\n`),
    remove: () => removeDurably(file),
    secret: () => readFile(path.join(directory, 'cluster.secret'), 'utf8'),
  };
}

/** `/etc/holdfast/node.json`. Fault: node-unnamed. */
export async function loadNodeName(directory: string): Promise<string> {
  const text = await readIfThere(path.join(directory, 'node.json'));
  if (text === null)
    throw new Fault('node-unnamed', {
      message: `${directory}/node.json is missing: this machine has no name in a cluster.`,
      remedy: 'Apply the configuration from the laptop; the installer writes it.',
    });
  return nodeRecordSchema.parse(JSON.parse(text)).node;
}
