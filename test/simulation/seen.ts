/** What a run has shown of the machine: the states and transitions of every core, why it waited, and what it told. */
import type { EventDraft } from '../../agent/contract/index.ts';
import type { MirrorState } from '../../agent/core/index.ts';
import { stateName } from './explorer/coverage.ts';

export class Seen {
  readonly states = new Set<string>();
  readonly transitions = new Set<string>();
  readonly reasons = new Set<string>();
  readonly events = new Set<string>();

  /** @returns the transition in words; null: the machine stayed where it was. */
  step(before: MirrorState | null, after: MirrorState | null): string | null {
    if (after !== null && after.phase.name !== 'active') this.reasons.add(after.waiting.code);
    if (before?.phase === after?.phase && before?.seek === after?.seek && before?.resuming === after?.resuming)
      return null;
    const from = stateName(before);
    const to = stateName(after);
    this.states.add(to);
    if (from === to) return null;
    const transition = `${from} → ${to}`;
    this.transitions.add(transition);
    return transition;
  }

  told({ code, evidence }: EventDraft): void {
    this.events.add(code);
    // What it is fenced for is replaced at once by what it waits for then.
    if (code === 'fenced') this.reasons.add(String(evidence['reason']));
  }

  add(other: Seen): void {
    for (const what of ['states', 'transitions', 'reasons', 'events'] as const)
      for (const one of other[what]) this[what].add(one);
  }
}
