/** One file per cluster, `<cluster uuid>.secret`. A witness serves every cluster whose secret it has. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../contract/index.ts';
import type { SealingKey } from '../network/index.ts';
import { sealingKey } from '../network/index.ts';

const suffix = '.secret';
/** An unknown key may be a cluster that was just added; whoever sends rubbish must not make us read the disk for each. */
const rereadMs = 1000;

export class Secrets {
  private readonly directory: string;
  private readonly nowMs: () => number;
  private readonly failed: (fault: Fault) => void;
  private keys = new Map<string, SealingKey>();
  private readMs = -Infinity;

  constructor(directory: string, nowMs: () => number, failed: (fault: Fault) => void) {
    this.directory = directory;
    this.nowMs = nowMs;
    this.failed = failed;
  }

  get clusters(): number {
    return this.keys.size;
  }

  find(keyId: Buffer): SealingKey | null {
    const name = keyId.toString('hex');
    if (!this.keys.has(name) && this.nowMs() - this.readMs >= rereadMs) this.read();
    return this.keys.get(name) ?? null;
  }

  read(): void {
    this.readMs = this.nowMs();
    const keys = new Map<string, SealingKey>();
    try {
      for (const name of readdirSync(this.directory).filter((one) => one.endsWith(suffix))) {
        const key = sealingKey(name.slice(0, -suffix.length), readFileSync(path.join(this.directory, name), 'utf8'));
        keys.set(key.id.toString('hex'), key);
      }
      this.keys = keys;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.failed(Fault.from(error));
    }
  }
}
