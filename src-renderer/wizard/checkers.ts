/** What is worth watching of an application, and a checker to begin with. Pure. */
import { checkerDefaultActions, checkerDefaults } from '../../agent/contract/index.ts';
import type { Answers, CheckerAnswer, DetectedService, WizardCheckerKind } from '../../src-main/app-api/index.ts';
import { virtualMachineIn } from './virtual-machine.ts';

const seconds = (ms: number): string => String(ms / 1000);

export function newChecker(kind: WizardCheckerKind, change: Partial<CheckerAnswer> = {}): CheckerAnswer {
  return {
    kind,
    target: '',
    status: '',
    contains: '',
    freePercentMin: kind === 'disk' ? '10' : '',
    latencyMsMax: '',
    guestAgent: '',
    interval: seconds(checkerDefaults.intervalMs),
    timeout: seconds(checkerDefaults.timeoutMs),
    gracePeriod: seconds(checkerDefaults.gracePeriodMs),
    failures: String(checkerDefaults.failures),
    action: checkerDefaultActions[kind],
    ...change,
  };
}

/** Where users knock first, of an application with several ports. */
const usualPorts: Readonly<Record<string, number>> = {
  postgresql: 5432,
  mariadb: 3306,
  mysql: 3306,
  mssql: 1433,
  oracle: 1521,
  firebird: 3050,
  mongodb: 27017,
  redis: 6379,
  apache: 80,
  nginx: 80,
};

/**
 * At the virtual IP only where the application was seen listening everywhere: one that hears itself alone (the default of
 * PostgreSQL on Debian) would be restarted for nothing, and in the end be stopped.
 */
function portChecker(service: DetectedService, vip: string): CheckerAnswer[] {
  const heard = service.listeners.filter(({ at }) => at !== 'one-address');
  const usual = heard.find(({ port }) => port === usualPorts[service.product ?? '']);
  const listener = usual ?? heard.find(({ at }) => at === 'everywhere') ?? heard[0];
  if (listener === undefined) return [];
  const address = vip.trim().split('/')[0] ?? '';
  const target = listener.at === 'everywhere' && address !== '' ? `${address}:${listener.port}` : String(listener.port);
  return [newChecker('tcp', { target })];
}

/** Only what was seen, or follows from another answer: a wrong checker does more harm than a missing one. */
export function proposedCheckers(answers: Answers, services: readonly DetectedService[]): CheckerAnswer[] {
  const { service: unit, start, directories } = answers.application;
  const service = services.find((one) => one.unit === unit);
  // Started by another command, it may run outside of its unit.
  const isUnit = unit !== null && start.includes(unit.replace(/\.service$/, ''));
  const machine = virtualMachineIn(start);
  const paths = directories.map((path) => path.trim()).filter((path) => path !== '');
  // A socket on the data cannot be reached while the replication waits.
  const kept = paths.some((path) => machine?.target.startsWith(`${path.replace(/\/+$/, '')}/`) === true);
  return [
    ...(machine === null || kept ? [] : [newChecker('vm', machine)]),
    ...(isUnit ? [newChecker('service', { target: unit })] : []),
    ...(service === undefined ? [] : portChecker(service, answers.vip)),
    ...paths.map((target) => newChecker('disk', { target })),
  ];
}

/** The address that a checker connects to, when that is neither this server itself nor the virtual IP; else null. */
export function foreignAddress({ kind, target }: CheckerAnswer, vip: string): string | null {
  if (kind !== 'tcp' && kind !== 'http' && kind !== 'https') return null;
  const host =
    kind === 'tcp'
      ? (/^([^:]+):/.exec(target.trim())?.[1] ?? 'localhost')
      : URL.canParse(target)
        ? new URL(target).hostname
        : '';
  const own = ['', 'localhost', '[::1]', vip.trim().split('/')[0] ?? ''];
  return own.includes(host) || host.startsWith('127.') ? null : host;
}
