/** Every blocking operation of every lane of the replicator, as its source names them: the places where a server can die. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../lab/index.ts';

const sources = {
  primary: ['primary-ports.ts', 'parked-answer.ts'],
  acknowledgement: ['acknowledgement-ports.ts', 'parked-answer.ts'],
  secondary: ['secondary-ports.ts', 'secondary-lane.ts'],
} as const;
export type LaneName = keyof typeof sources;

export interface PlaceOnServer {
  readonly lane: LaneName;
  readonly operation: string;
}

export function placesOnServers(): PlaceOnServer[] {
  const places: PlaceOnServer[] = [];
  for (const lane of Object.keys(sources) as LaneName[])
    for (const file of sources[lane]) {
      const source = readFileSync(path.join(repositoryRoot, 'agent/replication', file), 'utf8');
      for (const [, operation = ''] of source.matchAll(/(?:\bname: |\boperation\(|\.sleep\()'([a-z ]+)'/g))
        places.push({ lane, operation });
    }
  return places;
}
