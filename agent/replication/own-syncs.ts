import type { spawnLane } from './spawn.ts';

/** Each syncfs(2) of a lane on a thread of its own: nothing may wait for it that others wait for. One at a time; a link that was replaced may have left one behind. */
export class OwnSyncs {
  readonly #directoryFd: number;
  readonly #post: (message: { type: 'synced'; call: number; status: number }) => void;
  readonly #spawn: typeof spawnLane;
  #last: Promise<unknown> = Promise.resolve();
  #status = 0;
  #isOver = false;

  constructor(
    directoryFd: number,
    post: (message: { type: 'synced'; call: number; status: number }) => void,
    spawn: typeof spawnLane,
  ) {
    this.#directoryFd = directoryFd;
    this.#post = post;
    this.#spawn = spawn;
  }

  begin(call: number): void {
    this.#last = this.#run(call, this.#last);
  }

  async #run(call: number, former: Promise<unknown>): Promise<void> {
    await former;
    if (this.#isOver) return;
    const name = 'syncfs';
    await this.#spawn(
      name,
      { lane: 'sync', name, directoryFd: this.#directoryFd },
      [],
      (message: { readonly status: number }) => {
        if (message.status < 0) this.#status = message.status;
        this.#post({ type: 'synced', call, status: message.status });
      },
    );
  }

  /** Nobody asks any more. Resolves after one that is still under way, with what came out of it, 0 or -errno. */
  async end(): Promise<number> {
    this.#isOver = true;
    await this.#last;
    return this.#status;
  }
}
