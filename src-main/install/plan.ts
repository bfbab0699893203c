/**
 * What is to be done on one host. Pure: computed from the probe, so a second run plans only what the first did not finish. Each step can be
 * repeated; they are executed in array order. The phases of all hosts run one after the other: certificates are exchanged between `place`
 * and `join`, and nothing runs before everything stands.
 */
import type { Facts } from './check.ts';
import { commandScript } from './layout.ts';
import type { Package } from './packages.ts';
import { sha256Hex, type Probe } from './probe.ts';
import { unitsOf, type UnitTexts } from './unit-files.ts';

export type HostStepKind =
  | 'upload-runtime'
  | 'upload-agent'
  | 'make-keys'
  | 'create-directory'
  | 'join-cluster'
  | 'admit-cluster'
  | 'switch-version'
  | 'write-units'
  | 'start-units';

export type Phase = 'place' | 'join' | 'run';

export interface HostStep {
  /** Node name or 'witness'. */
  readonly host: string;
  readonly kind: HostStepKind;
  readonly phase: Phase;
  /** Imperative, for people: "Upload the agent 0.1.0 to n1". */
  readonly title: string;
  readonly facts: Facts;
  /** `create-directory`. */
  readonly directory?: WantedDirectory;
}

export interface WantedDirectory {
  readonly path: string;
  readonly owner: string;
  readonly mode: string;
  /** SELinux label of the other server's; null where it has none. */
  readonly label: string | null;
}

export interface WantedHost {
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly runtime: Package;
  readonly agent: Package;
  readonly units: UnitTexts;
  /** Node: the peer's name. Witness: null. */
  readonly peer: string | null;
  /** SHA-256 of what stands in the files; null: not known before both nodes have made theirs. */
  readonly peerCertificateSha256: string | null;
  readonly secretSha256: string | null;
  readonly clusterUuid: string;
  readonly createDirectories: readonly WantedDirectory[];
}

export function stepId(step: { readonly host: string; readonly kind: string }): string {
  return `${step.host}/${step.kind}`;
}

export function planHost(probe: Probe, wanted: WantedHost): HostStep[] {
  const { name: host, role, runtime, agent } = wanted;
  const { installed } = probe;
  const steps: HostStep[] = [];
  const add = (
    kind: HostStepKind,
    phase: Phase,
    title: string,
    facts: Facts = {},
    directory?: HostStep['directory'],
  ): void => {
    steps.push({ host, kind, phase, title, facts, ...(directory === undefined ? {} : { directory }) });
  };
  const newRuntime = !installed.runtimes.includes(runtime.id);
  if (newRuntime) add('upload-runtime', 'place', `Upload the Node runtime to ${host}`, { bytes: runtime.size });
  if (!installed.agents.includes(agent.id))
    add('upload-agent', 'place', `Upload the agent ${agent.version} to ${host}`, {
      version: agent.version,
      bytes: agent.size,
    });
  const newName = installed.node !== host;
  if (role === 'node' && (installed.certificate === null || newName)) {
    add('make-keys', 'place', `Make the key and the certificate of ${host}`);
  }
  for (const directory of wanted.createDirectories) {
    add('create-directory', 'join', `Create ${directory.path} on ${host}`, { path: directory.path }, directory);
  }
  if (role === 'node' && wanted.peer !== null) {
    const knowsPeer =
      wanted.peerCertificateSha256 !== null && installed.peers[wanted.peer] === wanted.peerCertificateSha256;
    const knowsSecret = wanted.secretSha256 !== null && installed.secretSha256 === wanted.secretSha256;
    if (newName || !knowsPeer || !knowsSecret)
      add('join-cluster', 'join', `Give ${host} its name, the cluster secret and the certificate of ${wanted.peer}`, {
        peer: wanted.peer,
      });
  }
  if (role === 'witness') {
    const knows = wanted.secretSha256 !== null && installed.witnessSecrets[wanted.clusterUuid] === wanted.secretSha256;
    if (!knows) add('admit-cluster', 'join', 'Give the witness the cluster secret');
  }
  const otherVersion = installed.current !== agent.id || installed.runtimeCurrent !== runtime.id;
  if (otherVersion || installed.scriptSha256 !== sha256Hex(commandScript)) {
    const before = installed.current === null || installed.current === agent.id ? '' : ` (now ${installed.current})`;
    add('switch-version', 'run', `Make ${agent.version} the agent of ${host}${before}`, {
      version: agent.version,
      before: installed.current === agent.id ? null : installed.current,
    });
  }
  const units = unitsOf(role);
  const otherUnits = units.some((unit) => {
    const present = installed.units[unit];
    return present?.sha256 !== sha256Hex(wanted.units[unit]) || !present.enabled;
  });
  if (otherUnits) add('write-units', 'run', `Write the systemd units of ${host}`);
  if (otherVersion || otherUnits || units.some((unit) => installed.units[unit]?.active !== true)) {
    add('start-units', 'run', `Start the agent on ${host}`);
  }
  return steps;
}

/** The agent of a running node is replaced: its applications have to be moved away first. */
export function replacesRunningAgent(probe: Probe, steps: readonly HostStep[]): boolean {
  const running = probe.installed.units['holdfastd.service']?.active === true;
  return running && steps.some((step) => step.kind === 'start-units');
}
