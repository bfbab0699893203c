/** One watch per cluster that this laptop knows, kept in step with the state directory. */
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import type { KnownCluster } from '../app-api/index.ts';
import { unknownCluster, type ChosenCluster, type KnownCluster as Known } from '../cluster/index.ts';
import { ClusterWatch, type WatchListener, type WatchSurroundings } from './cluster-watch.ts';
import { readRegistry } from './registry.ts';

interface Entry {
  known: Known;
  /** Why its configuration cannot be used; null: it can. */
  fault: FaultRecord | null;
}

export class KnownWatches {
  readonly watches = new Map<string, ClusterWatch>();
  readonly #entries = new Map<string, Entry>();
  readonly #stateDirectory: string;
  readonly #surroundings: WatchSurroundings;
  readonly #listenerOf: (cluster: string) => WatchListener;
  #reading: Promise<boolean> | null = null;
  /** What was written after a reading had begun may not be in it. */
  #requests = 0;

  constructor(stateDirectory: string, surroundings: WatchSurroundings, listenerOf: (cluster: string) => WatchListener) {
    this.#stateDirectory = stateDirectory;
    this.#surroundings = surroundings;
    this.#listenerOf = listenerOf;
  }

  /** Last used first. */
  list(): KnownCluster[] {
    return [...this.#entries.values()].map(({ known, fault }) => ({
      id: known.id,
      cluster: known.cluster,
      file: known.file,
      usedAt: known.usedAt,
      practice: known.practice ?? false,
      view:
        fault === null
          ? (this.watches.get(known.id)?.view ?? { kind: 'reading' })
          : { kind: 'unreadable', fault, since: known.usedAt, last: null },
    }));
  }

  /** Fault: cluster-unknown, those of the configuration. */
  async watch(id: string): Promise<ClusterWatch> {
    if (!this.#entries.has(id)) await this.read();
    const entry = this.#entries.get(id);
    const watch = this.watches.get(id);
    if (watch) return watch;
    throw entry?.fault ? Fault.fromRecord(entry.fault) : unknownCluster(id);
  }

  /** True: a cluster has come, gone or changed. */
  async read(): Promise<boolean> {
    this.#requests++;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<boolean> {
    let changed = false;
    let requests: number;
    do {
      requests = this.#requests;
      const registered = await readRegistry(this.#stateDirectory);
      const before = JSON.stringify([...this.#entries.values()]);
      this.#entries.clear();
      for (const { known, chosen } of registered) {
        this.#entries.set(known.id, { known, fault: 'configuration' in chosen ? null : chosen });
        if ('configuration' in chosen) this.#keep(known, chosen);
      }
      for (const [id, watch] of this.watches) {
        if (this.#entries.get(id)?.fault === null) continue;
        watch.stop();
        this.watches.delete(id);
      }
      changed ||= before !== JSON.stringify([...this.#entries.values()]);
    } while (requests !== this.#requests);
    return changed;
  }

  #keep(known: Known, chosen: ChosenCluster): void {
    const watch = this.watches.get(known.id);
    if (watch) watch.takeConfiguration(chosen);
    else {
      const practice = known.practice ?? false;
      const listener = this.#listenerOf(known.id);
      this.watches.set(known.id, new ClusterWatch(known.id, chosen, practice, this.#surroundings, listener));
    }
  }

  stop(): void {
    for (const watch of this.watches.values()) watch.stop();
  }
}
