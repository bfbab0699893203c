import { close, O, openAt } from '../sys/filesystem.ts';
import type { spawnLane } from './spawn.ts';

const itself = Buffer.from('.');

/** Each syncfs(2) of a lane on a thread of its own: nothing may wait for it that others wait for. One at a time; a link that was replaced may have left one behind.
 * By a descriptor of its own: the kernel tells an error of writing back once to each, and a successor of this process must hear it through the one that it is handed. */
export class OwnSyncs {
  /** Or -errno: then nothing can be said to be synced. */
  readonly #ownFd: number;
  readonly #post: (message: { type: 'synced'; call: number; status: number }) => void;
  readonly #spawn: typeof spawnLane;
  #last: Promise<unknown> = Promise.resolve();
  #status = 0;
  #asked = 0;
  /** Number of the one under way; 0: none. */
  question = 0;
  #isOver = false;

  constructor(
    directoryFd: number,
    post: (message: { type: 'synced'; call: number; status: number }) => void,
    spawn: typeof spawnLane,
  ) {
    this.#ownFd = openAt(directoryFd, itself, O.RDONLY | O.DIRECTORY);
    this.#post = post;
    this.#spawn = spawn;
  }

  begin(call: number): void {
    this.#queue([this.#ownFd], (status) => {
      if (status < 0) this.#status = status;
      this.#post({ type: 'synced', call, status });
    });
  }

  /** Descriptions that are somebody else's, and the own one: what they tell now is told by none of them later. `counts`: for whoever has the disk after this lane, too. */
  ask(descriptors: readonly number[], counts: boolean, answered: (status: number) => void): void {
    this.#queue([...descriptors, this.#ownFd], (status) => {
      if (counts && status < 0) this.#status = status;
      answered(status);
    });
  }

  #queue(descriptors: readonly number[], answered: (status: number) => void): void {
    this.#last = this.#run(descriptors, answered, this.#last);
  }

  async #run(
    descriptors: readonly number[],
    answered: (status: number) => void,
    former: Promise<unknown>,
  ): Promise<void> {
    await former;
    if (this.#isOver) return;
    this.question = ++this.#asked;
    let status = 0;
    for (const fd of descriptors) status = Math.min(status, fd < 0 ? fd : await this.#sync(fd));
    this.question = 0;
    answered(status);
  }

  async #sync(directoryFd: number): Promise<number> {
    const name = 'syncfs';
    let status = 0;
    await this.#spawn(name, { lane: 'sync', name, directoryFd }, [], (message: { readonly status: number }) => {
      status = message.status;
    });
    return status;
  }

  /** Nobody asks any more. Resolves after one that is still under way, with what came out of it, 0 or -errno. */
  async end(): Promise<number> {
    this.#isOver = true;
    await this.#last;
    if (this.#ownFd >= 0) close(this.#ownFd);
    return this.#status;
  }
}
