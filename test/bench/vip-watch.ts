/** Who answers on an address, seen from where users come: by connections, and by the hardware address of each frame. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { nodeCommand, until, type Lab } from '../lab/index.ts';

export type Seen =
  /** The kernel took the connection; a hung server does that as well. */
  | { readonly kind: 'connected'; readonly address: string; readonly beganMs: number; readonly atMs: number }
  /** The application said its name. */
  | {
      readonly kind: 'answered';
      readonly address: string;
      readonly beganMs: number;
      readonly atMs: number;
      readonly by: string;
    }
  | { readonly kind: 'frame'; readonly address: string; readonly mac: string; readonly atMs: number };

type Answer = Extract<Seen, { kind: 'answered' }>;
type Frame = Extract<Seen, { kind: 'frame' }>;

export class VipWatch implements Disposable {
  readonly #child: ChildProcess;
  #answers: Answer[] = [];
  #frames: Frame[] = [];

  constructor(lab: Lab, port: number, addresses: readonly string[]) {
    const script = path.join(import.meta.dirname, 'vip-watch-process.ts');
    this.#child = lab.client.spawn(nodeCommand(script, String(port), ...addresses));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const seen = JSON.parse(line) as Seen;
      if (seen.kind === 'answered') this.#answers.push(seen);
      else if (seen.kind === 'frame') this.#frames.push(seen);
    });
  }

  /** What was seen before does not matter any more. */
  forget(): void {
    this.#answers = [];
    this.#frames = [];
  }

  lastAnswer(address: string): Answer | undefined {
    return this.#answers.findLast((one) => one.address === address);
  }

  /** The first answer of this server to a connection that was begun after `afterMs`. */
  async answeredBy(address: string, by: string, afterMs: number, timeoutMs = 60_000): Promise<Answer> {
    return await until(`${by} answers on ${address}`, timeoutMs, () =>
      this.#answers.find((one) => one.address === address && one.by === by && one.beganMs >= afterMs),
    );
  }

  /** The last answer of this server before `beforeMs`. */
  lastAnswerOf(address: string, by: string, beforeMs: number): Answer | undefined {
    return this.#answers.findLast((one) => one.address === address && one.by === by && one.atMs < beforeMs);
  }

  /** The last frame with this sender address and hardware address. */
  lastFrame(address: string, mac: string): Frame | undefined {
    return this.#frames.findLast((one) => one.address === address && one.mac === mac);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
