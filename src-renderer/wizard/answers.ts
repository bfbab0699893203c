/** What follows from the answers, and the sensible ones to begin with. Pure. */
import type { Result } from '../../agent/contract/index.ts';
import type {
  Answers,
  AppApi,
  Copy,
  DetectedService,
  Installation,
  Machine,
  ServerFacts,
} from '../../src-main/app-api/index.ts';

export type Suggestions = Result<AppApi, 'suggestions'>;
export type PlannedStep = Result<AppApi, 'plan'>[number];
export type BrowsedDirectory = Result<AppApi, 'browse'>[number];

export type NodeAnswer = Answers['nodes'][number];
export type Network = NonNullable<Answers['networks']>[number];

/** A network that both nodes are on. */
export type SharedNetwork = Suggestions['networks'][number];

const blankMachine: Machine = { destination: '', port: null, identity: null };

/** Before the draft is read. */
export const blankAnswers: Answers = {
  cluster: '',
  nodes: [
    { name: '', machine: blankMachine, facts: null },
    { name: '', machine: blankMachine, facts: null },
  ],
  application: {
    name: '',
    service: null,
    directories: [],
    start: '',
    stop: '',
    startTimeout: 60,
    stopTimeout: 60,
  },
  goodNode: null,
  vip: '',
  interface: null,
  checkers: [],
  checkersBy: 'nobody',
  networks: null,
  witness: { kind: 'none', machine: blankMachine, facts: null },
  withoutWitness: 'prefer-one-copy',
  detectionMs: 3000,
  prefer: null,
  failback: 'manual',
};

/** As a server is called on the screen: what was typed to reach it, and its node name as soon as it has told who it is. */
export function serverTitle(answers: Answers, index: number): string {
  const node = answers.nodes[index];
  const typed = node?.machine.destination.trim() ?? '';
  const name = node?.name.trim() ?? '';
  if (name !== '' && (node?.facts !== null || typed === '')) return name;
  return typed === '' ? `n${index + 1}` : typed.slice(typed.indexOf('@') + 1);
}

export function nodeNames(answers: Answers): string[] {
  return answers.nodes.map((_node, index) => serverTitle(answers, index));
}

export function peerOf(answers: Answers, node: string): string {
  return answers.nodes.find((other) => other.name !== node)?.name ?? '';
}

/** Two ways to the same server: it could not survive its own loss. */
export function isSameMachine(answers: Answers): boolean {
  const [first, second] = answers.nodes.map((node) => node.facts?.machineId ?? '');
  return first !== undefined && first !== '' && first === second;
}

/**
 * The cluster that a server belongs to already, when it is not the one that this draft is making: an installation that was
 * interrupted finds its own traces.
 */
export function foreignCluster(
  facts: ServerFacts | null,
  answers: Answers,
  installation: Installation | null,
): string | null {
  const cluster = facts?.cluster ?? null;
  if (cluster === null) return null;
  return installation !== null && installation.cluster !== null && cluster === answers.cluster ? null : cluster;
}

export function copyOf(copies: readonly Copy[], node: string): readonly Copy[] {
  return copies.filter((copy) => copy.node === node);
}
export function hasData(copies: readonly Copy[], node: string): boolean {
  return copyOf(copies, node).some((copy) => copy.exists && !copy.empty);
}

/** Only where there is nothing to decide: one server has data, or neither has. */
export function suggestedGoodNode(answers: Answers, copies: readonly Copy[]): string | null {
  const names = answers.nodes.map((node) => node.name);
  const withData = names.filter((name) => hasData(copies, name));
  if (withData.length > 1) return null;
  return withData[0] ?? names[0] ?? null;
}

const nameCharactersMax = 32;

/** Lower-case letters, digits and hyphens, as names in the configuration are. */
export function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/\.service$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, nameCharactersMax)
    .replace(/^-+|-+$/g, '');
}

/** What two servers named alike have in common: `dupont-srv1`, `dupont-srv2` → `dupont-srv`. */
export function suggestedClusterName(hostnames: readonly string[], taken: readonly string[]): string {
  const [first = '', second = ''] = hostnames.map((hostname) => nameFrom(hostname.split('.')[0] ?? ''));
  let length = 0;
  while (length < first.length && first[length] === second[length]) length += 1;
  const shared = first.slice(0, length).replace(/[-0-9]+$/, '');
  const candidates = [
    ...(shared.length >= 3 ? [shared] : []),
    ...Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => `site-${letter}`),
  ];
  return candidates.find((name) => !taken.includes(name)) ?? 'site';
}

/** Before anything is known of a server, and where it does not know itself. */
export function plainNodeName(index: number): string {
  return `n${index + 1}`;
}
/** Two servers may call themselves the same. */
export function suggestedNodeName(facts: ServerFacts, index: number, other: string): string {
  const own = nameFrom(facts.suggestedName);
  return own === '' || own === other || own === 'localhost' || own === 'server' ? plainNodeName(index) : own;
}

/** What is most likely to be protected: known products that run and keep data, databases being what most people lose. */
export function likeliestService(services: readonly DetectedService[]): DetectedService | null {
  const likely = services.filter((service) => service.product !== null && service.on.some((on) => on.active));
  return likely.find((service) => service.directories.length > 0) ?? likely[0] ?? null;
}

/** Worth showing at once: something is known of it beyond its name. */
export function isTelling(service: DetectedService): boolean {
  return service.product !== null || service.directories.length > 0 || service.ports.length > 0;
}

export function applicationFrom(service: DetectedService): Answers['application'] {
  const [likeliest] = service.directories;
  return {
    name: nameFrom(service.product ?? service.unit),
    service: service.unit,
    directories: likeliest === undefined ? [] : [likeliest.path],
    start: `systemctl start ${service.unit}`,
    stop: `systemctl stop ${service.unit}`,
    startTimeout: 60,
    stopTimeout: 60,
  };
}

/** Both nodes are really on it: a bridge of containers has the same address everywhere. */
export function usableNetworks(networks: readonly SharedNetwork[]): readonly SharedNetwork[] {
  return networks.filter((network) => new Set(network.addresses).size === network.addresses.length);
}

/** All of them; a network of their own first, so that the copy does not compete with the users. */
export function suggestedNetworks(networks: readonly SharedNetwork[]): Network[] {
  const usable = usableNetworks(networks);
  return [...usable.filter((network) => !network.ssh), ...usable.filter((network) => network.ssh)].map(
    ({ name, subnet }) => ({ name, subnet }),
  );
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(to, 0, item);
  return next;
}

/** Belong to the system: replicating them would take the server along. Said while typing; the backend refuses them too. */
const systemDirectories =
  /^\/(bin|boot|dev|etc|home|lib|lib32|lib64|libx32|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|var\/lib|var\/log|var\/tmp|var\/cache)?$/;
export function isSystemDirectory(path: string): boolean {
  return systemDirectories.test(path.replace(/\/+$/, '') || '/') || /^\/(proc|sys|dev|run|usr|boot)\//.test(path);
}

/** Nothing was decided about the application yet. */
export function isApplicationBlank({ service, name, directories, start, stop }: Answers['application']): boolean {
  return service === null && name === '' && directories.length === 0 && start === '' && stop === '';
}

/** Answers that name a node go along when it is renamed. */
export function renamed(answers: Answers, index: number, name: string): Pick<Answers, 'goodNode' | 'prefer'> {
  const before = answers.nodes[index]?.name ?? '';
  const shared = answers.nodes.some((node, other) => other !== index && node.name === before);
  const follow = (value: string | null): string | null => (value === before && before !== '' && !shared ? name : value);
  return { goodNode: follow(answers.goodNode), prefer: follow(answers.prefer) };
}
