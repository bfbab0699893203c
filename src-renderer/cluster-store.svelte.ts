/** What the screens show, as the main process tells it; connects again by itself when that is restarted. */
import { createClient } from '../agent/contract/index.ts';
import { appApi, type ClusterView } from '../src-main/app-api/index.ts';
import { openScreenPort } from './screen-port.ts';

const reconnectPauseMs = 2000;

export class ClusterStore {
  view = $state<ClusterView>({ kind: 'reading' });
  connected = $state(true);
  #refresh: () => void = () => undefined;

  connect(): void {
    const client = createClient(appApi, openScreenPort(), 'screen');
    const show = (view: ClusterView): void => {
      this.connected = true;
      this.view = view;
    };
    client.on('cluster', show);
    client.onClose(() => {
      this.connected = false;
      setTimeout(() => this.connect(), reconnectPauseMs);
    });
    this.#refresh = () => {
      // A failure closes the connection, and that is shown.
      client.call('refresh', {}).then(show, () => undefined);
    };
    client.call('cluster', {}).then(show, () => undefined);
  }

  refresh(): void {
    this.#refresh();
  }
}
