/** Renderer ↔ main: what a screen may ask and is told. The same mechanism as app ↔ agent, over a port of the host. */
import { defineInterface, type Handlers } from '../../agent/contract/index.ts';
import { clusterEvents, clusterMethods } from './clusters.ts';
import { historyMethods } from './history.ts';
import { practiceEvents, practiceMethods } from './practice.ts';
import { preferencesMethods } from './preferences.ts';
import { serverEvents, serverMethods } from './servers.ts';
import { terminalEvents, terminalMethods } from './terminals.ts';
import { wizardEvents, wizardMethods } from './wizard.ts';

export type { ClusterView, Comparison, Estimate, KnownCluster, Order, Timeline } from './clusters.ts';
export type { Series } from './history.ts';
export type { Practice } from './practice.ts';
export type { StoredPreferences } from './preferences.ts';
export type { FoundServer, Machine, ServerFacts } from './servers.ts';
export { unacknowledgedCharactersMax } from './terminals.ts';
export {
  wizardCheckerKinds,
  wizardSteps,
  type AnswerProblem,
  type Answers,
  type CheckerAnswer,
  type CheckResult,
  type Copy,
  type DetectedService,
  type Draft,
  type Installation,
  type WizardCheckerKind,
  type WizardStep,
} from './wizard.ts';

export const appApi = defineInterface({
  name: 'holdfast-app',
  methods: {
    ...clusterMethods,
    ...historyMethods,
    ...serverMethods,
    ...wizardMethods,
    ...terminalMethods,
    ...practiceMethods,
    ...preferencesMethods,
  },
  events: { ...clusterEvents, ...serverEvents, ...wizardEvents, ...terminalEvents, ...practiceEvents },
});
export type AppApi = typeof appApi;

type MethodsOf<T> = {
  readonly [M in keyof T & keyof AppApi['methods']]: Handlers<AppApi>[M];
};
/** What each part of the main process answers; a screen of its own serves all of them. */
export type ClusterHandlers = MethodsOf<typeof clusterMethods>;
export type HistoryHandlers = MethodsOf<typeof historyMethods>;
export type ServerHandlers = MethodsOf<typeof serverMethods>;
export type WizardHandlers = MethodsOf<typeof wizardMethods>;
export type TerminalHandlers = MethodsOf<typeof terminalMethods>;
export type PracticeHandlers = MethodsOf<typeof practiceMethods>;
export type PreferencesHandlers = MethodsOf<typeof preferencesMethods>;
