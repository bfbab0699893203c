/** A laptop in front of real servers of the lab: its own state, its own ~/.ssh, no key, nothing known yet. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createSecretStore } from '../../src-main/secrets/index.ts';
import {
  createServerAccess,
  createServersPart,
  fileLoginMemory,
  hostKeysFileIn,
  type ServerAccess,
} from '../../src-main/servers/index.ts';
import { parseSshConfig } from '../../src-main/ssh/ssh-config.ts';
import type { AppPart } from '../../src-main/app.ts';
import type { ServerHandlers } from '../../src-main/app-api/index.ts';
import type { Lab } from '../lab/index.ts';

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

  access(): ServerAccess {
    return createServerAccess({
      secrets: createSecretStore({}),
      hostKeysFile: this.hostKeysFile,
      logins: fileLoginMemory(join(this.stateDirectory, 'logins.json')),
      sshConfig: () => parseSshConfig(this.#sshConfig()),
      agentSocket: null,
    });
  }

  serversPart(access = this.access()): AppPart<ServerHandlers> {
    return createServersPart({
      access,
      hostKeysFile: this.hostKeysFile,
      sshDirectory: this.sshDirectory,
      environment: { HOLDFAST_LAB: 'none-of-this-laptop' },
    });
  }
}
