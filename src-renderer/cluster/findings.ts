/** What there is to say of a cluster, the most important first: is the data protected, why not, what else is wrong. Pure. */
import type { ClusterStatus, FaultRecord, ModuleOnNode, ResyncProgress } from '../../agent/contract/index.ts';
import type { ClusterView } from '../../src-main/app-api/index.ts';
import type { Tone } from '../ui/tone.ts';

export type ModuleStatus = ClusterStatus['modules'][number];
export type NodeStatus = ClusterStatus['nodes'][number];
export type NodeFault = NonNullable<NodeStatus['fault']>;

/** A node, the other one, and why it is as it is. */
interface OnNode {
  readonly module: string;
  readonly on: ModuleOnNode;
  readonly peer: string;
}

/** Without tone, which follows from the kind. */
type FindingFacts =
  | { readonly kind: 'reading' }
  | { readonly kind: 'unreadable'; readonly fault: FaultRecord; readonly since: string }
  /** Of a module. */
  | ({ readonly kind: 'forked' } & OnNode)
  | ({ readonly kind: 'waiting' } & OnNode)
  | ({ readonly kind: 'nowhere' } & OnNode)
  | ({ readonly kind: 'alone'; readonly networks: number } & OnNode)
  /** `on` is the one that does not follow. */
  | ({ readonly kind: 'not-following'; readonly since: string | null } & OnNode)
  | ({ readonly kind: 'peer-stopped'; readonly since: string | null } & OnNode)
  | ({ readonly kind: 'link-cut'; readonly since: string | null } & OnNode)
  | ({ readonly kind: 'changing' } & OnNode)
  /** Nobody has a reason to give: the servers have not come to an end with a change yet. */
  | { readonly kind: 'settling'; readonly module: string }
  | { readonly kind: 'stopped'; readonly module: string; readonly since: string | null }
  | { readonly kind: 'maintenance'; readonly module: string }
  | {
      readonly kind: 'resync' | 'resync-paused' | 'protected-resync';
      readonly module: string;
      readonly node: string;
      readonly resync: ResyncProgress | null;
    }
  /** The data is safe; the application is not well on one of the two. */
  | ({ readonly kind: 'protected-unwell' } & OnNode)
  | { readonly kind: 'protected' }
  | { readonly kind: 'no-modules' }
  /** Of the way from here to the servers. */
  | { readonly kind: 'offline' }
  | { readonly kind: 'nobody-answers'; readonly since: string | null }
  | { readonly kind: 'agents-dead'; readonly nodes: readonly string[] }
  | { readonly kind: 'slept'; readonly fault: FaultRecord }
  | {
      readonly kind: 'agent-dead';
      readonly node: string;
      readonly module: string | null;
      readonly since: string | null;
    }
  | { readonly kind: 'node-unreachable'; readonly node: string; readonly fault: NodeFault | null }
  | { readonly kind: 'login' | 'host-key'; readonly node: string; readonly fault: NodeFault }
  | { readonly kind: 'old'; readonly observedAt: string }
  /** Of what protection rests on. */
  /** `address`: of a ping witness, which does not answer both; null: a witness that votes. */
  | { readonly kind: 'witness-lost'; readonly address: string | null }
  | { readonly kind: 'network-lost'; readonly network: string }
  | { readonly kind: 'version-skew'; readonly versions: readonly { readonly node: string; readonly version: string }[] }
  | { readonly kind: 'clock-wrong'; readonly node: string; readonly aheadMs: number }
  | { readonly kind: 'install-interrupted'; readonly draft: string };

export type FindingKind = FindingFacts['kind'];
export type Finding = FindingFacts & { readonly tone: Tone };

const toneOfKind: Readonly<Record<FindingKind, Tone>> = {
  reading: 'unknown',
  unreadable: 'unknown',
  forked: 'bad',
  waiting: 'bad',
  nowhere: 'bad',
  alone: 'attention',
  'not-following': 'attention',
  'peer-stopped': 'attention',
  'link-cut': 'attention',
  changing: 'working',
  settling: 'working',
  stopped: 'attention',
  maintenance: 'attention',
  resync: 'working',
  'resync-paused': 'attention',
  'protected-resync': 'working',
  'protected-unwell': 'attention',
  protected: 'good',
  'no-modules': 'attention',
  offline: 'unknown',
  'nobody-answers': 'unknown',
  'agents-dead': 'bad',
  'agent-dead': 'attention',
  'node-unreachable': 'unknown',
  login: 'attention',
  'host-key': 'attention',
  old: 'unknown',
  slept: 'unknown',
  'witness-lost': 'attention',
  'network-lost': 'attention',
  'version-skew': 'attention',
  'clock-wrong': 'attention',
  'install-interrupted': 'attention',
};
/** Worst first. */
const toneOrder: readonly Tone[] = ['bad', 'attention', 'unknown', 'working', 'good'];

/** What the screen knows besides the view. */
export interface Circumstances {
  readonly nowMs: number;
  /** The draft whose installation of this cluster was cut off; null: none. */
  readonly interruptedDraft: string | null;
}
export const usualCircumstances: Circumstances = { nowMs: 0, interruptedDraft: null };

/** A wrong time in the timeline becomes misleading. */
const clockAheadMaxMs = 60_000;
/** The cluster is read every few seconds; a reading this old was not followed by another one. */
const readingAgeMaxMs = 60_000;

export const servingStates: readonly ModuleOnNode['state'][] = ['primary', 'alone', 'up'];
export const serves = (on: ModuleOnNode): boolean => servingStates.includes(on.state);

const loginCodes = ['secret-needed', 'login-refused', 'sudo-needs-password', 'sudo-password-wrong', 'no-sudo'];
const hostKeyCodes = ['host-key-changed', 'host-key-unknown', 'host-key-revoked'];
const deadAgentCodes = ['agent-not-answering', 'agent-down', 'not-running'];

const found = (facts: FindingFacts): Finding => ({ ...facts, tone: toneOfKind[facts.kind] });
const byTone = (a: Finding, b: Finding): number => toneOrder.indexOf(a.tone) - toneOrder.indexOf(b.tone);

function isDead(node: NodeStatus | undefined): boolean {
  return node?.fault !== undefined && deadAgentCodes.includes(node.fault.code);
}

/** Alive or not known; at least one, since there is always a way between two servers. */
export function networkCount(status: ClusterStatus): number {
  return Math.max(1, status.networks?.length ?? 1);
}

/** They have to be looked at on the server itself; not hearing the other one does not cause them. */
export const localReasons: readonly (string | undefined)[] = [
  'disk-full',
  'apply-failed',
  'disk-failed',
  'disk-silent',
  'lane-hangs',
  'replicator-down',
  'replicator-lost',
  'secondary-failed',
];

/**
 * The one that runs the application. Of a server that has just come back its partner may still tell what it was before: whoever can be
 * asked knows better.
 */
export function runnerOf(status: ClusterStatus, module: ModuleStatus): ModuleOnNode | undefined {
  const running = module.nodes.filter(serves);
  return running.find((on) => status.nodes.some((node) => node.name === on.name && node.reachable)) ?? running[0];
}

/** Both sides tell of it; the one that sends knows how much there is, the other one only what has arrived. */
export function resyncOf(module: ModuleStatus): ResyncProgress | null {
  const known = (resync: ResyncProgress): number =>
    [resync.totalBytes, resync.bytesPerSecond, resync.etaSeconds].filter((number) => number !== null).length;
  const all = module.nodes.flatMap((on) => (on.resync === undefined ? [] : [on.resync]));
  return all.sort((a, b) => known(b) - known(a))[0] ?? null;
}

/** The rate is smoothed: it nears zero without reaching it. */
const standstillBytesPerSecond = 1000;
function standsStill(resync: ResyncProgress | null): boolean {
  if (resync === null || resync.doneBytes === 0 || resync.doneBytes === resync.totalBytes) return false;
  return resync.bytesPerSecond !== null && resync.bytesPerSecond < standstillBytesPerSecond;
}

/** Reasons that end by themselves within seconds say less than those that last. */
const passingReasons: readonly (string | undefined)[] = [undefined, 'starting', 'resuming', 'waiting-for-peer'];

/** Of the application, whatever becomes of its data. */
const unwellReasons: readonly (string | undefined)[] = [
  'checker-failed',
  'restart-limit',
  'checker-wait',
  'start-failed',
];

/** The application runs, the other server does not follow. */
function ofRunningModule(status: ClusterStatus, module: ModuleStatus, runs: ModuleOnNode): Finding {
  const other = module.nodes.find((on) => on.name !== runs.name);
  const peer = other?.name ?? '';
  const since = runs.since ?? other?.since ?? null;
  const nodeOf = (name: string): NodeStatus | undefined => status.nodes.find((node) => node.name === name);
  const here = { module: module.name, on: runs, peer };
  const there = other === undefined ? null : { module: module.name, on: other, peer: runs.name };
  if (other?.data === 'resynchronising') {
    const resync = resyncOf(module);
    const kind = standsStill(resync) ? 'resync-paused' : 'resync';
    return found({ kind, module: module.name, node: other.name, resync });
  }
  if (isDead(nodeOf(peer))) return found({ kind: 'agent-dead', node: peer, module: module.name, since });
  if (there?.on.state === 'stopped') return found({ kind: 'peer-stopped', since, ...there });
  const changes = there?.on.state === 'transient' || passingReasons.includes(there?.on.reason);
  if (runs.reason === undefined && changes) return found({ kind: 'settling', module: module.name });
  const bothAnswer = nodeOf(peer)?.reachable === true && nodeOf(runs.name)?.reachable === true;
  const local = there !== null && localReasons.includes(there.on.reason);
  if (bothAnswer && runs.reason === 'peer-silent' && !local) return found({ kind: 'link-cut', since, ...here });
  const knows = there !== null && there.on.state !== 'unknown' && there.on.reason !== undefined;
  // What a full disk or another version is called where it is; the one that runs only knows that the other has left.
  if (knows && there.on.reason !== 'peer-silent') return found({ kind: 'not-following', since, ...there });
  return found({ kind: 'alone', networks: networkCount(status), ...here });
}

function ofIdleModule(module: ModuleStatus): Finding {
  const [first] = module.nodes;
  const peerOf = (on: ModuleOnNode): string => module.nodes.find((other) => other.name !== on.name)?.name ?? '';
  const at = (on: ModuleOnNode): OnNode => ({ module: module.name, on, peer: peerOf(on) });
  if (first === undefined || module.nodes.every((on) => on.state === 'stopped')) {
    const since = module.nodes.map((on) => on.since).findLast((one) => one !== undefined) ?? null;
    return found({ kind: 'stopped', module: module.name, since });
  }
  const changing = module.nodes.find((on) => on.state === 'transient');
  if (changing) return found({ kind: 'changing', ...at(changing) });
  const waiting = module.nodes.filter((on) => on.state === 'wait' || on.state === 'secondary');
  const telling = waiting.find((on) => !passingReasons.includes(on.reason)) ?? waiting[0];
  if (telling) return found({ kind: 'waiting', ...at(telling) });
  return found({ kind: 'nowhere', ...at(module.nodes.find((on) => on.state === 'unknown') ?? first) });
}

function ofModule(status: ClusterStatus, module: ModuleStatus): Finding | null {
  const forked = module.nodes.find((on) => on.data === 'forked');
  const peer = module.nodes.find((on) => on.name !== forked?.name)?.name ?? '';
  if (forked) return found({ kind: 'forked', module: module.name, on: forked, peer });
  if (module.maintenance) return found({ kind: 'maintenance', module: module.name });
  if (module.protected) {
    const unwell = module.nodes.find((on) => unwellReasons.includes(on.reason));
    const peerOf = module.nodes.find((on) => on.name !== unwell?.name)?.name ?? '';
    if (unwell) return found({ kind: 'protected-unwell', module: module.name, on: unwell, peer: peerOf });
    const target = module.nodes.find((on) => on.data === 'resynchronising');
    return target === undefined
      ? null
      : found({
          kind: 'protected-resync',
          module: module.name,
          node: target.name,
          resync: resyncOf(module),
        });
  }
  const runs = runnerOf(status, module);
  return runs === undefined ? ofIdleModule(module) : ofRunningModule(status, module, runs);
}

/** `explained`: nodes whose silence a finding of a module has said already. */
function ofUnreachableNode(node: NodeStatus, explained: ReadonlySet<string>): Finding | null {
  const fault = node.fault ?? null;
  if (fault !== null && hostKeyCodes.includes(fault.code)) return found({ kind: 'host-key', node: node.name, fault });
  if (fault !== null && loginCodes.includes(fault.code)) return found({ kind: 'login', node: node.name, fault });
  if (explained.has(node.name)) return null;
  if (isDead(node)) return found({ kind: 'agent-dead', node: node.name, module: null, since: node.lastSeen });
  return found({ kind: 'node-unreachable', node: node.name, fault });
}

function ofVersions(status: ClusterStatus): Finding[] {
  const versions = status.nodes.flatMap((node) =>
    node.agentVersion === null ? [] : [{ node: node.name, version: node.agentVersion }],
  );
  return new Set(versions.map(({ version }) => version)).size > 1 ? [found({ kind: 'version-skew', versions })] : [];
}

function ofNetworks(status: ClusterStatus): Finding[] {
  const networks = status.networks ?? [];
  // All of them silent: then it is the server, and that is said already.
  if (!networks.some((network) => network.alive === true)) return [];
  return networks
    .filter((network) => network.alive === false)
    .map((network) => found({ kind: 'network-lost', network: network.name }));
}

function ofInterruption({ interruptedDraft }: Circumstances): Finding[] {
  return interruptedDraft === null ? [] : [found({ kind: 'install-interrupted', draft: interruptedDraft })];
}

function ofWitness({ kind, reachable, address }: ClusterStatus['witness']): Finding[] {
  if (kind === 'none' || reachable !== false) return [];
  return [found({ kind: 'witness-lost', address: kind === 'ping' ? (address ?? '') : null })];
}

function besides(status: ClusterStatus, main: readonly Finding[], circumstances: Circumstances): Finding[] {
  const explained = new Set(
    main.flatMap((finding) => {
      if (finding.kind === 'alone' || finding.kind === 'waiting') return [finding.peer];
      return finding.kind === 'agent-dead' ? [finding.node] : finding.kind === 'nowhere' ? [finding.on.name] : [];
    }),
  );
  return [
    ...ofInterruption(circumstances),
    ...status.nodes
      .filter((node) => !node.reachable)
      .map((node) => ofUnreachableNode(node, explained))
      .filter((finding) => finding !== null),
    ...ofWitness(status.witness),
    ...ofNetworks(status),
    ...ofVersions(status),
    ...status.nodes
      .filter((node) => Math.abs(node.clockAheadMs ?? 0) > clockAheadMaxMs)
      .map((node) => found({ kind: 'clock-wrong', node: node.name, aheadMs: node.clockAheadMs ?? 0 })),
  ];
}

/** Nobody can be asked: what the modules do is not known, and why is all there is to say. */
function ofSilence(status: ClusterStatus): Finding {
  const codes = status.nodes.map((node) => node.fault?.code ?? '');
  if (codes.every((code) => code === 'laptop-offline')) return found({ kind: 'offline' });
  if (status.nodes.every(isDead)) return found({ kind: 'agents-dead', nodes: status.nodes.map(({ name }) => name) });
  const seen = status.nodes.map((node) => node.lastSeen).filter((at) => at !== null);
  return found({ kind: 'nobody-answers', since: seen.sort().at(-1) ?? null });
}

function ofStatus(status: ClusterStatus, circumstances: Circumstances): readonly Finding[] {
  // Whatever it says, it says of then.
  if (circumstances.nowMs - Date.parse(status.observedAt) > readingAgeMaxMs)
    return [found({ kind: 'old', observedAt: status.observedAt }), ...ofInterruption(circumstances)];
  if (status.nodes.length > 0 && status.nodes.every((node) => !node.reachable)) {
    const silence = ofSilence(status);
    const others = besides(status, [], circumstances).filter(
      (finding) => !['node-unreachable', 'agent-dead'].includes(finding.kind),
    );
    // A password that is missing is why nobody answers, and giving it is what to do.
    const doors = others.filter((finding) => finding.kind === 'login' || finding.kind === 'host-key');
    return silence.kind === 'offline'
      ? [silence]
      : [...doors, silence, ...others.filter((one) => !doors.includes(one))];
  }
  const main =
    status.modules.length === 0
      ? [found({ kind: 'no-modules' })]
      : status.modules
          .map((module) => ofModule(status, module))
          .filter((finding) => finding !== null)
          .sort(byTone);
  const others = besides(status, main, circumstances).sort(byTone);
  const urgent = others.filter(({ tone }) => tone === 'bad' || tone === 'attention');
  const rest = others.filter((finding) => !urgent.includes(finding));
  // Whether the data is protected comes first; only when it is, what endangers it.
  if (!status.protected) return [...(main.length > 0 ? main : [found({ kind: 'reading' })]), ...urgent, ...rest];
  if (urgent.length > 0) return [...urgent, ...main, ...rest];
  return [...(main.length > 0 ? main : [found({ kind: 'protected' })]), ...rest];
}

/** Nobody answers, so there is no status; why, the main process has found out of all its attempts. */
function ofUnreadable(fault: FaultRecord, since: string): Finding {
  const { node, host, nodes } = fault.details;
  const name = typeof node === 'string' ? node : typeof host === 'string' ? host : '';
  if (hostKeyCodes.includes(fault.code)) return found({ kind: 'host-key', node: name, fault });
  if (loginCodes.includes(fault.code)) return found({ kind: 'login', node: name, fault });
  switch (fault.code) {
    case 'laptop-offline':
      return found({ kind: 'offline' });
    case 'laptop-slept':
      return found({ kind: 'slept', fault });
    case 'agents-not-answering':
      return found({ kind: 'agents-dead', nodes: Array.isArray(nodes) ? nodes : [] });
    case 'servers-unreachable':
      return found({ kind: 'nobody-answers', since });
    default:
      return found({ kind: 'unreadable', fault, since });
  }
}

/** Never empty. */
export function findingsOf(
  view: ClusterView,
  circumstances: Circumstances = usualCircumstances,
): readonly [Finding, ...Finding[]] {
  const list = ((): readonly Finding[] => {
    switch (view.kind) {
      case 'reading':
        return [found({ kind: 'reading' })];
      case 'unreadable':
        return [ofUnreadable(view.fault, view.since), ...ofInterruption(circumstances)];
      case 'read':
        return ofStatus(view.status, circumstances);
    }
  })();
  const [first = found({ kind: 'reading' }), ...others] = list;
  return [first, ...others];
}

/** The picture that there is, however old. */
export function statusOf(view: ClusterView): ClusterStatus | null {
  return view.kind === 'read' ? view.status : view.kind === 'unreadable' ? view.last : null;
}
