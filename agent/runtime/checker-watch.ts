/**
 * Looks at one module's application at the pace of its configuration and hands what was found to the machine, which decides. While the application does
 * not run here only those checkers look that a node waits for.
 */
import type { CheckerDefinition, Finding, ModuleDefinition } from '../contract/index.ts';
import { noAnswer, notChecked } from '../checkers/index.ts';
import { Fault } from '../contract/index.ts';
import type { MirrorState } from '../core/index.ts';
import type { RuntimePorts } from './ports.ts';

/** A timer that fires so late says that this process did not get to run. */
const lateMs = 1000;
/** A look whose time is over may say what it has waited for. */
const lastWordsMs = 100;

export interface CheckerWatchContext {
  readonly definition: () => ModuleDefinition;
  readonly state: () => MirrorState;
  readonly moduleRuns: (module: string) => boolean | null;
  readonly checked: (checker: string, beganMs: number, finding: Finding) => void;
}
type Ports = Pick<RuntimePorts, 'clock' | 'timers' | 'checkers'>;

export class CheckerWatch implements Disposable {
  private readonly ports: Ports;
  private readonly context: CheckerWatchContext;
  private watched: { readonly text: string; readonly ends: readonly Disposable[] } = { text: '', ends: [] };

  constructor(ports: Ports, context: CheckerWatchContext) {
    this.ports = ports;
    this.context = context;
    this.follow();
  }

  /** After a change of the configuration; what stays the same goes on. */
  follow(): void {
    const { checkers } = this.context.definition();
    const text = JSON.stringify(checkers);
    if (text === this.watched.text) return;
    this[Symbol.dispose]();
    this.watched = { text, ends: checkers.map((definition) => this.watch(definition)) };
  }

  [Symbol.dispose](): void {
    for (const end of this.watched.ends) end[Symbol.dispose]();
    this.watched = { text: '', ends: [] };
  }

  private watch(definition: CheckerDefinition): Disposable {
    const checker = this.ports.checkers(definition.probe, { moduleRuns: this.context.moduleRuns });
    const ended = new AbortController();
    let looking = false;
    const look = async (): Promise<void> => {
      if (looking || !this.wanted(definition)) return;
      looking = true;
      const beganMs = this.ports.clock.bootMs();
      const finding = await this.lookOnce(definition, (signal) => checker.look(signal), ended.signal);
      looking = false;
      // A process that did not run has missed the answer, not the application.
      if (this.ports.clock.bootMs() - beganMs > definition.timeoutMs + lateMs) return;
      if (!ended.signal.aborted && finding !== null) this.context.checked(definition.name, beganMs, finding);
    };
    const timer = this.ports.timers.every(definition.intervalMs, () => void look());
    return {
      [Symbol.dispose]: () => {
        ended.abort();
        timer[Symbol.dispose]();
      },
    };
  }

  /** Null: given up, because nobody wants to know any more. */
  private async lookOnce(
    { timeoutMs }: CheckerDefinition,
    look: (signal: AbortSignal) => Promise<Finding>,
    ended: AbortSignal,
  ): Promise<Finding | null> {
    const late = new AbortController();
    const answered = new AbortController();
    const patience = async (): Promise<Finding | null> => {
      try {
        await this.ports.timers.delay(timeoutMs, answered.signal);
        late.abort();
        await this.ports.timers.delay(lastWordsMs, answered.signal);
        return noAnswer;
      } catch {
        return null;
      }
    };
    try {
      const signal = AbortSignal.any([late.signal, ended]);
      return await Promise.race([
        look(signal).catch((error: unknown) => notChecked(Fault.from(error).message)),
        patience(),
      ]);
    } finally {
      answered.abort();
      late.abort();
    }
  }

  private wanted({ action }: CheckerDefinition): boolean {
    const { phase, record } = this.context.state();
    if (phase.name === 'active') return true;
    return action === 'wait' && record.wanted === 'started' && (phase.name === 'wait' || phase.name === 'secondary');
  }
}
