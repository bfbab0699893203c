import { describe, expect, it } from 'vitest';
import type { VolumeInspection } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { NodeStatus } from '../../agent/contract/status.ts';
import { makeClusterRecord, parseConfiguration } from '../configuration/index.ts';
import { planCluster, type ClusterPlanInput, type ClusterStep, type NodeView } from './cluster-plan.ts';

let count = 0;
const record = makeClusterRecord(
  parseConfiguration(
    `version: 1
cluster: site-a
nodes: [{ name: n1, ssh: a@1 }, { name: n2, ssh: a@2 }]
modules:
  - { name: db, kind: mirror, prefer: n2, replicate: [{ path: /data/db }], start: a, stop: b }
`,
    'x',
  ),
  { networks: [{ name: 'lan', subnet: '10.0.0.0/24' }], addresses: [['10.0.0.1'], ['10.0.0.2']], witnessAddress: null },
  null,
  () => `uuid-${++count}`,
);

type State = 'bare' | 'configured' | 'initialised' | 'started';

function view(
  name: string,
  state: State,
  content: 'empty' | 'data' = 'empty',
  more: Partial<VolumeInspection> = {},
): NodeView {
  const initialised = state === 'initialised' || state === 'started';
  const status: NodeStatus | null =
    state === 'bare'
      ? null
      : {
          cluster: 'site-a',
          node: name,
          agentVersion: '1',
          observedAt: '',
          revision: record.revision,
          witness: { kind: 'none', reachable: null },
          peer: { name: 'other', alive: true, lastHeard: null, agentVersion: null, networks: [] },
          modules: [
            {
              name: 'db',
              protected: state === 'started',
              maintenance: false,
              generation: null,
              vips: [],
              own: { name, state: state === 'started' ? 'primary' : 'stopped', data: 'up-to-date' },
              peer: null,
            },
          ],
        };
  const inspection: VolumeInspection = {
    id: 'db/0',
    path: '/data/db',
    exists: true,
    initialised,
    empty: content === 'empty',
    entries: 3,
    bytes: 12,
    newestFile: null,
    filesystem: 'ext4',
    generation: initialised ? { number: 1, id: `${name}-a` } : null,
    problems: [],
    ...more,
  };
  return { name, status, inspections: [inspection] };
}

function plan(n1: NodeView, n2: NodeView, more: Partial<ClusterPlanInput> = {}): ClusterStep[] {
  return planCluster({ record, nodes: [n1, n2], good: null, remembered: {}, mayStop: true, ...more });
}
function short(steps: readonly ClusterStep[]): string[] {
  return steps.map((step) => {
    if (step.kind === 'remember-choice') return `choose ${Object.values(step.good).join()}`;
    return step.kind === 'initialise' ? `${step.node} ${step.as}` : `${step.node} ${step.kind}`;
  });
}

describe('setting up a cluster', () => {
  const end = ['n1 start', 'n2 start'];
  it('takes the one copy that has data', () => {
    expect(short(plan(view('n1', 'bare', 'data'), view('n2', 'bare')))).toEqual([
      'choose n1',
      'n1 configure',
      'n2 configure',
      'n1 good',
      'n2 blank',
      ...end,
    ]);
  });
  it('takes the preferred node when both are empty', () => {
    expect(short(plan(view('n1', 'bare'), view('n2', 'bare')))[0]).toBe('choose n2');
  });
  it('never guesses when both have data', () => {
    const both = (): ClusterStep[] => plan(view('n1', 'bare', 'data'), view('n2', 'bare', 'data'));
    expect(both).toThrow(Fault);
    expect(both).toThrow(/Both servers have data of db: n1 \(\/data\/db: 3 entries, 12 bytes\); n2/);
    const steps = plan(view('n1', 'bare', 'data'), view('n2', 'bare', 'data'), { good: 'n2' });
    expect(short(steps)).toEqual(['choose n2', 'n1 configure', 'n2 configure', 'n2 good', 'n1 blank', ...end]);
    expect(steps.find((step) => step.kind === 'initialise' && step.as === 'blank')?.title).toContain('kept aside');
    expect(() => plan(view('n1', 'bare'), view('n2', 'bare'), { good: 'n3' })).toThrow(/No node is named n3/);
  });

  // Interrupted after each step: what is below a cover looks empty then, so the choice must be remembered.
  it.each([
    [
      'the choice',
      view('n1', 'bare', 'data'),
      view('n2', 'bare'),
      ['n1 configure', 'n2 configure', 'n1 good', 'n2 blank', ...end],
    ],
    ['one configure', view('n1', 'configured'), view('n2', 'bare'), ['n2 configure', 'n1 good', 'n2 blank', ...end]],
    ['both', view('n1', 'configured'), view('n2', 'configured'), ['n1 good', 'n2 blank', ...end]],
    ['the good copy', view('n1', 'initialised', 'data'), view('n2', 'configured'), ['n2 blank', ...end]],
    ['the blank copy', view('n1', 'initialised', 'data'), view('n2', 'initialised'), end],
    ['one start', view('n1', 'started', 'data'), view('n2', 'initialised'), ['n2 start']],
    ['all', view('n1', 'started', 'data'), view('n2', 'started'), []],
  ])('goes on after %s', (_name, n1, n2, expected) => {
    expect(short(plan(n1, n2, { remembered: { db: 'n1' } }))).toEqual(expected);
  });

  it('gives a replaced server the data of the other', () => {
    expect(short(plan(view('n1', 'bare', 'data'), view('n2', 'started', 'data')))).toEqual([
      'n1 configure',
      'n1 blank',
      'n1 start',
      'n2 start',
    ]);
  });

  it('takes what a person says now for more than what an interrupted apply was told', () => {
    const [n1, n2] = [view('n1', 'configured', 'data'), view('n2', 'configured', 'data')];
    const steps = plan(n1, n2, { remembered: { db: 'n1' }, good: 'n2' });
    expect(short(steps).slice(0, 3)).toEqual(['choose n2', 'n2 good', 'n1 blank']);
    const again = plan(n1, n2, { remembered: { db: 'n1' }, good: 'n1' });
    expect(short(again).slice(0, 2)).toEqual(['n1 good', 'n2 blank']);
  });
  it.each([{ good: 'n1' }, { remembered: { db: 'n1' } }])(
    'never puts an empty directory in the place of data: %o',
    (told) => {
      // The disk of n1 was not mounted after a restart, or data has come on n2 since somebody looked.
      expect(() => plan(view('n1', 'bare'), view('n2', 'bare', 'data'), told)).toThrow(
        expect.objectContaining({ code: 'good-copy-empty' }),
      );
      expect(() => plan(view('n1', 'bare'), view('n2', 'bare'), told)).not.toThrow();
    },
  );
  it('refuses to take back which copy is good', () => {
    const [n1, n2] = [view('n1', 'initialised', 'data'), view('n2', 'configured', 'data')];
    expect(() => plan(n1, n2, { good: 'n2' })).toThrow(expect.objectContaining({ code: 'good-copy-decided' }));
    // A server that came back empty takes nothing away, whatever the answers say that it was installed with.
    expect(short(plan(n1, view('n2', 'bare'), { good: 'n2' })).slice(0, 2)).toEqual(['n2 configure', 'n2 blank']);
  });
  it('never takes a server that was only made ready to receive for the good copy', () => {
    const blank = view('n2', 'initialised', 'data', { generation: null });
    const back = view('n1', 'bare', 'data');
    for (const told of [{ good: 'n1' }, { remembered: { db: 'n1' } }]) {
      expect(short(plan(back, blank, told)).slice(0, 2)).toEqual(['n1 configure', 'n1 good']);
    }
    for (const told of [{}, { good: 'n2' }, { remembered: { db: 'n1' }, good: 'n2' }])
      expect(() => plan(back, blank, told)).toThrow(expect.objectContaining({ code: 'no-good-copy' }));
    expect(() => plan(view('n1', 'bare'), blank)).toThrow(expect.objectContaining({ code: 'no-good-copy' }));
  });

  describe('with a directory that somebody uses', () => {
    const inUse = { code: 'directory-in-use', message: '/data/db is used by app (12).', remedy: 'Stop it.' };
    const used = view('n1', 'bare', 'data', { problems: [inUse] });

    it('stops the application first', () => {
      expect(short(plan(used, view('n2', 'bare'))).slice(0, 3)).toEqual([
        'n1 stop-application',
        'choose n1',
        'n1 configure',
      ]);
    });
    it('refuses when it was stopped and somebody is still there', () => {
      expect(() => plan(used, view('n2', 'bare'), { mayStop: false })).toThrow(/n1: .*used by app/);
    });
    it('refuses for what no stop would mend, before anything is stopped', () => {
      const overlay = { code: 'directory-filesystem', message: '/data/db is on overlayfs.', remedy: 'Move it.' };
      const both = view('n1', 'bare', 'data', { problems: [inUse, overlay] });
      expect(() => plan(both, view('n2', 'bare'))).toThrow(/overlayfs/);
    });
    it('leaves alone what runs under the module', () => {
      const running = view('n1', 'started', 'data', { problems: [inUse] });
      expect(short(plan(running, view('n2', 'configured')))).toEqual(['n2 blank', ...end]);
    });
  });
});
