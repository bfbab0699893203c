/** One answer to "may Holdfast be installed here": what was found, why it matters, how to mend it. */
import { pingWitnessOf, type Configuration } from '../../agent/contract/configuration.ts';
import type { Probe } from './probe.ts';
import { startedUnits, unitsIn } from '../../agent/contract/service-units.ts';

/** What belongs to a check or a step, for screens that word it themselves. */
export type Facts = Record<string, string | number | boolean | null | string[]>;

export interface Check {
  /** kebab-case. */
  readonly code: string;
  /** Node name, 'witness', or null for the cluster as a whole. */
  readonly host: string | null;
  readonly title: string;
  readonly ok: boolean;
  /** Ok, but worth knowing. */
  readonly attention: boolean;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly facts: Facts;
}

export interface ProbedMachine {
  /** Node name or 'witness'. */
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly probe: Probe;
  /** Their clock minus ours when the probe ran. */
  readonly clockDifferenceMs: number;
}

export interface CheckedModule {
  readonly name: string;
  readonly directories: readonly string[];
  /** With prefix length. */
  readonly vips: readonly string[];
  readonly interface: string | undefined;
  /** Units that its scripts start and stop. */
  readonly units: readonly string[];
  /** Those of them that it brings up: the application. */
  readonly started: readonly string[];
  readonly startCommand: string;
  /** Virtual machines of libvirt that its checkers watch. */
  readonly domains: readonly string[];
}

/** What the servers are checked for; a configuration, or as much of one as there is. */
export interface CheckSubject {
  readonly cluster: string | null;
  readonly networks: readonly { readonly name: string; readonly subnet: string }[];
  readonly modules: readonly CheckedModule[];
  /** An address that is to answer the pings of both nodes; null: none. */
  readonly pingWitness: string | null;
}

export function subjectOf(configuration: Configuration): CheckSubject {
  const commandOf = (script: Configuration['modules'][number]['start']): string =>
    typeof script === 'string' ? script : script.command;
  return {
    cluster: configuration.cluster,
    networks: configuration.networks ?? [],
    pingWitness: pingWitnessOf(configuration),
    modules: configuration.modules.map((module) => ({
      name: module.name,
      directories: module.replicate.map(({ path }) => path),
      vips: [module.vip].flat(),
      interface: module.interface,
      units: unitsIn(commandOf(module.start)),
      started: startedUnits(commandOf(module.start)),
      startCommand: commandOf(module.start),
      domains: module.checkers.flatMap(({ vm }) => vm?.domain ?? []),
    })),
  };
}

export interface CheckWords {
  readonly what: string;
  readonly why?: string;
  readonly remedy?: string;
}

export function passed(code: string, host: string | null, title: string, what: string, facts: Facts = {}): Check {
  return { code, host, title, ok: true, attention: false, what, why: '', remedy: '', facts };
}

export function failed(
  code: string,
  host: string | null,
  title: string,
  words: Required<CheckWords>,
  facts: Facts = {},
): Check {
  return { code, host, title, ok: false, attention: false, ...words, facts };
}

/** Good enough, but worth knowing. */
export function remarked(
  code: string,
  host: string | null,
  title: string,
  words: Required<CheckWords>,
  facts: Facts = {},
): Check {
  return { code, host, title, ok: true, attention: true, ...words, facts };
}
