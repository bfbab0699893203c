/** Checkers of a configuration file: which keys go together, which times make sense, and what the nodes are told. Pure. */
import {
  checkerDefaultActions,
  checkerDefaults,
  checkerKinds,
  restartLimitDefault,
  type CheckerDefinition,
  type CheckerKind,
  type CheckerProbe,
  type CheckerText,
} from '../../agent/contract/checkers.ts';
import { durationMs, type Configuration } from '../../agent/contract/configuration.ts';
import { assertNever } from '../../agent/contract/fault.ts';
import { splitCommand } from './command-line.ts';
import type { ProblemAt } from './problem.ts';

type Path = readonly (string | number)[];

export function kindsOf(checker: CheckerText): readonly CheckerKind[] {
  return checkerKinds.filter((kind) => checker[kind] !== undefined);
}

function timesOf(checker: CheckerText): { intervalMs: number; timeoutMs: number; gracePeriodMs: number } {
  const intervalMs = checker.interval === undefined ? checkerDefaults.intervalMs : durationMs(checker.interval);
  const timeoutMs =
    checker.timeout === undefined ? Math.min(checkerDefaults.timeoutMs, intervalMs) : durationMs(checker.timeout);
  const gracePeriodMs =
    checker.gracePeriod === undefined ? checkerDefaults.gracePeriodMs : durationMs(checker.gracePeriod);
  return { intervalMs, timeoutMs, gracePeriodMs };
}

/** `5432`, `localhost:5432`, `10.0.0.50:5432`; null: not an address with a port. */
function endpoint(text: number | string): { host: string; port: number } | null {
  if (typeof text === 'number') return { host: '127.0.0.1', port: text };
  const [name = '', digits = ''] = text.split(':');
  const host = name === 'localhost' ? '127.0.0.1' : name;
  const port = Number(digits);
  return isAddress(host) && port >= 1 && port <= 65535 ? { host, port } : null;
}

function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

/** Null: not a URL of this protocol with an address for a host. */
function addressUrl(text: string, protocol: 'http:' | 'https:'): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.hostname === 'localhost') url.hostname = '127.0.0.1';
  const literal = isAddress(url.hostname) || url.hostname.startsWith('[');
  return url.protocol === protocol && literal ? url.href : null;
}

function probeOf(checker: CheckerText): CheckerProbe | null {
  const [kind] = kindsOf(checker);
  if (kind === undefined) return null;
  switch (kind) {
    case 'tcp': {
      const to = endpoint(checker.tcp ?? 0);
      return to === null ? null : { kind: 'tcp', ...to };
    }
    case 'http':
    case 'https': {
      const url = addressUrl(checker[kind] ?? '', `${kind}:`);
      return url === null
        ? null
        : { kind: 'http', url, status: checker.status ?? null, contains: checker.contains ?? null };
    }
    case 'process':
      return { kind: 'process', process: checker.process ?? '' };
    case 'service':
      return { kind: 'service', unit: checker.service ?? '' };
    case 'ping':
      return { kind: 'ping', address: checker.ping ?? '' };
    case 'interface':
      return { kind: 'interface', interface: checker.interface ?? '' };
    case 'mount':
      return { kind: 'mount', path: checker.mount ?? '' };
    case 'disk':
      return {
        kind: 'disk',
        path: checker.disk?.path ?? '',
        freePercentMin: checker.disk?.freePercentMin ?? null,
        latencyMsMax: checker.disk?.latencyMsMax ?? null,
      };
    case 'script': {
      const argv = splitCommand(checker.script ?? '');
      return argv === null ? null : { kind: 'script', argv: [...argv] };
    }
    case 'module':
      return { kind: 'module', module: checker.module ?? '' };
    case 'vm':
      return {
        kind: 'vm',
        domain: checker.vm?.domain ?? null,
        monitor: checker.vm?.monitor ?? null,
        guestAgent: checker.vm?.guestAgent ?? null,
      };
    default:
      return assertNever(kind);
  }
}

/** `tcp 5432`, `disk /data`, `vm guest` */
function nameOf(checker: CheckerText): string {
  const [kind] = kindsOf(checker);
  if (kind === undefined) return '';
  if (kind === 'disk') return `disk ${checker.disk?.path ?? ''}`;
  if (kind === 'vm') return `vm ${checker.vm?.domain ?? checker.vm?.monitor ?? ''}`;
  return `${kind} ${String(checker[kind])}`;
}

/** Of a checker that `findBrokenCheckers` has nothing against. */
export function checkerDefinition(checker: CheckerText): CheckerDefinition {
  const [kind] = kindsOf(checker);
  const probe = probeOf(checker);
  if (kind === undefined || probe === null) throw new RangeError('a checker that was not checked');
  return {
    name: nameOf(checker),
    probe,
    ...timesOf(checker),
    failures: checker.failures ?? checkerDefaults.failures,
    action: checker.action ?? checkerDefaultActions[kind],
  };
}

const limits = { intervalMsMin: 500, intervalMsMax: 3_600_000, timeoutMsMin: 100, withinMsMin: 60_000 } as const;

function problem(
  path: Path,
  reason: string,
  message: string,
  remedy: string,
  { atKey = false, facts = {} }: { atKey?: boolean; facts?: Readonly<Record<string, string>> } = {},
): ProblemAt {
  return { code: 'configuration-wrong-value', reason, facts, message, remedy, path, ...(atKey ? { atKey } : {}) };
}

/** '5s', '1500ms', '30m' */
function durationText(ms: number): string {
  if (ms % 3_600_000 === 0 && ms > 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** For the words of a screen: '9 s', '1 min'. */
function spacedDuration(ms: number): string {
  return durationText(ms).replace(
    /^(\d+)(\D+)$/,
    (_text, count: string, unit: string) => `${count} ${unit === 'm' ? 'min' : unit}`,
  );
}

function checkKeys(checker: CheckerText, path: Path): ProblemAt[] {
  const kinds = kindsOf(checker);
  const [kind, second] = kinds;
  if (kind === undefined)
    return [
      problem(
        path,
        'checker-kind',
        'This checker does not say what it looks at.',
        `Write one of: ${checkerKinds.join(', ')}.`,
      ),
    ];
  if (second !== undefined)
    return [
      problem(
        [...path, second],
        'checker-kind',
        `A checker looks at one thing; this one has ${kinds.join(' and ')}.`,
        'Make a checker of its own of each.',
        { atKey: true },
      ),
    ];
  const found: ProblemAt[] = [];
  for (const key of ['status', 'contains'] as const)
    if (checker[key] !== undefined && kind !== 'http' && kind !== 'https')
      found.push(
        problem([...path, key], 'checker-key', `\`${key}\` belongs to http and https.`, 'Remove it.', { atKey: true }),
      );
  if (probeOf(checker) === null) found.push(notUnderstood(kind, [...path, kind]));
  if (kind === 'disk' && checker.disk?.freePercentMin === undefined && checker.disk?.latencyMsMax === undefined)
    found.push(
      problem(
        [...path, 'disk'],
        'checker-disk',
        'This checker of a disk asks for nothing.',
        'Add `freePercentMin: 10` or `latencyMsMax: 2000`.',
      ),
    );
  return [...found, ...(checker.vm === undefined ? [] : checkMachine(checker.vm, [...path, 'vm']))];
}

/** One way to reach it, or two answers would have to be weighed against each other. */
function checkMachine({ domain, monitor, guestAgent }: NonNullable<CheckerText['vm']>, path: Path): ProblemAt[] {
  if (domain === undefined && monitor === undefined)
    return [
      problem(
        path,
        'checker-vm',
        'This checker does not say how the virtual machine is reached.',
        'Write `domain: NAME` for one of libvirt, or `monitor: /run/vm/qmp.sock` for one of QEMU alone.',
      ),
    ];
  if (domain !== undefined && monitor !== undefined)
    return [
      problem(
        [...path, 'monitor'],
        'checker-vm',
        'A virtual machine is reached through libvirt or through its monitor; this one has both.',
        'Remove one of the two: libvirt keeps the monitor of its machines for itself.',
        { atKey: true },
      ),
    ];
  if (guestAgent === undefined) return [];
  if (domain !== undefined)
    return [
      problem(
        [...path, 'guestAgent'],
        'checker-vm-agent',
        '`guestAgent` belongs to `monitor`; libvirt finds the agent itself.',
        'Remove it.',
        { atKey: true },
      ),
    ];
  if (guestAgent !== monitor) return [];
  return [
    problem(
      [...path, 'guestAgent'],
      'checker-sockets-equal',
      'The monitor and the guest agent have a socket each.',
      'Write the socket of the guest agent, or remove `guestAgent`.',
    ),
  ];
}

function notUnderstood(kind: CheckerKind, path: Path): ProblemAt {
  if (kind === 'script')
    return problem(
      path,
      'checker-script',
      'This is meant for a shell; a checker starts its program without one.',
      'Write a program and its arguments, quoted where needed; put what needs a shell into a file and name the file.',
    );
  const example = kind === 'tcp' ? '10.0.0.50:5432' : `${kind}://127.0.0.1:8080/health`;
  return problem(
    path,
    'checker-address',
    'This is not an address that can be looked at.',
    `Write such as ${example}: an address and no name, or the checker would fail with the name server.`,
    { facts: { example } },
  );
}

function checkTimes(checker: CheckerText, path: Path): ProblemAt[] {
  const { intervalMs, timeoutMs } = timesOf(checker);
  const found: ProblemAt[] = [];
  if (intervalMs < limits.intervalMsMin || intervalMs > limits.intervalMsMax)
    found.push(
      problem(
        [...path, 'interval'],
        'checker-interval',
        `An interval of ${durationText(intervalMs)} is outside of what works.`,
        `Write a time from ${durationText(limits.intervalMsMin)} to ${durationText(limits.intervalMsMax)}.`,
        { facts: { least: spacedDuration(limits.intervalMsMin), most: spacedDuration(limits.intervalMsMax) } },
      ),
    );
  if (timeoutMs < limits.timeoutMsMin)
    found.push(
      problem(
        [...path, 'timeout'],
        'checker-timeout',
        `Nothing answers reliably within ${durationText(timeoutMs)}.`,
        `Write at least ${durationText(limits.timeoutMsMin)}.`,
        { facts: { least: spacedDuration(limits.timeoutMsMin) } },
      ),
    );
  if (timeoutMs > intervalMs)
    found.push(
      problem(
        [...path, 'timeout'],
        'checker-timeout-beyond-interval',
        `A look may take ${durationText(timeoutMs)}, and the next one is due after ${durationText(intervalMs)}: ${durationText(timeoutMs)} > ${durationText(intervalMs)}.`,
        `Write a timeout of at most ${durationText(intervalMs)}, or a longer interval.`,
        { facts: { timeout: spacedDuration(timeoutMs), interval: spacedDuration(intervalMs) } },
      ),
    );
  return found;
}

/** A limit that can never be reached would let an application be restarted for ever. */
function checkLimit(checker: CheckerText, limit: { count: number; withinMs: number }, path: Path): ProblemAt[] {
  const [kind] = kindsOf(checker);
  if (kind === undefined || (checker.action ?? checkerDefaultActions[kind]) === 'none') return [];
  const { intervalMs } = timesOf(checker);
  const failures = checker.failures ?? checkerDefaults.failures;
  const roundMs = failures * intervalMs;
  if (roundMs * limit.count < limit.withinMs) return [];
  return [
    problem(
      [...path, checker.failures === undefined ? 'interval' : 'failures'],
      'checker-limit',
      `The restart limit could never be reached: ${failures} failures × ${durationText(intervalMs)} × ${limit.count} restarts = ${durationText(roundMs * limit.count)}, not less than ${durationText(limit.withinMs)}.`,
      'Write fewer failures or a shorter interval, or a `restartLimit` with a longer `within`.',
      {
        facts: {
          sum: `${failures} × ${spacedDuration(intervalMs)} × ${limit.count} = ${spacedDuration(roundMs * limit.count)}`,
          within: spacedDuration(limit.withinMs),
        },
      },
    ),
  ];
}

export function findBrokenCheckers(configuration: Configuration): ProblemAt[] {
  const found: ProblemAt[] = [];
  configuration.modules.forEach((module, moduleIndex) => {
    const at: Path = ['modules', moduleIndex];
    const { restartLimit } = module;
    const limit =
      restartLimit === undefined
        ? { count: restartLimitDefault.count, withinMs: restartLimitDefault.windowMs }
        : { count: restartLimit.count, withinMs: durationMs(restartLimit.within) };
    if (limit.withinMs < limits.withinMsMin)
      found.push(
        problem(
          [...at, 'restartLimit', 'within'],
          'restart-limit',
          `${durationText(limit.withinMs)} is too short to tell a loop from a bad minute.`,
          'Write at least 1m.',
        ),
      );
    const names = new Set<string>();
    module.checkers.forEach((checker, index) => {
      const path = [...at, 'checkers', index];
      const keys = checkKeys(checker, path);
      found.push(...keys, ...checkTimes(checker, path), ...checkLimit(checker, limit, path));
      if (keys.length > 0) return;
      const name = nameOf(checker);
      if (names.has(name))
        found.push(
          problem(path, 'checker-repeated', `The checker "${name}" stands here twice.`, 'Remove one of the two.', {
            facts: { name },
          }),
        );
      names.add(name);
      found.push(...checkCovered(module.replicate, checker, path));
      found.push(...checkSockets(module.replicate, checker, path));
      found.push(...checkModule(configuration, module.name, checker, path));
    });
  });
  return found;
}

/** Where the application does not run its directory is covered and empty. */
function checkCovered(replicated: readonly { readonly path: string }[], checker: CheckerText, path: Path): ProblemAt[] {
  const watched = checker.disk?.path ?? checker.mount;
  const covered = replicated.find((one) => watched === one.path || watched?.startsWith(`${one.path}/`) === true);
  if (covered === undefined || checker.action !== 'wait') return [];
  return [
    problem(
      [...path, 'action'],
      'checker-covered',
      `${covered.path} is covered on the server that does not run the application: there this checker could never be good.`,
      'Write another action, or look at the disk below.',
      { facts: { path: covered.path } },
    ),
  ];
}

/** Who looks for a socket there waits while the replication holds its requests, and that is when the answer is needed. */
function checkSockets(replicated: readonly { readonly path: string }[], checker: CheckerText, path: Path): ProblemAt[] {
  return (['monitor', 'guestAgent'] as const).flatMap((key) => {
    const covered = replicated.find((one) => checker.vm?.[key]?.startsWith(`${one.path}/`) === true);
    if (covered === undefined) return [];
    return [
      problem(
        [...path, 'vm', key],
        'checker-socket-replicated',
        `A socket in ${covered.path} cannot be reached while the replication waits.`,
        'Let QEMU make its sockets below /run.',
        { facts: { path: covered.path } },
      ),
    ];
  });
}

function checkModule(configuration: Configuration, own: string, checker: CheckerText, path: Path): ProblemAt[] {
  if (checker.module === undefined) return [];
  const others = configuration.modules.map(({ name }) => name).filter((name) => name !== own);
  if (others.includes(checker.module)) return [];
  const message = checker.module === own ? 'A module cannot wait for itself.' : `No module is named ${checker.module}.`;
  const remedy = others.length === 0 ? 'Remove it: there is no other module.' : `Write one of: ${others.join(', ')}.`;
  return [problem([...path, 'module'], 'checker-module', message, remedy)];
}
