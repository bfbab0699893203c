/** A checker as it is typed, as an entry of the configuration file, and the places of the one in the other. Pure. */
import {
  checkerDefaultActions,
  checkerDefaults,
  durationMs,
  type CheckerAction,
  type CheckerKind,
} from '../../agent/contract/index.ts';
import type { CheckerAnswer } from '../app-api/index.ts';

type Written = string | number;

/** In the order in which the file says it. */
export type CheckerValue = Readonly<
  Partial<Record<CheckerKind, Written | Readonly<Record<string, Written>>>> & {
    status?: Written;
    contains?: string;
    interval?: string;
    timeout?: string;
    failures?: Written;
    action?: CheckerAction;
    gracePeriod?: string;
  }
>;

export function tidiedChecker(checker: CheckerAnswer): CheckerAnswer {
  const trimmed = checker.target.trim();
  const isPath = checker.kind === 'mount' || checker.kind === 'disk';
  return {
    ...checker,
    target: isPath && trimmed.length > 1 ? trimmed.replace(/\/+$/, '') || '/' : trimmed,
    status: checker.status.trim(),
    contains: checker.contains.trim(),
    freePercentMin: checker.freePercentMin.trim().replace(/\s*%$/, ''),
    latencyMsMax: checker.latencyMsMax.trim(),
    guestAgent: checker.guestAgent.trim(),
    interval: checker.interval.trim(),
    timeout: checker.timeout.trim(),
    gracePeriod: checker.gracePeriod.trim(),
    failures: checker.failures.trim(),
  };
}

/** What is no number stays as it was typed, and is refused by the schema. */
function numberOr(text: string): Written {
  return /^\d+([.,]\d+)?$/.test(text) ? Number(text.replace(',', '.')) : text;
}

/** '5' and '2,5' are seconds; '1m' is a duration of the file. */
function durationOf(text: string): string {
  const seconds = numberOr(text);
  if (typeof seconds === 'string') return seconds;
  const ms = Math.round(seconds * 1000);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function isDefault(duration: string, defaultMs: number): boolean {
  return /^\d+(ms|s|m|h)$/.test(duration) && durationMs(duration) === defaultMs;
}

/** `at`: places whose values cannot be used, so that the others can be judged. What equals the default of the file is left out. */
export function checkerValue(checker: CheckerAnswer, index: number, at: ReadonlySet<string>): CheckerValue {
  const unusable = (key: string): boolean => at.has(`checkers.${index}.${key}`);
  const given = (key: 'status' | 'failures' | 'freePercentMin' | 'latencyMsMax'): Record<string, Written> =>
    checker[key] === '' || unusable(key) ? {} : { [key]: numberOr(checker[key]) };
  const duration = (key: 'interval' | 'timeout' | 'gracePeriod', defaultMs: number): Record<string, string> => {
    const text = durationOf(checker[key]);
    return text === '' || unusable(key) || isDefault(text, defaultMs) ? {} : { [key]: text };
  };
  const failures = given('failures');
  const { kind, action } = checker;
  return {
    ...subject(checker, index, unusable, given),
    ...duration('interval', checkerDefaults.intervalMs),
    ...duration('timeout', checkerDefaults.timeoutMs),
    ...(failures['failures'] === checkerDefaults.failures ? {} : failures),
    ...(action === checkerDefaultActions[kind] || unusable('action') ? {} : { action }),
    ...duration('gracePeriod', checkerDefaults.gracePeriodMs),
  };
}

function subject(
  checker: CheckerAnswer,
  index: number,
  unusable: (key: string) => boolean,
  given: (key: 'status' | 'freePercentMin' | 'latencyMsMax') => Record<string, Written>,
): CheckerValue {
  const { kind, target, contains } = checker;
  if (unusable('target')) return { process: `unnamed-${index + 1}` };
  if (kind === 'tcp') return { tcp: numberOr(target) };
  if (kind === 'http' || kind === 'https') {
    const text = contains === '' || unusable('contains') ? {} : { contains };
    return { [kind]: target, ...given('status'), ...text };
  }
  if (kind === 'vm') {
    const agent = checker.guestAgent === '' || unusable('guestAgent') ? {} : { guestAgent: checker.guestAgent };
    return { vm: { ...(target.startsWith('/') ? { monitor: target } : { domain: target }), ...agent } };
  }
  if (kind !== 'disk') return { [kind]: target };
  const asked = { ...given('freePercentMin'), ...given('latencyMsMax') };
  const spoilt = Object.keys(asked).length === 0 && (unusable('freePercentMin') || unusable('latencyMsMax'));
  return { disk: { path: target, ...(spoilt ? { freePercentMin: 1 } : asked) } };
}

/** Below `modules.0.checkers`: 2, 'disk', 'freePercentMin' → `checkers.2.freePercentMin` */
export function checkerAnswerPath(
  index: string | number | undefined,
  key: string | number | undefined,
  inner: string | number | undefined,
): string {
  const own = ['status', 'contains', 'interval', 'timeout', 'failures', 'action', 'gracePeriod'];
  if (key === 'vm' && inner === 'guestAgent') return `checkers.${index}.guestAgent`;
  if (key === 'disk' && inner !== 'path') return `checkers.${index}.${inner ?? 'freePercentMin'}`;
  return `checkers.${index}.${own.includes(String(key)) ? key : 'target'}`;
}
