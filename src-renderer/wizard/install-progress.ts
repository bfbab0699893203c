/** How far an installation has come. Pure. */
import type { Installation } from '../../src-main/app-api/index.ts';
import type { Tone } from '../ui/tone.ts';
import type { PlannedStep } from './answers.ts';

export type InstallationStep = Installation['steps'][number];

/** In the order in which they come first; steps of the cluster as a whole (null) last. */
export function hostsOf(steps: readonly PlannedStep[]): (string | null)[] {
  const hosts = [...new Set(steps.map((step) => step.host))];
  return [...hosts.filter((host) => host !== null), ...hosts.filter((host) => host === null)];
}

export function doneCount(steps: readonly InstallationStep[]): number {
  return steps.filter((step) => step.state === 'done').length;
}

/** 0 … 1. Bytes count within their step, so that it moves during an upload; null: no step is known. */
export function partDone(steps: readonly InstallationStep[]): number | null {
  if (steps.length === 0) return null;
  const inStep = (step: InstallationStep): number => {
    if (step.state === 'done') return 1;
    const { doneBytes, totalBytes } = step;
    if (step.state !== 'running' || doneBytes === null || totalBytes === null || totalBytes <= 0) return 0;
    return Math.min(1, doneBytes / totalBytes);
  };
  return steps.reduce((sum, step) => sum + inStep(step), 0) / steps.length;
}

export function toneOfStep(step: InstallationStep): Tone {
  switch (step.state) {
    case 'done':
      return 'good';
    case 'running':
      return 'working';
    case 'failed':
      return 'bad';
    case 'waiting':
      return 'unknown';
  }
}

/** How long a step takes or took; null: not begun. Of an installation that stopped, time does not go on. */
export function secondsOf(step: InstallationStep, nowMs: number): number | null {
  if (step.startedAt === null) return null;
  if (step.endedAt === null && step.state !== 'running') return null;
  const end = step.endedAt === null ? nowMs : Date.parse(step.endedAt);
  return Math.max(0, (end - Date.parse(step.startedAt)) / 1000);
}

export interface HostProgress {
  readonly host: string | null;
  readonly done: number;
  readonly all: number;
  /** What is being done there, or what failed; null: nothing just now. */
  readonly current: InstallationStep | null;
}

/** Where each host stands: they are worked on at the same time. */
export function progressOfHosts(steps: readonly InstallationStep[]): HostProgress[] {
  return hostsOf(steps).map((host) => {
    const own = steps.filter((step) => step.host === host);
    const current = own.find((step) => step.state === 'failed') ?? own.find((step) => step.state === 'running') ?? null;
    return { host, done: doneCount(own), all: own.length, current };
  });
}
