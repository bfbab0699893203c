/** The wizard's drafts in memory, and servers that answer its questions as two bare ones with a PostgreSQL do. */
import { Fault } from '../../agent/contract/index.ts';
import type { Draft, Installation, WizardHandlers } from '../../src-main/app-api/index.ts';
import { at } from './demonstration.ts';
import { copies, draftAt, goodChecks, installationAt, plannedSteps, services } from './demonstration-answers.ts';
import { configurationText } from './demonstration-clusters.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export class DemonstrationWizard extends DemonstrationPart<WizardHandlers> {
  readonly #drafts = new Map<string, Draft>();
  readonly #installations = new Map<string, Installation>();
  /** Called when an installation has come to its end. */
  readonly #onInstalled: () => void;
  /** `finish`: a started installation runs to its end at once. `hold`: it stays where `show` puts it. */
  pace: 'finish' | 'hold' = 'finish';

  constructor(drafts: readonly Draft[], onInstalled: () => void) {
    super();
    for (const draft of drafts) this.#drafts.set(draft.id, draft);
    this.#onInstalled = onInstalled;
  }

  get drafts(): readonly Draft[] {
    return [...this.#drafts.values()];
  }

  put(draft: Draft): Draft {
    this.#drafts.set(draft.id, draft);
    this.emit('drafts', [...this.drafts]);
    return draft;
  }

  show(installation: Installation): void {
    this.#installations.set(installation.draft, installation);
    this.emit('installation', installation);
    if (installation.state === 'done') this.#onInstalled();
  }

  #of(id: string): Draft {
    const draft = this.#drafts.get(id);
    if (draft) return draft;
    throw new Fault('no-such-draft', { message: 'This draft is gone.', remedy: 'Begin again.' }, { draft: id });
  }

  async #run(draft: string): Promise<void> {
    for (let done = 0; done <= plannedSteps.length; done += 1) {
      this.show(installationAt(draft, done));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  protected handlers(): WizardHandlers {
    return {
      drafts: async () => [...this.drafts],
      createDraft: async () => this.put(draftAt('servers', { id: `draft-${this.#drafts.size + 1}` })),
      readDraft: async ({ draft }) => this.#of(draft),
      saveDraft: async ({ draft, revision, step, answers }) => {
        const before = this.#of(draft);
        if (revision !== before.revision)
          throw new Fault('draft-changed-elsewhere', {
            message: 'Another window has changed these answers.',
            remedy: 'Read them again.',
          });
        this.#drafts.set(draft, { ...before, revision: revision + 1, updatedAt: at, step, answers });
        return { revision: revision + 1 };
      },
      removeDraft: async ({ draft }) => {
        this.#drafts.delete(draft);
        this.emit('drafts', [...this.drafts]);
        return null;
      },
      validate: async () => [],
      checkServers: async () => [...goodChecks],
      services: async () => [...services],
      browse: async ({ path }) => [{ path: `${path === '/' ? '' : path}/data`, entries: 12 }],
      copies: async () => [...copies],
      suggestions: async () => ({
        networks: [
          {
            name: 'lan',
            subnet: '10.77.0.0/24',
            addresses: ['10.77.0.11', '10.77.0.12'],
            interfaces: ['eth0', 'eth0'],
            ssh: true,
          },
          {
            name: 'sync',
            subnet: '10.78.0.0/24',
            addresses: ['10.78.0.11', '10.78.0.12'],
            interfaces: ['eth1', 'eth1'],
            ssh: false,
          },
        ],
        vip: '10.77.0.50/24',
      }),
      addressInUse: async () => ({ by: null, inUse: false }),
      compose: async () => ({ text: configurationText, problems: [] }),
      plan: async () => [...plannedSteps],
      install: async ({ draft }) => {
        this.#of(draft);
        const first = installationAt(draft, 0);
        this.#installations.set(draft, first);
        if (this.pace === 'finish') void this.#run(draft);
        return first;
      },
      cancelInstallation: async ({ draft }) => {
        const running = this.#installations.get(draft);
        if (running) this.show({ ...running, state: 'interrupted' });
        return null;
      },
      installation: async ({ draft }) => this.#installations.get(draft) ?? null,
    };
  }
}
