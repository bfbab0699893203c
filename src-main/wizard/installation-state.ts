/** Where an installation stands, event by event. Pure. */
import type { FaultRecord } from '../../agent/contract/fault.ts';
import type { Installation } from '../app-api/index.ts';
import type { InstallEvent, PlannedStep } from '../install/index.ts';

type Step = Installation['steps'][number];

function waiting({ id, host, kind, facts, title }: PlannedStep): Step {
  return {
    id,
    host,
    kind,
    facts,
    title,
    state: 'waiting',
    doneBytes: null,
    totalBytes: null,
    startedAt: null,
    endedAt: null,
    note: null,
  };
}

/** What was done before stays in sight; what is planned now is planned anew. */
function planned(before: readonly Step[], steps: readonly PlannedStep[]): Step[] {
  const done = before.filter((step) => step.state === 'done' && !steps.some(({ id }) => id === step.id));
  return [...done, ...steps.map(waiting)];
}

/** The step may turn up only now: after the agents have started, more is known than was planned with. */
function changed(installation: Installation, step: PlannedStep, change: Partial<Step>): Installation {
  const known = installation.steps.some(({ id }) => id === step.id);
  const steps = known ? installation.steps : [...installation.steps, waiting(step)];
  return { ...installation, steps: steps.map((one) => (one.id === step.id ? { ...one, ...change } : one)) };
}

export function begun(draft: string, before: Installation | null, now: string): Installation {
  // After a success everything is looked at anew.
  const goesOn = before !== null && before.state !== 'done';
  return {
    draft,
    state: 'running',
    steps: goesOn ? before.steps.filter(({ state }) => state === 'done') : [],
    fault: null,
    keptAt: before?.keptAt ?? [],
    cluster: before?.cluster ?? null,
    startedAt: goesOn ? before.startedAt : now,
  };
}

export function afterEvent(installation: Installation, event: InstallEvent, now: string): Installation {
  switch (event.kind) {
    case 'phase':
    case 'checked':
      return installation;
    case 'planned':
      return { ...installation, steps: planned(installation.steps, event.steps) };
    case 'step-started':
      return changed(installation, event.step, {
        state: 'running',
        startedAt: now,
        endedAt: null,
        doneBytes: null,
        totalBytes: null,
      });
    case 'step-bytes':
      return changed(installation, event.step, { doneBytes: event.doneBytes, totalBytes: event.totalBytes });
    case 'step-failed':
      return changed(installation, event.step, { state: 'failed', endedAt: now });
    case 'step-done': {
      const keptAt = [...installation.keptAt, ...(event.keptAt ?? [])];
      return {
        ...changed(installation, event.step, { state: 'done', endedAt: now, note: event.note ?? null }),
        keptAt: [...new Set(keptAt)],
      };
    }
  }
}

/** Planned and found to be done already: they go. */
export function finished(installation: Installation): Installation {
  return {
    ...installation,
    state: 'done',
    fault: null,
    steps: installation.steps.filter(({ state }) => state === 'done'),
  };
}

const notBegun = { state: 'waiting', startedAt: null, endedAt: null, doneBytes: null, totalBytes: null } as const;

export function failedWith(installation: Installation, fault: FaultRecord): Installation {
  const steps = installation.steps.map((step) => (step.state === 'running' ? { ...step, ...notBegun } : step));
  return { ...installation, state: 'failed', fault, steps };
}

/** Nobody works on it any more, and nothing went wrong: a step that was cut off begins anew when it goes on. */
export function cutOff(installation: Installation): Installation {
  const steps = installation.steps.map((step) => (step.state === 'done' ? step : { ...step, ...notBegun }));
  return { ...installation, state: 'interrupted', fault: null, steps };
}
