/** A protected PostgreSQL on the lab's hosts, set up and watched with the command line only: what a person would type. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clusterStatusSchema, type ClusterStatus } from '../../../agent/contract/index.ts';
import { nodeCommand, repositoryRoot, run, until, type Lab, type RunResult } from '../../lab/index.ts';
import type { StoryContext } from '../story.ts';
import { assertDirectoriesEqual } from './manifest.ts';
import { postgresDirectory } from './postgres.ts';
import { virtualAddress } from './workload.ts';

export interface ClusterOptions {
  readonly witness?: boolean;
  /** An address that answers pings, in place of a witness. */
  readonly ping?: string;
  /** Of a cluster without one. */
  readonly withoutWitness?: string;
  readonly prefer?: string;
  readonly networks?: boolean;
  readonly extra?: string;
  /** What is replicated; that of PostgreSQL when not given. */
  readonly directory?: string;
  /** As they stand in the file; the service `app` when not given. */
  readonly start?: string;
  readonly stop?: string;
}

type ModuleStatus = ClusterStatus['modules'][number];

export class Cluster implements AsyncDisposable {
  readonly lab: Lab;
  readonly file: string;
  readonly #home: string;

  constructor(lab: Lab, options: ClusterOptions = {}) {
    this.lab = lab;
    this.#home = mkdtempSync(path.join(tmpdir(), 'holdfast-story-'));
    this.file = path.join(this.#home, 'cluster.yaml');
    this.configure(options);
  }

  configure(options: ClusterOptions): void {
    const networks = `networks:\n  - { name: lan, subnet: 10.77.0.0/24 }\n  - { name: sync, subnet: 10.78.0.0/24 }\n`;
    const router = options.ping === undefined ? '' : `witness: { ping: ${options.ping} }\n`;
    const witness = options.witness === false ? router : 'witness: { ssh: root@10.77.0.13 }\n';
    const policy = options.withoutWitness === undefined ? '' : `withoutWitness: ${options.withoutWitness}\n`;
    writeFileSync(
      this.file,
      `version: 1
cluster: story
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
${options.networks === true ? networks : ''}${witness}${policy}modules:
  - name: db
    kind: mirror
${options.prefer === undefined ? '' : `    prefer: ${options.prefer}\n`}    replicate:
      - path: ${options.directory ?? postgresDirectory}
    vip: ${virtualAddress}/24
    start: ${options.start ?? 'systemctl start app'}
    stop: ${options.stop ?? 'systemctl stop app'}
${options.extra ?? ''}`,
    );
  }

  async command(...words: readonly string[]): Promise<RunResult> {
    const script = path.join(repositoryRoot, 'src-main/command-line/main.ts');
    const settings = [
      `HOLDFAST_LAB=${this.lab.description.name}`,
      `XDG_STATE_HOME=${this.#home}`,
      `XDG_CONFIG_HOME=${this.#home}`,
    ];
    return run(['env', ...settings, ...nodeCommand(script, ...words)], { timeoutMs: 180_000 });
  }

  async must(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.command(...words);
    if (code !== 0) throw new Error(`holdfast ${words.join(' ')}: exit ${String(code)}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async status(): Promise<ClusterStatus> {
    const { stdout, stderr } = await this.command('status', '--json', '--cluster', this.file);
    try {
      return clusterStatusSchema.parse(JSON.parse(stdout));
    } catch (error) {
      throw new Error(`status --json: ${stdout}\n${stderr}`, { cause: error });
    }
  }

  async module(): Promise<ModuleStatus> {
    const module = (await this.status()).modules[0];
    if (module === undefined) throw new Error('no module in the status');
    return module;
  }

  async waitFor(what: string, good: (module: ModuleStatus) => boolean, timeoutMs = 60_000): Promise<ModuleStatus> {
    let last: ModuleStatus | undefined;
    try {
      await until(
        what,
        timeoutMs,
        async () => {
          last = await this.module();
          return good(last);
        },
        200,
      );
    } catch (error) {
      throw new Error(
        `waited ${String(timeoutMs / 1000)} s for ${what}; last status:\n${JSON.stringify(last, null, 1)}`,
        { cause: error },
      );
    }
    if (last === undefined) throw new Error('no status');
    return last;
  }

  async waitUntilProtected(timeoutMs = 90_000): Promise<ModuleStatus> {
    return this.waitFor(
      '"protected"',
      (module) => module.protected && stateOf(module, 'n1') !== stateOf(module, 'n2'),
      timeoutMs,
    );
  }

  async primary(): Promise<string> {
    const module = await this.waitFor('a primary', (one) => activeNodes(one).length === 1);
    return activeNodes(module)[0] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#home, { recursive: true, force: true });
    return Promise.resolve();
  }
}

export function stateOf(module: ModuleStatus, node: string): string {
  return module.nodes.find((one) => one.name === node)?.state ?? 'unknown';
}

export function activeNodes(module: ModuleStatus): string[] {
  return module.nodes.filter((one) => one.state === 'primary' || one.state === 'alone').map((one) => one.name);
}

export function otherNode(name: string): string {
  return name === 'n1' ? 'n2' : 'n1';
}

/** Both copies, below every mount, after the application was stopped: byte-identical. */
export async function assertCopiesEqual(t: StoryContext, cluster: Cluster): Promise<void> {
  t.step('stop the module and compare both copies byte by byte');
  await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
  await assertDirectoriesEqual(t.host('n1'), postgresDirectory, t.host('n2'), postgresDirectory);
  await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
}
