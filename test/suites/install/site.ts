/** A site for the installation suites: bare hosts of the lab, a configuration for them, and the command line as a person starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseConfiguration } from '../../../src-main/configuration/index.ts';
import { connectFromHere } from '../../../src-main/cluster/index.ts';
import {
  applyCluster,
  programVersion,
  type ApplyOptions,
  type ApplyOutcome,
  type Connect,
  type PackageSources,
} from '../../../src-main/install/index.ts';
import { environmentSecrets, remembering } from '../../../src-main/secrets/index.ts';
import { repositoryRoot, type Lab } from '../../lab/index.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SiteText {
  readonly n1?: string;
  readonly n2?: string;
  readonly witness?: string;
  readonly path?: string;
  readonly vip?: string;
  readonly cluster?: string;
}

export class Site implements Disposable {
  readonly lab: Lab;
  readonly directory = mkdtempSync(path.join(tmpdir(), 'holdfast-site-'));
  readonly file = path.join(this.directory, 'site.yaml');
  agentDirectory: string;

  constructor(lab: Lab, agentDirectory: string) {
    this.lab = lab;
    this.agentDirectory = agentDirectory;
    writeFileSync(this.file, this.text());
  }

  /** n1 as root by key, n2 as a user whose sudo asks for a password. */
  text(change: SiteText = {}): string {
    return `version: 1
cluster: ${change.cluster ?? 'site-a'}
nodes:
  - { name: n1, ssh: ${change.n1 ?? 'root@10.77.0.11'} }
  - { name: n2, ssh: ${change.n2 ?? 'admin@10.77.0.12'} }
networks:
  - { name: lan, subnet: 10.77.0.0/24 }
witness: ${change.witness ?? '{ ssh: root@10.77.0.13 }'}
modules:
  - name: db
    kind: mirror
    prefer: n1
    replicate:
      - path: ${change.path ?? '/data/db'}
    vip: ${change.vip ?? '10.77.0.50/24'}
    start: 'true'
    stop: 'true'
`;
  }

  get environment(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      HOLDFAST_LAB: this.lab.name,
      HOLDFAST_SSH_PASSWORD: 'secret',
      HOLDFAST_AGENT_DIRECTORY: this.agentDirectory,
      XDG_STATE_HOME: path.join(this.directory, 'state'),
    };
  }

  get packages(): PackageSources {
    return {
      cacheDirectory: path.join(repositoryRoot, 'dist', 'cache'),
      agentDirectory: this.agentDirectory,
      runtimeDirectory: path.join(repositoryRoot, 'resources', 'runtime'),
    };
  }

  connect(environment: NodeJS.ProcessEnv = {}): Connect {
    const merged = { ...this.environment, ...environment };
    return connectFromHere({ environment: merged, secrets: remembering(environmentSecrets(merged)) });
  }

  async apply(text = this.text(), more: Partial<ApplyOptions> = {}): Promise<ApplyOutcome> {
    return applyCluster({
      configuration: parseConfiguration(text, 'site.yaml'),
      connect: this.connect(),
      packages: this.packages,
      resourcesDirectory: path.join(repositoryRoot, 'resources'),
      programVersion: programVersion(),
      ...more,
    });
  }

  /** The command line in a process of its own, without a terminal. */
  spawn(...words: readonly string[]): ChildProcess {
    const program = path.join(repositoryRoot, 'src-main/command-line/main.ts');
    return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...words], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async holdfast(...words: readonly string[]): Promise<CommandResult> {
    return ended(this.spawn(...words));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function ended(child: ChildProcess): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** Everything on the root file system of a host but logs, and what no installation concerns. */
export async function fileList(lab: Lab, host: string): Promise<string[]> {
  const pruned = ['/proc', '/sys', '/run', '/dev', '/tmp', '/var/log', '/var/tmp', '/var/lib/systemd'];
  const expression = pruned.map((directory) => `-path ${directory}`).join(' -o ');
  const text = await lab
    .host(host)
    .must(
      `find / -xdev \\( ${expression} \\) -prune -o -print; find /data /run/holdfast -path /data/lost+found -prune -o -print 2>/dev/null || true`,
    );
  // sudo's own note that a user has used it.
  return text
    .split('\n')
    .filter((line) => !line.endsWith('/.sudo_as_admin_successful'))
    .sort();
}
