/** The parts of the app, put together: what each needs of another is handed to it here and nowhere else. */
import { Fault } from '../agent/contract/index.ts';
import { wizardMethods } from './app-api/wizard.ts';
import { readAppVersion, type AppPart, type AppParts } from './app.ts';
import { userStateDirectory } from './cluster/index.ts';
import { createClustersPart } from './clusters/index.ts';
import { createHistoryPart } from './history/index.ts';
import { createPracticePart, labCommandOf } from './practice/index.ts';
import { createPreferencesPart } from './preferences/index.ts';
import type { Keychain } from './secrets/index.ts';
import { createServersPart, hostKeysFileIn, serverAccessFromHere } from './servers/index.ts';
import { createTerminalsPart } from './terminals/index.ts';

export interface PartsOptions {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly host: 'browser' | 'electron';
  /** What is kept between two starts; as the environment says when not given. */
  readonly stateDirectory?: string;
  /** Where secrets outlive the app; not given: nowhere. */
  readonly keychain?: Keychain | null;
}

function notHere(method: string): Promise<never> {
  return Promise.reject(new Fault('not-in-this-version', { message: `${method} is not in this version.` }, { method }));
}

/** What this version does not have answers so, by name. */
function absentPart<Handlers>(methods: Readonly<Record<string, unknown>>): AppPart<Handlers> {
  const handlers = Object.keys(methods).map((method) => [method, () => notHere(method)]);
  const served = Object.fromEntries(handlers) as Handlers;
  return { serve: () => served, [Symbol.asyncDispose]: () => Promise.resolve() };
}

export function createParts(options: PartsOptions): AppParts {
  const { keychain = null } = options;
  const stateDirectory = options.stateDirectory ?? userStateDirectory();
  const access = serverAccessFromHere({ stateDirectory, keychain });
  const history = createHistoryPart({ stateDirectory });
  const clusters = createClustersPart({
    stateDirectory,
    connect: access.connect,
    distrust: access.distrust,
    onGiven: access.onGiven,
    record: (cluster, status) => history.record(cluster, status),
    onForgotten: (cluster) => history.forget(cluster),
  });
  return {
    clusters,
    history,
    servers: createServersPart({ access, hostKeysFile: hostKeysFileIn(stateDirectory) }),
    wizard: absentPart(wizardMethods),
    terminals: createTerminalsPart({ access, machineOf: (cluster, node) => clusters.machineOf(cluster, node) }),
    practice: createPracticePart({
      labCommand: labCommandOf(options.root),
      createDraft: () => notHere('createDraft'),
      hasDraft: () => Promise.resolve(false),
      forget: () => clusters.forgetPractice(),
    }),
    preferences: createPreferencesPart({
      stateDirectory,
      version: readAppVersion(options.root),
      host: options.host,
      keychain: keychain !== null,
    }),
  };
}
