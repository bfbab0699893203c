/** The parts of the app, put together: what each needs of another is handed to it here and nowhere else. */
import { readAppVersion, type AppParts } from './app.ts';
import { userStateDirectory } from './cluster/index.ts';
import { createClustersPart } from './clusters/index.ts';
import { createHistoryPart } from './history/index.ts';
import { createPracticePart, labCommandOf } from './practice/index.ts';
import { createPreferencesPart } from './preferences/index.ts';
import type { Keychain } from './secrets/index.ts';
import { createServersPart, hostKeysFileIn, readFacts, serverAccessFromHere } from './servers/index.ts';
import { createTerminalsPart } from './terminals/index.ts';
import { createWizardPart } from './wizard/index.ts';

export interface PartsOptions {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly host: 'browser' | 'electron';
  /** What is kept between two starts; as the environment says when not given. */
  readonly stateDirectory?: string;
  /** Where secrets outlive the app; not given: nowhere. */
  readonly keychain?: Keychain | null;
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
  const wizard = createWizardPart({ stateDirectory, servers: access });
  return {
    clusters,
    history,
    servers: createServersPart({ access, hostKeysFile: hostKeysFileIn(stateDirectory) }),
    wizard,
    terminals: createTerminalsPart({ access, machineOf: (cluster, node) => clusters.machineOf(cluster, node) }),
    practice: createPracticePart({
      labCommand: labCommandOf(options.root),
      readFacts: async (machine, signal) => {
        const beganAtMs = performance.now();
        await using transport = await access.transport(machine, signal);
        return await readFacts(transport, beganAtMs, signal);
      },
      createDraft: async (answers) => (await wizard.createDraft(answers, { practice: true })).id,
      hasDraft: (draft) => wizard.hasDraft(draft),
      forget: async () => {
        await wizard.removePracticeDrafts();
        await clusters.forgetPractice();
      },
    }),
    preferences: createPreferencesPart({
      stateDirectory,
      version: readAppVersion(options.root),
      host: options.host,
      keychain: keychain !== null,
    }),
  };
}
