/** Every scenario file that the lab can make, on servers: the simulator's expectations, with more patience. */
import { readScenarios } from '../../scenarios/files.ts';
import { playScenario, type Scenario } from '../../scenarios/scenario.ts';
import { LabCluster, labObstacleOf } from '../harness/index.ts';
import { story } from '../story.ts';

/** Two servers, their clients and this program share two cores: what is to happen within a time may take this much more of it. */
const patience = 3;

function patient(scenario: Scenario): Scenario {
  const blocks = scenario.blocks.map((block) => ({
    ...block,
    expectations: block.expectations.map((one) => ({ ...one, withinMs: one.withinMs * patience })),
  }));
  return { ...scenario, blocks };
}

for (const scenario of readScenarios()) {
  const obstacle = labObstacleOf(scenario);
  story(
    `scenario ${scenario.name}`,
    {
      hosts: { nodes: 2, witness: scenario.settings.witness || scenario.settings.pingWitness, networks: 2 },
      timeoutMs: 480_000,
      long: true,
      group: 'the scenario files on servers',
      ...(obstacle === null ? {} : { obstacle }),
    },
    async (t) => {
      // Expected or not is what the file says.
      t.allowInJournals(/./);
      await using cluster = await LabCluster.form(t.lab, scenario.settings);
      t.step('the cluster is formed');
      const wrong = await playScenario(patient(scenario), {
        perform: async (deed) => {
          t.step(JSON.stringify(deed));
          return cluster.perform(deed);
        },
        stand: (node) => cluster.stand(node),
        told: (node) => cluster.told(node),
        pass: (forMs) => cluster.pass(forMs),
      });
      if (wrong !== null) throw new Error(wrong);
    },
  );
}
