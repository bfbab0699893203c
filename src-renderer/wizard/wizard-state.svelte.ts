/** Everything that one open wizard knows: the answers, the ways into the servers, and what these have said to the answers. */
import { untrack } from 'svelte';
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import {
  wizardSteps,
  type AnswerProblem,
  type Answers,
  type CheckResult,
  type Copy,
  type DetectedService,
  type Draft,
  type Installation,
  type WizardStep,
} from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';
import { problemText } from '../messages/wizard-words.ts';
import { preferences } from '../preferences.svelte.ts';
import {
  blankAnswers,
  plainNodeName,
  renamed,
  suggestedClusterName,
  suggestedNodeName,
  type PlannedStep,
  type Suggestions,
} from './answers.ts';
import { DraftSaver, type SaveState, type SavedPart } from './draft-saver.ts';
import { Enquiry } from './enquiry.svelte.ts';
import { Laptop } from './laptop.svelte.ts';
import { isLoginFault } from './login.ts';
import { ServerLogin } from './server-login.svelte.ts';
import { suggest } from './suggest.ts';
import { isLocked, obstacleAt, reachedStep, stepAfter, stepBefore, stepIndex, type Known } from './steps.ts';

const savePauseMs = 400;
const validatePauseMs = 200;
/** A name or a path is being typed. */
const typingPauseMs = 700;

export class WizardState {
  readonly draft: string;
  phase = $state<'reading' | 'open' | 'unreadable'>('reading');
  /** Why the draft cannot be read. */
  fault = $state.raw<FaultRecord | null>(null);
  practice = $state(false);
  step = $state<WizardStep>('servers');
  reached = $state<WizardStep>('servers');
  answers = $state<Answers>(structuredClone(blankAnswers));
  saveState = $state<SaveState>('saved');
  problems = $state.raw<readonly AnswerProblem[]>([]);
  installation = $state.raw<Installation | null>(null);
  /** Of `install` and `cancelInstallation` themselves. */
  installFault = $state.raw<FaultRecord | null>(null);
  /** `install` was asked for, and has not answered. */
  beginning = $state(false);

  readonly logins: readonly [ServerLogin, ServerLogin];
  readonly witness: ServerLogin;
  readonly laptop = new Laptop();
  readonly checks = this.#enquiry<readonly CheckResult[]>();
  readonly services = this.#enquiry<readonly DetectedService[]>();
  readonly copies = this.#enquiry<readonly Copy[]>();
  readonly suggestions = this.#enquiry<Suggestions>();
  /** Not kept: what the draft says is an address or none. */
  addressWanted = $state(false);
  readonly addressInUse = this.#enquiry<{ readonly inUse: boolean; readonly by: string | null }>();
  readonly composed = this.#enquiry<{ readonly text: string | null; readonly problems: readonly AnswerProblem[] }>();
  readonly plan = this.#enquiry<readonly PlannedStep[]>();
  readonly #validation = new Enquiry<readonly AnswerProblem[]>();

  readonly known = $derived<Known>({
    logins: this.#loginStates(),
    witness: this.#witnessState(),
    problems: this.problems,
    checks: this.checks,
    copies: this.copies,
    addressInUse: this.addressInUse,
    addressWanted: this.addressWanted,
    composed: this.composed,
    plan: this.plan,
    installation: this.installation,
  });
  readonly obstacle = $derived(obstacleAt(this.step, this.answers, this.known));
  readonly locked = $derived(isLocked(this.installation));
  /** Both servers can be asked. */
  readonly connected = $derived(this.known.logins.every((login) => login.kind === 'ready'));

  readonly #saver: DraftSaver;
  #takenNames: readonly string[] = [];
  #othersRevision = 0;
  /** Steps on which an empty answer is an answer: nothing is suggested there any more. */
  #decided: readonly WizardStep[] = [];

  constructor(draft: string) {
    this.draft = draft;
    this.logins = [this.#loginOf(0), this.#loginOf(1)];
    this.witness = new ServerLogin({
      machine: () => this.answers.witness.machine,
      onFacts: (facts) => (this.answers.witness.facts = facts),
    });
    this.#saver = new DraftSaver({
      save: (revision, part) => app.call('saveDraft', { draft, revision, ...part }),
      later: (run) => {
        const timer = setTimeout(run, savePauseMs);
        return () => clearTimeout(timer);
      },
      onState: (state) => (this.saveState = state),
    });
  }

  #enquiry<T>(): Enquiry<T> {
    return new Enquiry<T>((fault) => this.#loginAgain(fault));
  }
  #loginStates(): Known['logins'] {
    return this.logins.map((login) => login.state);
  }
  #witnessState(): Known['witness'] {
    return this.witness.state;
  }

  #loginOf(index: number): ServerLogin {
    let named = '';
    return new ServerLogin({
      machine: () => this.answers.nodes[index]?.machine ?? { destination: '', port: null, identity: null },
      onFacts: (facts) => {
        const node = this.answers.nodes[index];
        if (node === undefined) return;
        node.facts = facts;
        if (facts === null) return;
        const others = this.answers.nodes.filter((_other, position) => position !== index);
        // A name that a person has typed stays, whichever machine is behind it.
        if (['', plainNodeName(index), named].includes(node.name.trim())) {
          named = suggestedNodeName(facts, index, others[0]?.name ?? '');
          Object.assign(this.answers, renamed(this.answers, index, named));
          node.name = named;
        }
        if (this.answers.cluster === '' && others.every((other) => other.facts !== null))
          this.answers.cluster = suggestedClusterName(
            this.answers.nodes.map((one) => one.facts?.hostname ?? ''),
            this.#takenNames,
          );
      },
    });
  }

  /** A question failed because a server did not let it in: its login says what is missing. */
  #loginAgain(fault: FaultRecord): void {
    if (!isLoginFault(fault)) return;
    const index = this.answers.nodes.findIndex((node) => node.name === fault.details['node']);
    if (index >= 0) void this.logins[index]?.connect();
    else if (fault.details['node'] === 'witness') void this.witness.connect();
  }

  #part(): SavedPart {
    return { step: this.step, answers: $state.snapshot(this.answers) };
  }

  /** As long as the wizard is on the screen. */
  open(): () => void {
    const stops = [
      app.whenConnected(() => void this.#connected()),
      app.on('installation', (installation) => {
        if (installation.draft === this.draft) this.installation = installation;
      }),
      app.on('drafts', (drafts) => this.#draftsChanged(drafts)),
    ];
    const leaving = (): void => {
      if (document.visibilityState === 'hidden') void this.#saver.flush();
      else this.askAgainIfOld();
    };
    document.addEventListener('visibilitychange', leaving);
    return () => {
      document.removeEventListener('visibilitychange', leaving);
      for (const stop of stops) stop();
      void this.#saver.flush();
    };
  }

  #draftsChanged(drafts: readonly Draft[]): void {
    if (this.phase !== 'open') return;
    const own = drafts.find((one) => one.id === this.draft);
    if (own === undefined) {
      // A finished one leaves the list of those that are not.
      if (!this.locked) this.#saver.removedElsewhere();
      return;
    }
    this.#othersRevision = own.revision;
    this.#saver.heard(own.revision);
  }

  async #connected(): Promise<void> {
    try {
      const [draft, installation] = await Promise.all([
        app.call('readDraft', { draft: this.draft }),
        app.call('installation', { draft: this.draft }),
      ]);
      this.installation = installation;
      if (this.phase === 'open') {
        // Typed while the main process was away, or as it left it.
        await this.#saver.flush();
        this.#othersRevision = draft.revision;
        this.#saver.heard(draft.revision);
      } else this.#take(draft);
    } catch (error) {
      if (this.phase !== 'open') {
        this.fault = Fault.from(error).toRecord();
        this.phase = 'unreadable';
      }
      return;
    }
    this.askAgainIfOld(true);
    for (const enquiry of this.#enquiries()) enquiry.retryFailed();
    await Promise.all([this.#readTakenNames(), this.laptop.read()]);
  }

  #enquiries(): readonly Enquiry<unknown>[] {
    const { checks, services, copies, suggestions, addressInUse, composed, plan } = this;
    return [checks, services, copies, suggestions, addressInUse, composed, plan];
  }

  async #readTakenNames(): Promise<void> {
    try {
      this.#takenNames = (await app.call('clusters', {})).map((known) => known.cluster);
    } catch {
      // Only a suggestion is less good for it.
    }
  }

  #take(draft: Draft): void {
    this.answers = draft.answers;
    this.practice = draft.practice;
    const step = this.installation?.state === 'running' ? 'install' : draft.step;
    this.step = step;
    this.reached = reachedStep(step, draft.answers, this.installation);
    this.#decided = wizardSteps.slice(0, stepIndex(step) + 1);
    this.#saver.take(draft.revision, { step: draft.step, answers: draft.answers });
    this.phase = 'open';
    this.fault = null;
  }

  /** Another window has saved it: take what is there. */
  async readAgain(): Promise<void> {
    this.phase = 'reading';
    await this.#connected();
  }
  /** … or put what is here over it. */
  async keepMine(): Promise<void> {
    await this.#saver.overwrite(this.#othersRevision, this.#part());
    if (this.saveState !== 'changed-elsewhere') return;
    // Nobody told which revision is there.
    const { revision } = await app.call('readDraft', { draft: this.draft });
    await this.#saver.overwrite(revision, this.#part());
  }

  askAgainIfOld(everything = false): void {
    if (this.phase !== 'open') return;
    // On the first question nobody is bothered before something was asked for.
    this.logins.forEach((login, index) => {
      const wasReady = this.answers.nodes[index]?.facts !== null;
      if (wasReady || (everything && this.step !== 'servers')) login.connectIfOld(everything ? Infinity : Date.now());
    });
    if (this.answers.witness.kind === 'voting' && this.answers.witness.facts !== null)
      this.witness.connectIfOld(everything ? Infinity : Date.now());
  }

  /** In an effect: whatever was changed is saved and looked at. */
  noticeChanges(): void {
    if (this.phase !== 'open') return;
    const part = this.#part();
    untrack(() => this.#saver.changed(part));
    this.#validation.want(
      JSON.stringify(part.answers),
      async () => {
        this.problems = await app.call('validate', { answers: part.answers });
        return this.problems;
      },
      validatePauseMs,
    );
  }

  /** In an effect: asks the servers what can be asked by now, ahead of the questions where it is needed. */
  askServers(): void {
    if (this.phase !== 'open' || !this.connected || this.locked || this.step === 'servers') return;
    const answers = $state.snapshot(this.answers);
    const { nodes, application, vip, witness } = answers;
    const machines = JSON.stringify([nodes.map((node) => [node.name, node.machine, node.facts?.machineId])]);
    const directories = JSON.stringify(application.directories.filter((path) => path.trim() !== ''));
    const third =
      witness.kind === 'none' ? null : [witness.kind, witness.machine, witness.facts?.machineId, witness.ping];
    const given = { answers };
    this.services.want(machines, (signal) => app.call('services', given, signal));
    this.suggestions.want(machines, (signal) => app.call('suggestions', given, signal));
    this.checks.want(
      machines +
        directories +
        JSON.stringify([application.start, vip, answers.interface, answers.networks, third, answers.goodNode]),
      (signal) => app.call('checkServers', given, signal),
      this.step === 'checks' ? 0 : typingPauseMs,
    );
    if (directories === '[]') this.copies.forget();
    else this.copies.want(machines + directories, (signal) => app.call('copies', given, signal), typingPauseMs);
    const address = vip.trim();
    if (address === '') this.addressInUse.forget();
    else
      this.addressInUse.want(
        machines + address,
        (signal) => app.call('addressInUse', { answers, address: address.split('/')[0] ?? address }, signal),
        typingPauseMs,
      );
    if (this.step !== 'review') return;
    const everything = JSON.stringify(answers);
    this.composed.want(everything, (signal) => app.call('compose', given, signal));
    if ((this.composed.answer?.text ?? null) === null) this.plan.forget();
    // The checks listen on the ports of the agent for a moment: a plan made meanwhile finds them taken.
    else if (this.checks.state !== 'asking') this.plan.want(everything, (signal) => app.call('plan', given, signal));
  }

  /** In an effect: a sensible answer where nothing was answered yet. */
  suggest(): void {
    if (this.phase !== 'open' || this.locked) return;
    const known = {
      services: this.services.answer,
      copies: this.copies.answer,
      suggestions: this.suggestions.answer,
    };
    const { step } = this;
    // Whatever is answered anew, a proposal that nobody has touched goes along: an address that is given up is not watched.
    const { checkersBy, application, vip } = this.answers;
    const followed = checkersBy === 'proposal' ? JSON.stringify([application, vip]) : null;
    untrack(() => {
      if (followed !== null) Object.assign(this.answers, suggest('checkers', this.answers, known, false));
      const change = suggest(step, this.answers, known, this.#decided.includes(step));
      if (change === null) return;
      this.decide(step);
      Object.assign(this.answers, change);
    });
  }

  /** A person has chosen; also to have none. */
  decide(step: WizardStep): void {
    this.#decided = [...this.#decided, step];
  }

  go(step: WizardStep): void {
    if (stepIndex(step) > stepIndex(this.step)) this.decide(this.step);
    this.step = step;
    if (stepIndex(step) > stepIndex(this.reached)) this.reached = step;
    void this.#saver.flush();
  }
  back(): void {
    if (this.step !== 'servers' && !(this.locked && this.step === 'install')) this.go(stepBefore(this.step));
  }
  async forward(): Promise<void> {
    if (this.obstacle !== null) return;
    const from = this.step;
    if (from === 'sync') return;
    this.go(stepAfter(from));
    if (from === 'review') await this.install();
  }

  /** After something was mended: what the checks say now comes first, the plan follows by itself. */
  planAgain(): void {
    this.plan.forget();
    this.checks.again();
  }

  /** Begins, or goes on where it was cut off. */
  async install(): Promise<void> {
    this.installFault = null;
    this.beginning = true;
    try {
      await this.#saver.flush();
      this.installation = await app.call('install', { draft: this.draft });
    } catch (error) {
      this.installFault = Fault.from(error).toRecord();
      this.#loginAgain(this.installFault);
    } finally {
      this.beginning = false;
    }
  }
  async stopInstallation(): Promise<void> {
    try {
      await app.call('cancelInstallation', { draft: this.draft });
    } catch (error) {
      this.installFault = Fault.from(error).toRecord();
    }
  }

  /** Before the wizard is left for the cluster that it has made. */
  async finish(): Promise<void> {
    await this.#saver.flush();
    if (this.installation?.state !== 'done') return;
    // What it was for is there now. One that cannot be removed only stays in the list.
    await app.call('removeDraft', { draft: this.draft }).catch(() => undefined);
  }

  /** For beside the field. */
  problemTextAt(path: string): string | undefined {
    const problem = this.problems.find((one) => one.path === path);
    return problem && problemText(preferences.words, problem);
  }
}
