/** A laptop in front of real servers of the lab: its own state, its own ~/.ssh, no key, nothing known yet. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createClustersPart } from '../../src-main/clusters/index.ts';
import { createSecretStore } from '../../src-main/secrets/index.ts';
import {
  createServerAccess,
  createServersPart,
  fileLoginMemory,
  hostKeysFileIn,
  type ServerAccess,
} from '../../src-main/servers/index.ts';
import { parseSshConfig } from '../../src-main/ssh/ssh-config.ts';
import { createTerminalsPart } from '../../src-main/terminals/index.ts';
import { createWizardPart, type WizardPart } from '../../src-main/wizard/index.ts';
import type { AppParts } from '../../src-main/app.ts';
import type { Lab } from '../lab/index.ts';
import { demonstrate } from './demonstration-parts.ts';

export interface LabParts extends AppParts {
  readonly wizard: WizardPart;
}

export class LabLaptop {
  readonly stateDirectory: string;
  /** Its ~/.ssh, empty. */
  readonly sshDirectory: string;
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.stateDirectory = mkdtempSync(join(tmpdir(), 'holdfast-laptop-'));
    this.sshDirectory = join(this.stateDirectory, 'ssh');
    mkdirSync(this.sshDirectory);
    onTestFinished(() => rmSync(this.stateDirectory, { recursive: true, force: true }));
  }

  /** Where the app pins host keys. */
  get hostKeysFile(): string {
    return hostKeysFileIn(this.stateDirectory);
  }
  get knownHostsFile(): string {
    return join(this.sshDirectory, 'known_hosts');
  }

  /** The way into the lab and nothing else: no key opens it. */
  #sshConfig(): string {
    const { hosts, witness } = this.#lab.summary();
    const all = witness === null ? hosts : [...hosts, witness];
    return all
      .map(
        ({ address, proxyCommand }) =>
          `Host ${address}\n  ProxyCommand ${proxyCommand}\n  ConnectTimeout 5\n  IdentityFile /nonexistent\n  UserKnownHostsFile ${this.knownHostsFile}\n`,
      )
      .join('');
  }

  #access(): ServerAccess {
    return createServerAccess({
      secrets: createSecretStore({}),
      hostKeysFile: this.hostKeysFile,
      logins: fileLoginMemory(join(this.stateDirectory, 'logins.json')),
      sshConfig: () => parseSshConfig(this.#sshConfig()),
      agentSocket: null,
    });
  }

  /** One copy of the app: everything that meets servers is real. */
  parts(): LabParts {
    const { stateDirectory } = this;
    const access = this.#access();
    const clusters = createClustersPart({
      stateDirectory,
      connect: access.connect,
      distrust: access.distrust,
      onGiven: access.onGiven,
    });
    return {
      ...demonstrate(),
      clusters,
      servers: createServersPart({
        access,
        hostKeysFile: this.hostKeysFile,
        sshDirectory: this.sshDirectory,
        environment: { HOLDFAST_LAB: 'none-of-this-laptop' },
      }),
      wizard: createWizardPart({ stateDirectory, servers: access }),
      terminals: createTerminalsPart({ access, machineOf: (cluster, node) => clusters.machineOf(cluster, node) }),
    };
  }

  /** Somebody has compared these keys before: the way in begins at the password. */
  knows(host: string, publicKey: string): void {
    appendFileSync(this.hostKeysFile, `${host} ${publicKey.split(' ').slice(0, 2).join(' ')}\n`);
  }
}
