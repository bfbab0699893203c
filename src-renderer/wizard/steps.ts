/** May the person go on from a step, and if not, why? Pure: from the answers and from what is known of the servers. */
import {
  wizardSteps,
  type AnswerProblem,
  type Answers,
  type CheckResult,
  type Copy,
  type Installation,
  type WizardStep,
} from '../../src-main/app-api/index.ts';
import { foreignCluster, hasData, isSameMachine, serverTitle } from './answers.ts';
import type { LoginState } from './login.ts';

/** Something that was asked of the servers. `answer` is of the present answers, or null. */
export interface Asked<T> {
  readonly state: 'none' | 'asking' | 'answered' | 'failed';
  readonly answer: T | null;
}

export interface Known {
  /** In the order of the nodes. */
  readonly logins: readonly LoginState[];
  readonly witness: LoginState;
  readonly problems: readonly AnswerProblem[];
  readonly checks: Asked<readonly CheckResult[]>;
  readonly copies: Asked<readonly Copy[]>;
  readonly addressInUse: Asked<{ readonly inUse: boolean; readonly by: string | null }>;
  /** A virtual IP is wanted although none is given yet. */
  readonly addressWanted: boolean;
  readonly composed: Asked<{ readonly text: string | null; readonly problems: readonly AnswerProblem[] }>;
  readonly plan: Asked<readonly unknown[]>;
  readonly installation: Installation | null;
}

export type ObstacleCode =
  | 'server-missing'
  | 'answer-wrong'
  | 'not-connected'
  | 'connecting'
  | 'secret-missing'
  | 'login-failed'
  | 'host-key-changed'
  | 'host-key-open'
  | 'same-machine'
  | 'in-other-cluster'
  | 'cluster-name-missing'
  | 'node-name-missing'
  | 'asking'
  | 'not-asked'
  | 'checks-failed'
  | 'application-missing'
  | 'application-name-missing'
  | 'directory-missing'
  | 'start-missing'
  | 'stop-missing'
  | 'good-copy-missing'
  | 'good-copy-empty'
  | 'address-missing'
  | 'address-in-use'
  | 'checker-target-missing'
  | 'network-missing'
  | 'witness-missing'
  | 'witness-is-node'
  | 'ping-witness-missing'
  | 'configuration-incomplete'
  | 'not-installed'
  | 'installing';

export interface Obstacle {
  readonly code: ObstacleCode;
  /** A server, as it is called on the screen. */
  readonly server?: string;
  readonly count?: number;
  /** It goes away by itself. */
  readonly waits?: boolean;
}

export function stepIndex(step: WizardStep): number {
  return wizardSteps.indexOf(step);
}
export function stepAfter(step: WizardStep): WizardStep {
  return wizardSteps[Math.min(stepIndex(step) + 1, wizardSteps.length - 1)] ?? step;
}
export function stepBefore(step: WizardStep): WizardStep {
  return wizardSteps[Math.max(stepIndex(step) - 1, 0)] ?? step;
}

/** Where an answer is given: `application.directories.0` → application. */
export function stepOfPath(path: string): WizardStep {
  const [first = ''] = path.split('.');
  switch (first) {
    case 'application':
      return 'application';
    case 'goodNode':
      return 'data';
    case 'vip':
    case 'interface':
      return 'address';
    case 'checkers':
    case 'checkersBy':
      return 'checkers';
    case 'networks':
      return 'networks';
    case 'witness':
    case 'withoutWitness':
    case 'detectionMs':
      return 'safety';
    case 'prefer':
    case 'failback':
      return 'preferred';
    default:
      return 'servers';
  }
}

/** The steps on which what a check found is told and can be mended, best first. */
export function stepsOfCheck({ code, host }: Pick<CheckResult, 'code' | 'host'>): readonly WizardStep[] {
  if (host === 'witness' || /^(ping-)?witness(-|$)/.test(code)) return ['safety'];
  if (/^(data-space|good-copy-empty)$/.test(code)) return ['data'];
  if (/^(directory|filesystems|unit|application|owner)(-|$)/.test(code)) return ['application'];
  if (code.startsWith('vip-')) return ['address'];
  // A firewall is met before there is anything to choose, and with every network that is chosen.
  if (code === 'peer-ports-blocked') return ['checks', 'networks'];
  return /^(networks?-(without|unknown)|peer-)/.test(code) ? ['networks'] : ['checks'];
}

function loginObstacle(login: LoginState, server: string): Obstacle | null {
  switch (login.kind) {
    case 'ready':
      return null;
    case 'idle':
      return { code: 'not-connected', server };
    case 'connecting':
      return { code: 'connecting', server, waits: true };
    case 'host-key-unknown':
      return { code: 'host-key-open', server };
    case 'host-key-changed':
      return { code: 'host-key-changed', server };
    case 'secret-needed':
      return { code: 'secret-missing', server };
    case 'failed':
      return { code: 'login-failed', server };
  }
}

function problemsObstacle(step: WizardStep, known: Known): Obstacle | null {
  const count = known.problems.filter((problem) => stepOfPath(problem.path) === step).length;
  return count === 0 ? null : { code: 'answer-wrong', count };
}

/** Both servers are who they should be and let us in. `keysLater`: fingerprints are the next question. */
function serversObstacle(answers: Answers, known: Known, keysLater: boolean): Obstacle | null {
  for (const [index, node] of answers.nodes.entries()) {
    if (node.machine.destination.trim() === '') return { code: 'server-missing', count: index + 1 };
  }
  const wrong = problemsObstacle('servers', known);
  if (wrong) return wrong;
  for (const [index] of answers.nodes.entries()) {
    const login = known.logins[index] ?? { kind: 'idle' };
    if (keysLater && login.kind === 'host-key-unknown') continue;
    const obstacle = loginObstacle(login, serverTitle(answers, index));
    if (obstacle) return obstacle;
  }
  if (isSameMachine(answers)) return { code: 'same-machine' };
  for (const [index, node] of answers.nodes.entries()) {
    if (foreignCluster(node.facts, answers, known.installation) !== null)
      return { code: 'in-other-cluster', server: serverTitle(answers, index) };
    if (node.facts !== null && node.name.trim() === '')
      return { code: 'node-name-missing', server: serverTitle(answers, index) };
  }
  return answers.cluster.trim() === '' ? { code: 'cluster-name-missing' } : null;
}

function askedObstacle(asked: Asked<unknown>, answers: Answers, known: Known): Obstacle | null {
  if (asked.answer !== null) return null;
  // Nothing is asked as long as a server waits for something itself.
  for (const [index, login] of known.logins.entries()) {
    const obstacle = loginObstacle(login, serverTitle(answers, index));
    if (obstacle) return obstacle;
  }
  return asked.state === 'failed' ? { code: 'not-asked' } : { code: 'asking', waits: true };
}

function failedChecks(step: WizardStep, known: Known): Obstacle | null {
  const failed = (known.checks.answer ?? []).filter((check) => !check.ok && stepsOfCheck(check).includes(step));
  return failed.length === 0 ? null : { code: 'checks-failed', count: failed.length };
}

/** By hand it is chosen as well: that suggests a name. */
function isApplicationChosen({ service, name, directories, start }: Answers['application']): boolean {
  return service !== null || name.trim() !== '' || directories.length > 0 || start.trim() !== '';
}

function applicationObstacle(answers: Answers, known: Known): Obstacle | null {
  const { application } = answers;
  if (!isApplicationChosen(application)) return { code: 'application-missing' };
  if (application.name.trim() === '') return { code: 'application-name-missing' };
  if (application.directories.every((path) => path.trim() === '')) return { code: 'directory-missing' };
  if (application.start.trim() === '') return { code: 'start-missing' };
  if (application.stop.trim() === '') return { code: 'stop-missing' };
  return (
    problemsObstacle('application', known) ??
    askedObstacle(known.checks, answers, known) ??
    failedChecks('application', known)
  );
}

function dataObstacle(answers: Answers, known: Known): Obstacle | null {
  const asked = askedObstacle(known.copies, answers, known);
  if (asked) return asked;
  const good = answers.nodes.find((node) => node.name === answers.goodNode);
  if (good === undefined) return { code: 'good-copy-missing' };
  const copies = known.copies.answer ?? [];
  // An empty copy would replace the one with data: nobody means that.
  if (!hasData(copies, good.name) && answers.nodes.some((node) => hasData(copies, node.name)))
    return { code: 'good-copy-empty', server: good.name };
  return problemsObstacle('data', known) ?? failedChecks('data', known);
}

function addressObstacle(answers: Answers, known: Known): Obstacle | null {
  const wrong = problemsObstacle('address', known);
  if (wrong) return wrong;
  if (answers.vip.trim() === '') return known.addressWanted ? { code: 'address-missing' } : null;
  const asked = askedObstacle(known.addressInUse, answers, known);
  if (asked) return asked;
  if (known.addressInUse.answer?.inUse === true) return { code: 'address-in-use' };
  return failedChecks('address', known);
}

function safetyObstacle(answers: Answers, known: Known): Obstacle | null {
  if (answers.witness.kind === 'voting') {
    if (answers.witness.machine.destination.trim() === '') return { code: 'witness-missing' };
    const wrong = problemsObstacle('safety', known);
    if (wrong) return wrong;
    const obstacle = loginObstacle(known.witness, answers.witness.machine.destination);
    if (obstacle) return obstacle;
    const { facts } = answers.witness;
    if (facts !== null && answers.nodes.some((node) => node.facts?.machineId === facts.machineId))
      return { code: 'witness-is-node' };
  }
  if (answers.witness.kind === 'ping' && (answers.witness.ping ?? '').trim() === '')
    return { code: 'ping-witness-missing' };
  const wrong = problemsObstacle('safety', known);
  if (wrong || answers.witness.kind === 'none') return wrong;
  return askedObstacle(known.checks, answers, known) ?? failedChecks('safety', known);
}

function reviewObstacle(answers: Answers, known: Known): Obstacle | null {
  const composed = askedObstacle(known.composed, answers, known);
  if (composed) return composed;
  if ((known.composed.answer?.text ?? null) === null)
    return { code: 'configuration-incomplete', count: known.composed.answer?.problems.length ?? 0 };
  const asked = askedObstacle(known.plan, answers, known) ?? askedObstacle(known.checks, answers, known);
  if (asked) return asked;
  const failed = (known.checks.answer ?? []).filter((check) => !check.ok);
  return failed.length === 0 ? null : { code: 'checks-failed', count: failed.length };
}

/** Null: the person may go on. */
export function obstacleAt(step: WizardStep, answers: Answers, known: Known): Obstacle | null {
  switch (step) {
    case 'servers':
      return serversObstacle(answers, known, true);
    case 'fingerprints':
      return serversObstacle(answers, known, false);
    case 'checks':
      return askedObstacle(known.checks, answers, known) ?? failedChecks('checks', known);
    case 'application':
      return applicationObstacle(answers, known);
    case 'data':
      return dataObstacle(answers, known);
    case 'address':
      return addressObstacle(answers, known);
    case 'checkers':
      if (answers.checkers.some(({ target }) => target.trim() === '')) return { code: 'checker-target-missing' };
      return problemsObstacle('checkers', known);
    case 'networks':
      if (answers.networks?.length === 0) return { code: 'network-missing' };
      return problemsObstacle('networks', known) ?? failedChecks('networks', known);
    case 'safety':
      return safetyObstacle(answers, known);
    case 'preferred':
      return problemsObstacle('preferred', known);
    case 'review':
      return reviewObstacle(answers, known);
    case 'install':
      if (known.installation?.state === 'done') return null;
      return known.installation?.state === 'running' ? { code: 'installing', waits: true } : { code: 'not-installed' };
    case 'sync':
      return null;
  }
}

/** Answered well enough to be shown as done, without asking anybody again. */
export function isAnswered(step: WizardStep, answers: Answers, installation: Installation | null): boolean {
  switch (step) {
    case 'servers':
      return answers.nodes.every((node) => node.machine.destination.trim() !== '') && answers.cluster !== '';
    case 'fingerprints':
    case 'checks':
      return answers.nodes.every((node) => node.facts !== null);
    case 'application': {
      const { name, directories, start, stop } = answers.application;
      return name !== '' && directories.length > 0 && start !== '' && stop !== '';
    }
    case 'data':
      return answers.goodNode !== null;
    case 'address':
    case 'checkers':
    case 'networks':
    case 'preferred':
    case 'review':
      return true;
    case 'safety':
      if (answers.witness.kind === 'ping') return (answers.witness.ping ?? '').trim() !== '';
      return answers.witness.kind === 'none' || answers.witness.facts !== null;
    case 'install':
      return installation?.state === 'done';
    case 'sync':
      // The cluster itself tells that.
      return false;
  }
}

/** Servers are being changed: nothing may be answered otherwise until that ends. Afterwards only the first sync is left. */
export function isLocked(installation: Installation | null): boolean {
  return installation?.state === 'running' || installation?.state === 'done';
}

/** From the list on the left: back to what was answered, and forward again as far as everything between is answered. */
export function canJump(
  to: WizardStep,
  reached: WizardStep,
  answers: Answers,
  installation: Installation | null,
): boolean {
  if (isLocked(installation)) return stepIndex(to) >= stepIndex('install') && stepIndex(to) <= stepIndex(reached);
  if (stepIndex(to) > stepIndex(reached)) return false;
  return wizardSteps.slice(0, stepIndex(to)).every((step) => isAnswered(step, answers, installation));
}

/** How far the person has come, of whom only the last step is known: as far as something was decided. */
export function reachedStep(step: WizardStep, answers: Answers, installation: Installation | null): WizardStep {
  const open = wizardSteps.find((one) => !isAnswered(one, answers, installation)) ?? step;
  // Beyond the good copy every question has an answer from the beginning: that it was seen is not known.
  const seen = stepIndex(open) > stepIndex('data') ? 'address' : open;
  return stepIndex(seen) > stepIndex(step) ? seen : step;
}
