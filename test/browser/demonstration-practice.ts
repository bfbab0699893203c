/** A practice cluster whose servers are only told of. */
import type { Practice, PracticeHandlers } from '../../src-main/app-api/index.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export const noPractice: Practice = {
  obstacle: null,
  state: 'none',
  progress: [],
  fault: null,
  draft: null,
  hosts: [],
};

export const practiceObstacle: Practice = {
  ...noPractice,
  obstacle: {
    code: 'not-root',
    message: 'The practice cluster needs root: its servers are systemd containers.',
    remedy: 'sudo npm start',
  },
};

const hosts: Practice['hosts'] = [
  { name: 'n1', address: '10.77.0.11', on: true, connected: true },
  { name: 'n2', address: '10.77.0.12', on: true, connected: true },
  { name: 'witness', address: '10.77.0.13', on: true, connected: true },
];

export const practiceMaking: Practice = {
  ...noPractice,
  state: 'making',
  progress: [
    { code: 'root', message: 'Making the root of the servers.', atMs: 0 },
    { code: 'boot', message: 'Starting n1, n2 and the witness.', atMs: 2100 },
    { code: 'postgresql', message: 'Installing PostgreSQL on both servers.', atMs: 4300 },
  ],
};

export const practiceReady: Practice = { ...practiceMaking, state: 'ready', hosts };

export class DemonstrationPractice extends DemonstrationPart<PracticeHandlers> {
  #state = noPractice;
  readonly #draft: () => string;

  /** `draft`: makes the one that is filled in. */
  constructor(draft: () => string) {
    super();
    this.#draft = draft;
  }

  show(state: Practice): void {
    this.#state = state;
    this.emit('practice', state);
  }

  protected handlers(): PracticeHandlers {
    return {
      practice: async () => this.#state,
      makePractice: async () => {
        this.show(practiceMaking);
        setImmediate(() => this.show({ ...practiceReady, draft: this.#draft() }));
        return null;
      },
      practiceFault: async ({ host, what }) => {
        this.show({
          ...this.#state,
          hosts: this.#state.hosts.map((one) => {
            if (one.name !== host) return one;
            if (what === 'power-off' || what === 'power-on') return { ...one, on: what === 'power-on' };
            return { ...one, connected: what === 'heal' };
          }),
        });
        return null;
      },
      removePractice: async () => {
        this.show(noPractice);
        return null;
      },
    };
  }
}
