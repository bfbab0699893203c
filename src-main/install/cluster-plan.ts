/**
 * From installed agents to a running cluster: configure both, make one copy the good one and the other a blank target, start. Pure. Executed in
 * array order: the good copy is on record before the other is made blank, or an interruption could leave two blank ones.
 */
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import type { VolumeInspection } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { NodeStatus } from '../../agent/contract/status.ts';

export type ClusterStep =
  /** It has the directory open, and nobody may while replication is put over it. */
  | { readonly kind: 'stop-application'; readonly node: string; readonly module: string; readonly title: string }
  | { readonly kind: 'remember-choice'; readonly good: Readonly<Record<string, string>>; readonly title: string }
  | { readonly kind: 'configure'; readonly node: string; readonly title: string }
  | {
      readonly kind: 'initialise';
      readonly node: string;
      readonly module: string;
      readonly as: 'good' | 'blank';
      /** What stands there is moved aside. */
      readonly keepsAside: boolean;
      readonly title: string;
    }
  | { readonly kind: 'start'; readonly node: string; readonly module: string; readonly title: string };

export interface NodeView {
  readonly name: string;
  /** null: no agent answers yet, or it belongs to no cluster yet. */
  readonly status: NodeStatus | null;
  readonly inspections: readonly VolumeInspection[];
  /** No agent has looked: a cover hides what stands below it, and records have not been read. */
  readonly fromProbe?: boolean;
}

export interface ClusterPlanInput {
  readonly record: ClusterRecord;
  /** In the order of the record. */
  readonly nodes: readonly NodeView[];
  /** `--good`. */
  readonly good: string | null;
  /** Of an earlier, interrupted apply: module → node. */
  readonly remembered: Readonly<Record<string, string>>;
  /** Applications that are in the way are stopped; false: they were, and whoever is still there keeps the cluster from being set up. */
  readonly mayStop: boolean;
}

type Volume = ClusterRecord['modules'][number]['volumes'][number];

function inspectionOf(view: NodeView, volume: Volume): VolumeInspection | undefined {
  return view.inspections.find((inspection) => inspection.id === volume.id);
}

function isInitialised(view: NodeView, volumes: readonly Volume[]): boolean {
  return volumes.every((volume) => inspectionOf(view, volume)?.initialised === true);
}

function hasData(view: NodeView, volumes: readonly Volume[]): boolean {
  return volumes.some((volume) => inspectionOf(view, volume)?.empty === false);
}

const binaryUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < binaryUnits.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${binaryUnits[unit] ?? ''}`;
}

function describe(view: NodeView, volumes: readonly Volume[]): string {
  const parts = volumes.map((volume) => {
    const inspection = inspectionOf(view, volume);
    const entries = inspection?.entries ?? null;
    const bytes = inspection?.bytes ?? null;
    const newest = inspection?.newestFile ?? null;
    const facts = [
      ...(entries === null ? [] : [`${entries} entries`]),
      ...(bytes === null ? [] : [sizeText(bytes)]),
      ...(newest === null ? [] : [`newest: ${newest}`]),
    ];
    return facts.length === 0 ? volume.path : `${volume.path}: ${facts.join(', ')}`;
  });
  return `${view.name} (${parts.join('; ')})`;
}

/** One value per node and directory, nodes in the order of `nodes`; empty where it is not known. */
function perCopy(
  nodes: readonly NodeView[],
  volumes: readonly Volume[],
  value: (inspection: VolumeInspection) => string | number | null,
): string[] {
  return nodes.flatMap((node) =>
    volumes.map((volume) => {
      const inspection = inspectionOf(node, volume);
      return String((inspection === undefined ? null : value(inspection)) ?? '');
    }),
  );
}

/** Of one that is set up: it was made ready to receive, and has never received all of it. What stands there is no copy. */
function isBlank(view: NodeView, volumes: readonly Volume[]): boolean {
  return volumes.some((volume) => inspectionOf(view, volume)?.generation === null);
}

type Module = ClusterRecord['modules'][number];

/** One copy is set up already: it is the good one, unless it never held the data, or a person wants the data of the other one. */
function goodBesides(input: ClusterPlanInput, module: Module, initialised: NodeView): string {
  const { nodes, good, remembered } = input;
  // Seen from outside, not known well enough to be judged; the agent is asked before anything is done to the data.
  if (initialised.fromProbe === true) return initialised.name;
  const other = nodes.find(({ name }) => name !== initialised.name);
  const otherHasData = other !== undefined && hasData(other, module.volumes);
  // Its record may also be damaged, and its data good: only a person knows.
  if (isBlank(initialised, module.volumes)) {
    if (otherHasData && (good ?? remembered[module.name]) === other.name) return other.name;
    throw new Fault(
      'no-good-copy',
      {
        message: `No server has a known good copy of ${module.name}: ${initialised.name} never got all of it, or its record is damaged.`,
        remedy: 'If the data of the other server is good, choose it; or bring it back there from a backup first.',
      },
      { node: initialised.name, module: module.name },
    );
  }
  if (good !== null && good !== initialised.name && otherHasData) {
    throw new Fault(
      'good-copy-decided',
      {
        message: `The data of ${module.name} on ${initialised.name} is the good copy already, and ${good} was chosen now.`,
        remedy: `Choose ${initialised.name}: what stands on ${good} is kept aside. For the data of ${good}, uninstall first.`,
      },
      { node: initialised.name, module: module.name, good },
    );
  }
  return initialised.name;
}

/** An empty directory must never take the place of data, whatever was seen when it was chosen: a disk may not be mounted any more. */
function refuseEmpty({ nodes }: ClusterPlanInput, module: Module, good: string): void {
  const [chosen, other] = [nodes.find(({ name }) => name === good), nodes.find(({ name }) => name !== good)];
  if (chosen === undefined || other === undefined) return;
  const volume = module.volumes.find(
    ({ id }) =>
      chosen.inspections.some((one) => one.id === id && one.empty) &&
      other.inspections.some((one) => one.id === id && !one.empty),
  );
  if (volume === undefined) return;
  throw new Fault(
    'good-copy-empty',
    {
      message: `${good} is to have the good copy of ${module.name}, and its ${volume.path} is empty; ${other.name} has data there.`,
      remedy: `Look why it is empty. Choose ${other.name}, or empty ${volume.path} there yourself.`,
    },
    { good, other: other.name, path: volume.path, module: module.name },
  );
}

/** Faults: both-copies-have-data, good-copy-empty, good-copy-decided, no-good-copy. Never guesses. */
export function chooseGoodCopy(input: ClusterPlanInput, module: Module): string {
  const { nodes, remembered, good } = input;
  const initialised = nodes.find((node) => isInitialised(node, module.volumes));
  if (initialised) return goodBesides(input, module, initialised);
  const before = nodes.find(({ name }) => name === remembered[module.name])?.name;
  // What is said now is newer than what an interrupted apply was told.
  const chosen = good ?? before;
  if (chosen !== undefined) {
    refuseEmpty(input, module, chosen);
    return chosen;
  }
  const withData = nodes.filter((node) => hasData(node, module.volumes));
  if (withData.length > 1) {
    const names = nodes.map((node) => node.name);
    throw new Fault(
      'both-copies-have-data',
      {
        message: `Both servers have data of ${module.name}: ${nodes.map((node) => describe(node, module.volumes)).join('; ')}.`,
        remedy: `Say which copy is the good one: ${names.map((name) => `--good ${name}`).join(' or ')}. The other one is kept aside.`,
      },
      {
        module: module.name,
        nodes: names,
        paths: module.volumes.map(({ path }) => path),
        entries: perCopy(nodes, module.volumes, ({ entries }) => entries),
        bytes: perCopy(nodes, module.volumes, ({ bytes }) => bytes),
        newestFiles: perCopy(nodes, module.volumes, ({ newestFile }) => newestFile),
      },
    );
  }
  return withData[0]?.name ?? module.prefer ?? nodes[0]?.name ?? '';
}

/**
 * What keeps a directory from being replicated, on the nodes where it is not set up yet. True: only that somebody uses it, which the stop
 * command of the module may end.
 */
function refuseProblems(view: NodeView, module: Module, mayStop: boolean): boolean {
  let inUse = false;
  for (const volume of module.volumes) {
    const inspection = inspectionOf(view, volume);
    if (inspection === undefined || inspection.initialised) continue;
    const problem = inspection.problems.find(({ code }) => !mayStop || code !== 'directory-in-use');
    inUse ||= inspection.problems.length > 0;
    if (!problem) continue;
    throw new Fault(
      problem.code,
      { message: `${view.name}: ${problem.message}`, remedy: problem.remedy },
      { node: view.name, path: volume.path, module: module.name },
    );
  }
  return inUse;
}

const running: readonly string[] = ['wait', 'alone', 'primary', 'secondary', 'up', 'transient'];

/** Faults: those of chooseGoodCopy, no-such-node, and what an inspection found (directory-in-use …). */
export function planCluster(input: ClusterPlanInput): ClusterStep[] {
  const { record, nodes, good } = input;
  if (good !== null && !nodes.some((node) => node.name === good)) {
    throw new Fault(
      'no-such-node',
      { message: `No node is named ${good}.`, remedy: `Write one of: ${nodes.map((node) => node.name).join(', ')}.` },
      { node: good },
    );
  }
  const choices = new Map<string, string>();
  const steps: ClusterStep[] = [];
  for (const module of record.modules) {
    if (nodes.every((node) => isInitialised(node, module.volumes))) continue;
    // A node that has the module's configuration already shows its cover; what is below was looked at before.
    for (const node of nodes) {
      const covered = node.status?.modules.some((other) => other.name === module.name) === true;
      if (covered || !refuseProblems(node, module, input.mayStop)) continue;
      steps.push({
        kind: 'stop-application',
        node: node.name,
        module: module.name,
        title: `Stop the application of ${module.name} on ${node.name}, for the moment in which replication takes its place`,
      });
    }
    choices.set(module.name, chooseGoodCopy(input, module));
  }
  const fresh = record.modules.filter(
    (module) => choices.has(module.name) && !nodes.some((node) => isInitialised(node, module.volumes)),
  );
  if (fresh.some((module) => input.remembered[module.name] !== choices.get(module.name))) {
    const chosen = Object.fromEntries(fresh.map((module) => [module.name, choices.get(module.name) ?? '']));
    const words = Object.entries(chosen).map(([module, node]) => `${module}: ${node}`);
    steps.push({ kind: 'remember-choice', good: chosen, title: `Note where the good data is (${words.join(', ')})` });
  }
  for (const node of nodes) {
    if (node.status?.revision === record.revision && node.status.cluster === record.cluster) continue;
    steps.push({ kind: 'configure', node: node.name, title: `Give ${node.name} the configuration` });
  }
  for (const module of record.modules) {
    const chosen = choices.get(module.name);
    if (chosen === undefined) continue;
    const ordered = [...nodes].sort((a, b) => Number(b.name === chosen) - Number(a.name === chosen));
    for (const node of ordered) {
      if (isInitialised(node, module.volumes)) continue;
      const as = node.name === chosen ? 'good' : 'blank';
      const keepsAside = as === 'blank' && hasData(node, module.volumes);
      const kept = keepsAside ? '; what stands there is kept aside' : '';
      steps.push({
        kind: 'initialise',
        node: node.name,
        module: module.name,
        as,
        keepsAside,
        title:
          as === 'good'
            ? `Take the data of ${module.name} on ${node.name} as the good copy`
            : `Make ${node.name} ready to receive the data of ${module.name}${kept}`,
      });
    }
  }
  for (const module of record.modules) {
    for (const node of nodes) {
      const state = node.status?.modules.find((other) => other.name === module.name)?.own.state;
      if (state !== undefined && running.includes(state) && !choices.has(module.name)) continue;
      steps.push({
        kind: 'start',
        node: node.name,
        module: module.name,
        title: `Start ${module.name} on ${node.name}`,
      });
    }
  }
  return steps;
}
