/** The clusters that this laptop knows, as every screen needs them: by name in the header and the palette, in full on the start screen. */
import type { KnownCluster } from '../src-main/app-api/index.ts';
import { app } from './app.svelte.ts';

class Clusters {
  /** Null: not told yet. */
  list = $state.raw<readonly KnownCluster[] | null>(null);

  constructor() {
    app.on('clusters', (list) => (this.list = list));
    app.whenConnected(() => void this.#read());
  }

  async #read(): Promise<void> {
    try {
      this.list = await app.call('clusters', {});
    } catch {
      // Lost on the way: the next connection reads it again, and the frame says that there is none.
    }
  }

  nameOf(id: string): string | null {
    return this.list?.find((known) => known.id === id)?.cluster ?? null;
  }
}

export const clusters = new Clusters();
