/** Answers as the content of a configuration file, and the places of the one in the other. Pure. */
import type { Answers } from '../app-api/index.ts';
import { checkerAnswerPath, checkerValue, tidiedChecker, type CheckerValue } from './checker-value.ts';
import { defaults } from './defaults.ts';

/** Blanks around what was typed mean nothing, nor does a slash at the end of a directory. */
export function tidied(answers: Answers): Answers {
  const machine = (one: Answers['witness']['machine']): Answers['witness']['machine'] => ({
    ...one,
    destination: one.destination.trim(),
  });
  const { application, witness, networks } = answers;
  return {
    ...answers,
    cluster: answers.cluster.trim(),
    nodes: answers.nodes.map((node) => ({ ...node, name: node.name.trim(), machine: machine(node.machine) })),
    application: {
      ...application,
      name: application.name.trim(),
      directories: application.directories.map(tidiedDirectory),
      start: application.start.trim(),
      stop: application.stop.trim(),
    },
    goodNode: trimmedOrNull(answers.goodNode),
    vip: answers.vip.trim(),
    interface: trimmedOrNull(answers.interface),
    checkers: answers.checkers.map(tidiedChecker),
    networks:
      networks === null || networks.length === 0
        ? null
        : networks.map(({ name, subnet }) => ({ name: name.trim(), subnet: subnet.trim() })),
    witness: {
      ...witness,
      machine: machine(witness.machine),
      ...(witness.ping === undefined ? {} : { ping: witness.ping.trim() }),
    },
    prefer: trimmedOrNull(answers.prefer),
  };
}

function trimmedOrNull(text: string | null): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

function tidiedDirectory(path: string): string {
  const trimmed = path.trim();
  return trimmed.length > 1 ? trimmed.replace(/\/+$/, '') || '/' : trimmed;
}

interface MachineValue {
  readonly ssh: string;
  readonly port?: number;
}

type ScriptValue = string | { readonly command: string; readonly timeout: string };

/** In the order in which the file says it. */
export interface ConfigurationValue {
  readonly version: 1;
  readonly cluster: string;
  readonly nodes: readonly ({ readonly name: string } & MachineValue)[];
  readonly networks?: readonly { readonly name: string; readonly subnet: string }[];
  readonly witness: 'none' | { readonly ping: string } | MachineValue;
  readonly withoutWitness?: string;
  readonly detection?: string;
  readonly modules: readonly [
    {
      readonly name: string;
      readonly kind: 'mirror';
      readonly prefer?: string;
      readonly failback?: string;
      readonly replicate: readonly { readonly path: string }[];
      readonly vip?: string;
      readonly interface?: string;
      readonly start: ScriptValue;
      readonly stop: ScriptValue;
      readonly checkers?: readonly CheckerValue[];
    },
  ];
}

/** '3s', '1500ms' */
function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** Values that nobody typed yet, or that are not taken: they stand there so that the others can be judged. */
export interface Placeholders {
  /** Paths in the answers. */
  readonly at: ReadonlySet<string>;
}

const noPlaceholders: Placeholders = { at: new Set() };

/** `answers` are tidied. What equals the default of the file is left out. */
export function configurationValue(answers: Answers, placeholders: Placeholders = noPlaceholders): ConfigurationValue {
  const { application, witness } = answers;
  const or = (path: string, value: string, placeholder: string): string =>
    placeholders.at.has(path) ? placeholder : value;
  const machine = (path: string, one: typeof witness.machine, placeholder: string): MachineValue => ({
    ssh: or(`${path}.destination`, one.destination, placeholder),
    ...(one.port === null ? {} : { port: one.port }),
  });
  const script = (name: 'start' | 'stop'): ScriptValue => {
    const command = or(`application.${name}`, application[name], 'true');
    const seconds = application[`${name}Timeout`];
    return seconds === defaults.scriptTimeoutSeconds || placeholders.at.has(`application.${name}Timeout`)
      ? command
      : { command, timeout: `${seconds}s` };
  };
  const witnessValue = (): ConfigurationValue['witness'] => {
    if (witness.kind === 'none') return 'none';
    // Of a range that nobody uses.
    if (witness.kind === 'ping') return { ping: or('witness.ping', witness.ping ?? '', '192.0.2.1') };
    return machine('witness.machine', witness.machine, 'unnamed-witness.invalid');
  };
  const nodes = answers.nodes.map((node, index) => ({
    name: or(`nodes.${index}.name`, node.name, `unnamed-${index + 1}`),
    ...machine(`nodes.${index}.machine`, node.machine, `unnamed-${index + 1}.invalid`),
  }));
  const prefer = answers.prefer === null ? null : or('prefer', answers.prefer, nodes[0]?.name ?? '');
  return {
    version: 1,
    cluster: or('cluster', answers.cluster, 'unnamed'),
    nodes,
    ...(answers.networks === null
      ? {}
      : {
          networks: answers.networks.map((network, index) => ({
            name: or(`networks.${index}.name`, network.name, `unnamed-${index + 1}`),
            // Of a range that nobody uses, and each of its own.
            subnet: or(`networks.${index}.subnet`, network.subnet, `0.0.${index}.0/24`),
          })),
        }),
    witness: witnessValue(),
    ...(answers.withoutWitness === defaults.withoutWitness ? {} : { withoutWitness: answers.withoutWitness }),
    ...(answers.detectionMs === defaults.detectionMs || placeholders.at.has('detectionMs')
      ? {}
      : { detection: durationText(answers.detectionMs) }),
    modules: [
      {
        name: or('application.name', application.name, 'unnamed'),
        kind: 'mirror',
        ...(prefer === null ? {} : { prefer }),
        ...(answers.failback === defaults.failback ? {} : { failback: answers.failback }),
        replicate: application.directories.map((path, index) => ({
          path: or(`application.directories.${index}`, path, `/unnamed/${index + 1}`),
        })),
        ...(answers.vip === '' || placeholders.at.has('vip') ? {} : { vip: answers.vip }),
        ...(answers.interface === null || placeholders.at.has('interface') ? {} : { interface: answers.interface }),
        start: script('start'),
        stop: script('stop'),
        ...(answers.checkers.length === 0
          ? {}
          : { checkers: answers.checkers.map((checker, index) => checkerValue(checker, index, placeholders.at)) }),
      },
    ],
  };
}

/** `['modules', 0, 'replicate', 1, 'path']` → `application.directories.1` */
export function answerPath(path: readonly (string | number)[]): string {
  const [root, index, key, inner, last] = path;
  switch (root) {
    case 'nodes':
      if (key === undefined) return 'nodes';
      return key === 'name'
        ? `nodes.${index}.name`
        : `nodes.${index}.machine.${key === 'port' ? 'port' : 'destination'}`;
    case 'networks':
      return path.join('.');
    case 'witness':
      if (index === 'ping') return 'witness.ping';
      return `witness.machine.${index === 'port' ? 'port' : 'destination'}`;
    case 'detection':
      return 'detectionMs';
    case 'modules':
      break;
    default:
      return String(root ?? '');
  }
  switch (key) {
    case 'replicate':
      return inner === undefined ? 'application.directories' : `application.directories.${inner}`;
    case 'start':
    case 'stop':
      return `application.${key}${inner === 'timeout' || last === 'timeout' ? 'Timeout' : ''}`;
    case 'checkers':
      return checkerAnswerPath(inner, last, path[5]);
    case 'vip':
    case 'interface':
    case 'prefer':
    case 'failback':
      return key;
    default:
      return 'application.name';
  }
}
