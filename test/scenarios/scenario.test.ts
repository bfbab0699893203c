import { expect, it } from 'vitest';
import { playScenario, readScenario, type NodeStand, type ScenarioCluster } from './scenario.ts';

const story =
  'prefer: n2\nstart n1=primary n2=secondary\n\npower off n1 # the plug\nwait 2s\n----\nwithin 1s: n2=alone|wait(x)\nn2 tells alone\n';

/** Stands as it is told, and notes what is done to it. */
class Puppet implements ScenarioCluster {
  readonly done: string[] = [];
  readonly events: string[] = [];
  private readonly stands: Readonly<Record<string, string>>[];
  constructor(...stands: Readonly<Record<string, string>>[]) {
    this.stands = stands;
  }
  perform(deed: { readonly do: string }): null {
    this.done.push(deed.do);
    if (deed.do === 'power-off') {
      this.stands.shift();
      this.events.push('alone');
    }
    return null;
  }
  stand(node: string): NodeStand {
    return { state: this.stands[0]?.[node] ?? 'off', data: 'stale', reason: 'x', answers: false, protected: false };
  }
  told(node: string): readonly string[] {
    return node === 'n2' ? this.events : [];
  }
  pass(): void {
    this.done.push('time');
  }
}

it('reads settings, deeds and expectations, and says where it does not understand', () => {
  const { settings, blocks } = readScenario('s', story);
  expect(settings).toMatchObject({ witness: true, prefer: 'n2' });
  expect(blocks.map(({ deeds }) => deeds.map(({ deed }) => deed.do))).toEqual([['power-on'], ['power-off', 'wait']]);
  for (const bad of [
    'start n1=primary\n\npower of n1',
    'start n1=primary\n----\nn1 says alone',
    'cluster: three',
    'heal',
  ])
    expect(() => readScenario('s', bad)).toThrow(/^s/);
});

it('plays until something is not as expected', async () => {
  const before = { n1: 'primary', n2: 'secondary' };
  const good = new Puppet(before, { n2: 'wait' });
  expect(await playScenario(readScenario('s', story), good)).toBeNull();
  expect(good.done).toEqual(['power-on', 'power-off', 'wait']);
  const bad = new Puppet(before, { n2: 'secondary' });
  expect(await playScenario(readScenario('s', story), bad)).toBe(
    's:7: expected "within 1s: n2=alone|wait(x)", but n2 is secondary/stale(x)',
  );
  expect(bad.done.filter((one) => one === 'time')).toHaveLength(10);
});
