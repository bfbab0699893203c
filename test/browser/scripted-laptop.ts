/** A laptop that knows one cluster: the real part for clusters on scripted servers, with a network and a clock that a test holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createClustersPart, type ClustersPart } from '../../src-main/clusters/index.ts';
import { rememberCluster } from '../../src-main/cluster/index.ts';
import { parseConfiguration } from '../../src-main/configuration/index.ts';
import type { AppParts } from '../../src-main/app.ts';
import { configurationText } from './demonstration-clusters.ts';
import { demonstrate } from './demonstration-parts.ts';
import { ScriptedCluster } from './scripted-servers.ts';

export class ScriptedLaptop {
  readonly stateDirectory: string;
  readonly servers: ScriptedCluster;
  /** Of the cluster, on this laptop. */
  readonly cluster: string;
  addresses: readonly string[] = ['10.77.0.100'];
  #sleptMs = 0;

  private constructor(stateDirectory: string, servers: ScriptedCluster, cluster: string) {
    this.stateDirectory = stateDirectory;
    this.servers = servers;
    this.cluster = cluster;
  }

  static async make(servers = new ScriptedCluster()): Promise<ScriptedLaptop> {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'holdfast-weather-'));
    onTestFinished(() => rmSync(stateDirectory, { recursive: true, force: true }));
    const file = join(stateDirectory, 'site-a.yaml');
    const configuration = parseConfiguration(configurationText, file);
    const cluster = await rememberCluster(configuration, file, configurationText, { stateDirectory });
    return new ScriptedLaptop(stateDirectory, servers, cluster);
  }

  get hash(): string {
    return `#/cluster/${this.cluster}`;
  }

  /** The lid is closed, and opened after this time. Timers stood still, the clock on the wall did not. */
  sleep(milliseconds: number): void {
    this.#sleptMs += milliseconds;
    this.servers.clockAheadMs += milliseconds;
  }

  /** One more copy of the app on this laptop. */
  parts(): AppParts & { readonly clusters: ClustersPart } {
    const clusters = createClustersPart({
      stateDirectory: this.stateDirectory,
      connect: this.servers.connect,
      laptop: { addresses: () => this.addresses },
      clock: {
        nowMs: () => performance.now(),
        wallMs: () => Date.now() + this.#sleptMs,
        after(delayMs, then) {
          const timer = setTimeout(then, delayMs);
          return () => clearTimeout(timer);
        },
      },
    });
    return { ...demonstrate(), clusters };
  }
}
