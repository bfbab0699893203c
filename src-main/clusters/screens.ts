/** Who looks at what: one entry per open page, so that a cluster is read as long as, and only as closely as, somebody looks at it. */
import type { Screen } from '../app.ts';
import type { ClusterWatch } from './cluster-watch.ts';

export class LookingScreen {
  readonly screen: Screen;
  /** Wants the list, unless it looks at a cluster. */
  #list = false;
  #cluster: string | null = null;
  readonly #looks = new Map<string, Disposable>();

  constructor(screen: Screen) {
    this.screen = screen;
  }

  get seesList(): boolean {
    return this.#list && this.#cluster === null;
  }
  /** Has asked for the list once: is to know when a cluster comes or goes. */
  get knowsList(): boolean {
    return this.#list;
  }
  get cluster(): string | null {
    return this.#cluster;
  }

  askForList(all: ReadonlyMap<string, ClusterWatch>): void {
    this.#list = true;
    this.follow(all);
  }

  lookAt(cluster: string | null, all: ReadonlyMap<string, ClusterWatch>): void {
    this.#cluster = cluster;
    const before = [...this.#looks.values()];
    this.#looks.clear();
    this.follow(all);
    // Last: what is looked at before and after goes on without a gap.
    for (const look of before) look[Symbol.dispose]();
  }

  /** Clusters may have come or gone. */
  follow(all: ReadonlyMap<string, ClusterWatch>): void {
    for (const [id, look] of this.#looks) {
      if (all.has(id)) continue;
      look[Symbol.dispose]();
      this.#looks.delete(id);
    }
    for (const [id, watch] of all) {
      const wanted = this.#cluster === null ? this.#list : this.#cluster === id;
      if (wanted && !this.#looks.has(id)) this.#looks.set(id, watch.look(this.#cluster === id ? 'closely' : 'list'));
    }
  }

  leave(): void {
    for (const look of this.#looks.values()) look[Symbol.dispose]();
    this.#looks.clear();
  }
}
