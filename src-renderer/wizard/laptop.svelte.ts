/** What this laptop knows by itself: servers in its files, its keys, its networks. Read once per wizard. */
import type { FoundServer } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';

export class Laptop {
  found = $state.raw<readonly FoundServer[]>([]);
  identities = $state.raw<readonly string[]>([]);
  subnets = $state.raw<readonly string[]>([]);
  /** Secrets can be kept beyond the end of the app. */
  keychain = $state(false);

  async read(): Promise<void> {
    // Each alone: what cannot be read is only not offered.
    await Promise.allSettled([
      app.call('discover', {}).then((found) => (this.found = found)),
      app.call('identities', {}).then((identities) => (this.identities = identities)),
      app.call('subnets', {}).then((subnets) => (this.subnets = subnets)),
      app.call('app', {}).then(({ keychain }) => (this.keychain = keychain)),
    ]);
  }
}
