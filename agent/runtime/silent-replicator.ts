/** What is done about a replicator that is there and answers nothing: it is ended, so that the service manager starts it again under the mounts that it leaves. */
import type { EventDraft } from '../contract/index.ts';
import { assertNever, Fault } from '../contract/index.ts';
import type { RuntimePorts, Silence, SilenceOutcome } from './ports.ts';

type Ports = Pick<RuntimePorts, 'node' | 'rescue' | 'journal'>;

export class SilentReplicator {
  private readonly ports: Ports;
  private readonly emit: (event: EventDraft) => void;
  private working = false;
  /** The last silence, and what came of it. */
  private last: { readonly silence: Silence; readonly outcome: string } | null = null;

  constructor(ports: Ports, emit: (event: EventDraft) => void) {
    this.ports = ports;
    this.emit = emit;
  }

  async end(silence: Silence): Promise<void> {
    const killed = this.last?.silence === silence && this.last.outcome === 'killed';
    if (this.working || killed) return;
    this.working = true;
    // Before: when it is gone, nobody is silent any more.
    const silentMs = Math.round(silence.ms());
    try {
      const outcome = await this.ports.rescue.endReplicator(silence);
      if (this.isNew(silence, outcome)) this.report(outcome, silentMs);
    } catch (error) {
      const { message } = Fault.from(error);
      if (this.isNew(silence, message))
        this.ports.journal.error(`The replicator does not answer, and could not be ended: ${message}`);
    } finally {
      this.working = false;
    }
  }

  private isNew(silence: Silence, outcome: string): boolean {
    if (this.last?.silence === silence && this.last.outcome === outcome) return false;
    this.last = { silence, outcome };
    return true;
  }

  private report(outcome: SilenceOutcome, silentMs: number): void {
    const { node, journal } = this.ports;
    const silent = `The replication process of ${node} has answered nothing for ${String(silentMs)} ms`;
    switch (outcome) {
      case 'killed':
        this.tell('replicator-silent', `${silent} and was killed; it is started again.`, silentMs);
        break;
      case 'waits-for-disk':
        this.tell(
          'replicator-waits-for-disk',
          `${silent}: it waits for a disk, and is left to it. Look at the kernel log.`,
          silentMs,
        );
        break;
      case 'not-found':
        journal.notice(`${silent}, and the service manager does not say which process it is.`);
        break;
      case 'answers':
        break;
      default:
        assertNever(outcome);
    }
  }

  private tell(code: string, message: string, silentMs: number): void {
    this.emit({ module: null, code, message, severity: 'attention', evidence: { silentMs } });
  }
}
