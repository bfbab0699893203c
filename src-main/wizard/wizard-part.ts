/** The wizard's side of the main process: drafts, what the servers say to their answers, and installations. */
import { Fault } from '../../agent/contract/fault.ts';
import type { Answers, CheckResult, DetectedService, Draft, Installation, WizardHandlers } from '../app-api/index.ts';
import type { AppPart, Screen } from '../app.ts';
import { forgetClusterById, rememberCluster } from '../cluster/index.ts';
import {
  applyCluster,
  examineServers,
  prepareAgent,
  programFiles,
  programVersion,
  startedUnits,
  unitsIn,
  type CheckSubject,
  type ProgramFiles,
} from '../install/index.ts';
import { browse } from './browse.ts';
import { compose } from './compose.ts';
import { tidied } from './configuration-value.ts';
import { copies } from './copies.ts';
import { DraftStore } from './drafts.ts';
import { incomplete, Installations } from './installations.ts';
import { servicesScript, sizesScript } from './services-script.ts';
import { mergeServices, parseServices, parseSizes } from './services.ts';
import { addressInUse, suggestions } from './suggestions.ts';
import { wrongAnswers } from './validate.ts';
import {
  answeredMachines,
  answeredNodes,
  connectAnswered,
  machineIdsOf,
  withMachines,
  type WizardServers,
} from './wizard-servers.ts';

export interface WizardPartOptions {
  readonly stateDirectory: string;
  readonly servers: WizardServers;
  /** What is put on servers; of this program when not given. */
  readonly files?: ProgramFiles;
  /** An installation has made a cluster known to this laptop. */
  readonly onClusterKnown?: (cluster: string) => void;
}

export interface WizardPart extends AppPart<WizardHandlers> {
  /** A draft that is filled in already. */
  createDraft(answers: Answers, options?: { readonly practice?: boolean }): Promise<Draft>;
  hasDraft(id: string): Promise<boolean>;
  /** Drafts for practice servers, which are gone, and what is known of their installations. */
  removePracticeDrafts(): Promise<void>;
}

export function createWizardPart(options: WizardPartOptions): WizardPart {
  return new Wizard(options);
}

const preparedMsMax = 30_000;

class Wizard implements WizardPart {
  readonly #options: WizardPartOptions;
  readonly #files: ProgramFiles;
  readonly #drafts: DraftStore;
  readonly #installations: Installations;
  readonly #screens = new Set<Screen>();
  #prepared: { readonly atMs: number; readonly done: Promise<void> } | null = null;

  constructor(options: WizardPartOptions) {
    this.#options = options;
    this.#files = options.files ?? programFiles();
    this.#drafts = new DraftStore(options.stateDirectory);
    this.#drafts.onChange((drafts, by) => {
      for (const screen of this.#screens) if (screen !== by) screen.emit('drafts', drafts);
    });
    this.#installations = new Installations({
      stateDirectory: options.stateDirectory,
      readDraft: (id) => this.#drafts.read(id),
      prepare: () => prepareAgent(this.#files.packages),
      apply: (draft, configuration, events) =>
        applyCluster({ ...this.#applyOptions(draft.answers), configuration, ...events }),
      remember: async (configuration, file, text, practice) => {
        const { stateDirectory } = options;
        const id = await rememberCluster(configuration, file, text, { practice, stateDirectory });
        options.onClusterKnown?.(id);
        return id;
      },
      forget: (cluster) => forgetClusterById(cluster, options.stateDirectory),
      onChange: (installation) => this.#tell(installation),
    });
  }

  createDraft(answers: Answers, options: { readonly practice?: boolean } = {}): Promise<Draft> {
    return this.#drafts.create({ answers, ...options });
  }

  async hasDraft(id: string): Promise<boolean> {
    return (await this.#drafts.all()).some((draft) => draft.id === id);
  }

  async removePracticeDrafts(): Promise<void> {
    for (const { id, practice } of await this.#drafts.all()) {
      if (practice) await this.#remove(id, 'always');
    }
  }

  /** `always`: its servers do not exist any more, so whatever runs has come to its end. */
  async #remove(id: string, when: 'always' | 'unless-running'): Promise<void> {
    if (when === 'always') await this.#installations.end(id);
    await this.#installations.remove(id);
    await this.#drafts.remove(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#installations[Symbol.asyncDispose]();
    this.#screens.clear();
  }

  /** Questions come in bursts, and sources do not change between them; an installation looks again. */
  #prepare(): Promise<void> {
    if (this.#prepared === null || performance.now() - this.#prepared.atMs > preparedMsMax) {
      const done = prepareAgent(this.#files.packages);
      this.#prepared = { atMs: performance.now(), done };
      done.catch(() => (this.#prepared = null));
    }
    return this.#prepared.done;
  }

  #tell(installation: Installation): void {
    for (const screen of this.#screens) screen.emit('installation', installation);
  }

  #applyOptions(answers: Answers) {
    return {
      connect: connectAnswered(this.#options.servers, answers),
      packages: this.#files.packages,
      resourcesDirectory: this.#files.resourcesDirectory,
      programVersion: programVersion(),
      good: tidied(answers).goodNode,
      machineIds: machineIdsOf(answers),
    };
  }

  serve(screen: Screen): WizardHandlers {
    this.#screens.add(screen);
    screen.onClose(() => this.#screens.delete(screen));
    const { servers } = this.#options;
    return {
      drafts: () => this.#drafts.all(),
      createDraft: () => this.#drafts.create(),
      readDraft: ({ draft }) => this.#drafts.read(draft),
      saveDraft: async (change) => ({ revision: await this.#drafts.save(change, screen) }),
      removeDraft: async ({ draft }) => {
        await this.#remove(draft, 'unless-running');
        return null;
      },
      validate: async ({ answers }) => wrongAnswers(answers),
      checkServers: ({ answers }, signal) => this.#check(answers, signal),
      services: ({ answers }, signal) => this.#services(answers, signal),
      browse: ({ answers, node, path }, signal) => {
        const wanted = answeredNodes(answers).filter(({ name }) => name === node.trim());
        return withMachines(servers, wanted, signal, async ([machine]) => {
          if (machine) return browse(node, machine.transport, path, signal);
          throw new Fault(
            'no-such-node',
            { message: `No node is named ${node}.`, remedy: 'Choose one of the two.' },
            { node },
          );
        });
      },
      copies: ({ answers }, signal) => {
        const paths = tidied(answers).application.directories.filter((path) => path.startsWith('/'));
        return withMachines(servers, answeredNodes(answers), signal, (machines) =>
          copies(machines, [...new Set(paths)], programVersion(), signal),
        );
      },
      suggestions: ({ answers }, signal) =>
        withMachines(servers, answeredNodes(answers), signal, (machines) => {
          const witness = answers.witness.facts?.addresses.map(({ address }) => address) ?? [];
          return suggestions(machines, witness, signal);
        }),
      addressInUse: ({ answers, address }, signal) =>
        withMachines(servers, answeredNodes(answers), signal, (machines) => addressInUse(machines, address, signal)),
      compose: async ({ answers }) => {
        const { text, problems } = compose(answers);
        return { text, problems: [...problems] };
      },
      plan: ({ answers }, signal) => this.#plan(answers, signal),
      install: ({ draft }) => this.#installations.begin(draft),
      cancelInstallation: async ({ draft }) => {
        this.#installations.cancel(draft);
        return null;
      },
      installation: ({ draft }) => this.#installations.read(draft),
    };
  }

  async #check(answers: Answers, signal: AbortSignal): Promise<CheckResult[]> {
    const { packages } = this.#files;
    await this.#prepare();
    return withMachines(this.#options.servers, answeredMachines(answers), signal, async (machines) => {
      const checks = await examineServers({
        machines,
        subject: subjectOfAnswers(answers),
        packages,
        goodNode: tidied(answers).goodNode,
        signal,
      });
      return checks.map((check) => ({ ...check }));
    });
  }

  #services(answers: Answers, signal: AbortSignal): Promise<DetectedService[]> {
    return withMachines(this.#options.servers, answeredNodes(answers), signal, async (machines) =>
      mergeServices(
        await Promise.all(
          machines.map(async ({ name, transport }) => {
            const { stdout } = await transport.command(servicesScript(), { elevated: true, signal });
            const found = parseServices(stdout);
            if (found === null) {
              throw new Fault(
                'probe-failed',
                {
                  message: `${name} does not answer as a Linux server does.`,
                  remedy: 'Look at it with a usual SSH client.',
                },
                { node: name },
              );
            }
            const paths = [...new Set(found.flatMap(({ directories }) => directories))];
            const sizes = await transport.command(sizesScript(paths), { elevated: true, signal });
            return { node: name, found, bytes: parseSizes(sizes.stdout) };
          }),
        ),
      ),
    );
  }

  async #plan(answers: Answers, signal: AbortSignal) {
    const { configuration, problems } = compose(answers);
    if (configuration === null) throw incomplete(problems);
    await this.#prepare();
    const { steps } = await applyCluster({ ...this.#applyOptions(answers), configuration, planOnly: true, signal });
    return steps.map((step) => ({ ...step }));
  }
}

/** As much of it as is answered, and answered well: a check of nonsense would tell nonsense. */
function subjectOfAnswers(given: Answers): CheckSubject {
  const answers = tidied(given);
  const wrong = new Set(wrongAnswers(answers).map(({ path }) => path));
  const { application } = answers;
  const directories = application.directories.filter(
    (path, index) => path !== '' && !wrong.has(`application.directories.${index}`),
  );
  const module = {
    name: application.name === '' ? 'the application' : application.name,
    directories,
    vips: answers.vip === '' || wrong.has('vip') ? [] : [answers.vip],
    interface: answers.interface ?? undefined,
    units: unitsIn(application.start),
    started: startedUnits(application.start),
    startCommand: application.start,
    domains: answers.checkers
      .filter(({ kind, target }, index) => kind === 'vm' && target !== '' && !wrong.has(`checkers.${index}.target`))
      .flatMap(({ target }) => (target.startsWith('/') ? [] : [target])),
  };
  const { kind, ping = '' } = answers.witness;
  const pingWitness = kind !== 'ping' || ping === '' || wrong.has('witness.ping') ? null : ping;
  const networks = (answers.networks ?? []).filter(
    ({ name, subnet }, index) =>
      name !== '' && subnet !== '' && !wrong.has(`networks.${index}.subnet`) && !wrong.has(`networks.${index}.name`),
  );
  return { cluster: answers.cluster === '' ? null : answers.cluster, networks, modules: [module], pingWitness };
}
