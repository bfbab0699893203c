/** The parts of the app, put together: what each needs of another is handed to it here and nowhere else. */
import { Fault } from '../agent/contract/index.ts';
import { clusterMethods } from './app-api/clusters.ts';
import { historyMethods } from './app-api/history.ts';
import { practiceMethods } from './app-api/practice.ts';
import { serverMethods } from './app-api/servers.ts';
import { terminalMethods } from './app-api/terminals.ts';
import { wizardMethods } from './app-api/wizard.ts';
import { readAppVersion, type AppPart, type AppParts } from './app.ts';
import { userStateDirectory } from './cluster/index.ts';
import { createPreferencesPart } from './preferences/index.ts';

export interface PartsOptions {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly host: 'browser' | 'electron';
  /** What is kept between two starts; as the environment says when not given. */
  readonly stateDirectory?: string;
}

/** What this version does not have answers so, by name. */
function absentPart<Handlers>(methods: Readonly<Record<string, unknown>>): AppPart<Handlers> {
  const handlers = Object.keys(methods).map((method) => [
    method,
    () =>
      Promise.reject(new Fault('not-in-this-version', { message: `${method} is not in this version.` }, { method })),
  ]);
  const served = Object.fromEntries(handlers) as Handlers;
  return { serve: () => served, [Symbol.asyncDispose]: () => Promise.resolve() };
}

export function createParts(options: PartsOptions): AppParts {
  const stateDirectory = options.stateDirectory ?? userStateDirectory();
  return {
    clusters: absentPart(clusterMethods),
    history: absentPart(historyMethods),
    servers: absentPart(serverMethods),
    wizard: absentPart(wizardMethods),
    terminals: absentPart(terminalMethods),
    practice: absentPart(practiceMethods),
    preferences: createPreferencesPart({
      stateDirectory,
      version: readAppVersion(options.root),
      host: options.host,
      keychain: false,
    }),
  };
}
