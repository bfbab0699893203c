/** A network between two replicators of this machine, that can be lost: it takes bytes and gives none, or ends what goes through it. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class Network implements Disposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #lost = false;

  private constructor(target: { readonly address: string; readonly port: number }) {
    this.#server = createServer((near) => {
      if (this.#lost) {
        near.destroy();
        return;
      }
      const far = connect(target.port, target.address);
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.on('data', (bytes: Buffer) => {
          if (!this.#lost) to.write(bytes);
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          if (this.#lost) return;
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  static async to(target: { readonly address: string; readonly port: number }): Promise<Network> {
    const network = new Network(target);
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get endpoint(): { readonly address: string; readonly port: number } {
    return { address: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  get carries(): boolean {
    return !this.#lost && this.#pairs.size > 0;
  }

  /** Nothing comes through any more, and nobody is told. */
  lose(): void {
    this.#lost = true;
  }

  /** What went through it is over; both ends hear of it. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  heal(): void {
    this.cut();
    this.#lost = false;
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#server.close();
  }
}
