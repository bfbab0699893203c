/** Where this program has what it puts on servers: in a checkout, built when it is needed, or beside the packaged app. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { PackageSources } from './packages.ts';
import { programRoot } from './version.ts';

export interface ProgramFiles {
  readonly packages: PackageSources;
  /** Holds `systemd/`. */
  readonly resourcesDirectory: string;
}

export interface ProgramPlace {
  /** Holds package.json. */
  readonly root: string;
  /** Where Electron keeps what is not in the app's archive; undefined under plain Node. */
  readonly resourcesPath: string | undefined;
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

function thisPlace(): ProgramPlace {
  const resourcesPath = 'resourcesPath' in process ? process.resourcesPath : undefined;
  return {
    root: programRoot(),
    resourcesPath: typeof resourcesPath === 'string' ? resourcesPath : undefined,
    platform: process.platform,
    environment: process.env,
  };
}

/** An installed app may not write where it stands. */
function userCacheDirectory({ platform, environment }: ProgramPlace): string {
  const given = environment['XDG_CACHE_HOME'];
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, 'holdfast');
  if (platform === 'win32' && environment['LOCALAPPDATA'] !== undefined)
    return path.join(environment['LOCALAPPDATA'], 'holdfast', 'cache');
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Caches', 'holdfast');
  return path.join(homedir(), '.cache', 'holdfast');
}

export function programFiles(place: ProgramPlace = thisPlace()): ProgramFiles {
  const { root, resourcesPath, environment } = place;
  const givenAgent = environment['HOLDFAST_AGENT_DIRECTORY'];
  // Electron itself, started on a checkout, has a resources folder too, without anything of ours.
  if (resourcesPath !== undefined && existsSync(path.join(resourcesPath, 'agent', 'version.json'))) {
    return {
      packages: {
        cacheDirectory: userCacheDirectory(place),
        agentDirectory: givenAgent ?? path.join(resourcesPath, 'agent'),
        runtimeDirectory: path.join(resourcesPath, 'runtime'),
      },
      resourcesDirectory: resourcesPath,
    };
  }
  return {
    packages: {
      cacheDirectory: path.join(root, 'dist', 'cache'),
      agentDirectory: givenAgent ?? path.join(root, 'dist', 'agent'),
      runtimeDirectory: path.join(root, 'resources', 'runtime'),
    },
    resourcesDirectory: path.join(root, 'resources'),
  };
}
