/** The checks alone, for whoever wants to know before anything is installed: all that an installation looks at, and what takes a try. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Transport } from '../ssh/index.ts';
import { failed, passed, remarked, subjectOf, type Check, type CheckSubject, type ProbedMachine } from './check.ts';
import { runChecks } from './checks.ts';
import { measureCopies, type CopyMeasure } from './copies.ts';
import { connectAll, machinesOf, noQuestions, probeHost, questionsOf, type Connect } from './machines.ts';
import { agentPackage, runtimePackage, type Package, type PackageSources } from './packages.ts';
import { tryPingWitness } from './ping-witness.ts';
import { passageChecks, tryPassages } from './reach.ts';
import { needsOf } from './survey.ts';

export interface ConnectedMachine {
  /** Node name or 'witness'. */
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly transport: Transport;
}

export interface Examination {
  readonly machines: readonly ConnectedMachine[];
  readonly subject: CheckSubject;
  readonly packages: PackageSources;
  /** Node whose copy is the good one, when that is decided. */
  readonly goodNode: string | null;
  readonly signal?: AbortSignal | undefined;
}

export async function checkServers(options: {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly packages: PackageSources;
  readonly signal?: AbortSignal | undefined;
}): Promise<Check[]> {
  const { configuration, packages, signal } = options;
  const machines = machinesOf(configuration);
  const transports = await connectAll(machines, options.connect, signal);
  try {
    const connected = machines.flatMap(({ name, role }) => {
      const transport = transports.get(name);
      return transport ? [{ name, role, transport }] : [];
    });
    return await examineServers({
      machines: connected,
      subject: subjectOf(configuration),
      packages,
      goodNode: null,
      signal,
    });
  } finally {
    for (const transport of transports.values()) transport.close();
  }
}

type Machine = ProbedMachine & ConnectedMachine;

/** Runtimes that are not on this computer are told as checks: everything else can be looked at all the same. */
async function runtimes(
  machines: readonly Machine[],
  packages: PackageSources,
): Promise<{ found: Map<string, Package>; checks: Check[] }> {
  const found = new Map<string, Package>();
  const checks: Check[] = [];
  for (const { name, probe } of machines) {
    if (probe.architecture === null) continue;
    try {
      found.set(name, await runtimePackage(probe.architecture, packages));
    } catch (error) {
      const fault = Fault.from(error);
      const words = { what: fault.message, why: 'The agent brings its own runtime.', remedy: fault.remedy };
      checks.push(failed(fault.code, name, 'Runtime', words, { architecture: probe.machine }));
    }
  }
  return { found, checks };
}

/** Less than a person waits at a screen for. */
const countLimits = { seconds: 2, files: 200_000 };

type Counts = ReadonlyMap<string, readonly CopyMeasure[]>;

async function countCopies({ subject, signal }: Examination, nodes: readonly Machine[]): Promise<Counts> {
  const paths = subject.modules.flatMap((module) => module.directories);
  const counted = nodes.map(async ({ name, transport, probe }) => {
    const plain = paths.filter((path) =>
      probe.directories.some((one) => one.path === path && one.type === 'directory' && !one.isCovered),
    );
    return [name, await measureCopies(transport, plain, { signal, limits: countLimits })] as const;
  });
  return new Map(await Promise.all(counted));
}

/** The one that is chosen, or the only one that has anything. */
function goodCopyOf(counts: Counts, path: string, chosen: string | null): string | null {
  if (chosen !== null) return chosen;
  const filled = [...counts].filter(([, copies]) => copies.some((copy) => copy.path === path && !copy.empty));
  return filled.length === 1 ? (filled[0]?.[0] ?? null) : null;
}

/** Journals and records beside the data. */
const spaceMarginBytes = 64 * 1024 * 1024;

/** Pure: will the good copy fit on the other server, and is it the good one? */
export function copyChecks(
  nodes: readonly ProbedMachine[],
  subject: CheckSubject,
  counts: Counts,
  chosen: string | null,
): Check[] {
  return subject.modules.flatMap((module) =>
    module.directories.flatMap((path) => {
      const good = goodCopyOf(counts, path, chosen);
      const copyOn = (name: string | null): CopyMeasure | undefined =>
        counts.get(name ?? '')?.find((copy) => copy.path === path);
      const copy = copyOn(good);
      const target = nodes.find(({ name }) => name !== good);
      if (good === null || copy === undefined || target === undefined) return [];
      return [
        ...emptyCopy(path, good, copy, target.name, copyOn(target.name)),
        ...roomForCopy(path, good, copy, target),
      ];
    }),
  );
}

function emptyCopy(
  path: string,
  good: string,
  copy: CopyMeasure,
  other: string,
  otherCopy: CopyMeasure | undefined,
): Check[] {
  if (!copy.empty || otherCopy === undefined || otherCopy.empty) return [];
  return [
    failed(
      'good-copy-empty',
      good,
      `Directory ${path}`,
      {
        what: `${good} is chosen as the server with the good data, and its ${path} is empty; ${other} has data there`,
        why: 'The empty directory would replace the data.',
        remedy: `Choose ${other}.`,
      },
      { path, good, other, bytes: otherCopy.bytes },
    ),
  ];
}

function roomForCopy(path: string, good: string, copy: CopyMeasure, target: ProbedMachine): Check[] {
  const freeBytes = target.probe.directories.find((one) => one.path === path)?.availableBytes ?? null;
  if (freeBytes === null || copy.bytes === null) return [];
  const neededBytes = copy.bytes + spaceMarginBytes;
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  const facts = { path, freeBytes, neededBytes, atLeast: copy.atLeast, good };
  const title = `Room for ${path}`;
  const least = copy.atLeast ? 'at least ' : '';
  const what = `${mebibytes(freeBytes)} free for ${path}, ${least}${mebibytes(neededBytes)} needed`;
  const why = `The copy of ${good} is to stand there, beside what stands there now.`;
  const remedy = 'Make room on that file system, or give it a larger disk.';
  if (freeBytes < neededBytes) return [failed('data-space', target.name, title, { what, why, remedy }, facts)];
  if (copy.atLeast)
    return [
      remarked(
        'data-space',
        target.name,
        title,
        {
          what,
          why,
          remedy: 'There are too many files to count them all quickly: compare with du -sh on both servers.',
        },
        facts,
      ),
    ];
  return [passed('data-space', target.name, title, what, facts)];
}

/** Where the application has its data may be in use, missing or wrong: whatever can be known is told. Faults: those of the transports. */
export async function examineServers(examination: Examination): Promise<Check[]> {
  const { subject, packages, signal } = examination;
  const questions = questionsOf(subject);
  const machines = await Promise.all(
    examination.machines.map(async (machine): Promise<Machine> => {
      const asked = machine.role === 'node' ? questions : noQuestions;
      return { ...machine, ...(await probeHost(machine.name, machine.transport, asked, signal)) };
    }),
  );
  const nodes = machines.filter(({ role }) => role === 'node');
  const vips = questions.vips;
  const [agent, runtime, counts, pings, passages] = await Promise.all([
    agentPackage(packages),
    runtimes(machines, packages),
    countCopies(examination, nodes),
    tryPingWitness(nodes, subject.pingWitness, signal),
    // Which networks there are is a check of its own.
    tryPassages(machines, subject.networks, vips, signal).catch((error: unknown) => {
      if (Fault.from(error).code === 'networks-unknown') return [];
      throw error;
    }),
  ]);
  return [
    ...runChecks(machines, subject, needsOf(machines, agent, runtime.found)),
    ...runtime.checks,
    ...passageChecks(passages, machines),
    ...pings,
    ...copyChecks(nodes, subject, counts, examination.goodNode),
  ];
}
