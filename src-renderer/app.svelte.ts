/** The conversation with the main process, and which screen is open. Connects again by itself when the app is started again. */
import {
  createClient,
  Fault,
  type EventOf,
  type Params,
  type Result,
  type RpcClient,
} from '../agent/contract/index.ts';
import { appApi, type AppApi } from '../src-main/app-api/index.ts';
import { openScreenPort } from './screen-port.ts';

export type Route =
  | { readonly screen: 'start' }
  | { readonly screen: 'wizard'; readonly draft: string }
  | { readonly screen: 'cluster'; readonly cluster: string };

type Methods = AppApi['methods'];
type Events = AppApi['events'];

const reconnectPauseMs = 1000;

/** In the address, so that a page that is read again stays where it was. */
function routeOf(hash: string): Route {
  const [, screen = '', id = ''] = hash.split('/');
  if (screen === 'wizard' && id !== '') return { screen, draft: decodeURIComponent(id) };
  if (screen === 'cluster' && id !== '') return { screen, cluster: decodeURIComponent(id) };
  return { screen: 'start' };
}
function hashOf(route: Route): string {
  switch (route.screen) {
    case 'start':
      return '#/';
    case 'wizard':
      return `#/wizard/${encodeURIComponent(route.draft)}`;
    case 'cluster':
      return `#/cluster/${encodeURIComponent(route.cluster)}`;
  }
}

class App {
  /** The main process is there. */
  connected = $state(true);
  route = $state.raw<Route>(routeOf(location.hash));
  /** What the main process says of itself; null until it has. */
  about = $state.raw<Result<AppApi, 'app'> | null>(null);
  #client: RpcClient<AppApi> | null = null;
  readonly #onConnect = new Set<() => void>();
  readonly #listeners = new Map<string, readonly ((data: never) => void)[]>();

  constructor() {
    addEventListener('hashchange', () => (this.route = routeOf(location.hash)));
  }

  connect(): void {
    const client = createClient(appApi, openScreenPort(), 'screen');
    this.#client = client;
    for (const event of Object.keys(appApi.events) as (keyof Events)[]) {
      client.on(event, (data) => {
        for (const listener of this.#listeners.get(event) ?? []) listener(data as never);
      });
    }
    client.onClose(() => {
      if (this.#client !== client) return;
      this.#client = null;
      this.connected = false;
      setTimeout(() => this.connect(), reconnectPauseMs);
    });
    client.ready.then(
      () => {
        this.connected = true;
        for (const listener of this.#onConnect) listener();
      },
      () => undefined,
    );
  }

  /** Faults as the main process gave them; app-stopped and connection-lost when it is gone. */
  async call<M extends keyof Methods>(
    method: M,
    params: Params<AppApi, M>,
    signal?: AbortSignal,
  ): Promise<Result<AppApi, M>> {
    const client = this.#client;
    if (client === null)
      throw new Fault('app-stopped', {
        message: 'The app behind this page has stopped.',
        remedy:
          'Start it again and open the link that it prints. If only the way to it was cut, this page reconnects by itself.',
      });
    return client.call(method, params, signal);
  }

  on<E extends keyof Events>(event: E, listener: (data: EventOf<AppApi, E>) => void): () => void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return () => {
      const others = (this.#listeners.get(event) ?? []).filter((one) => one !== listener);
      this.#listeners.set(event, others);
    };
  }

  /** Now, if connected, and after every new connection: what a screen has subscribed to is unknown to a new main process. */
  whenConnected(listener: () => void): () => void {
    this.#onConnect.add(listener);
    if (this.#client !== null) this.#client.ready.then(listener, () => undefined);
    return () => this.#onConnect.delete(listener);
  }

  go(route: Route): void {
    location.hash = hashOf(route);
  }
}

export const app = new App();
