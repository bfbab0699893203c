/** An application that dies is started again; one that is broken for good goes to the other server, and is stopped when it fails there as well. */
import type { TimelineEvent } from '../../../agent/contract/index.ts';
import { until, type Host } from '../../lab/index.ts';
import { Cluster, nowMs, stateOf, virtualAddress } from '../harness/index.ts';
import { story } from '../story.ts';

const directory = '/data/db';
const port = 8080;
const broken = '/etc/app-broken';

/** Answers on a port as long as nobody has broken it. Its service says "started" either way, and nobody but a checker starts it again. */
const program = `#!/usr/bin/perl
use IO::Socket::INET;
exit 3 if -e "${broken}";
my $server = IO::Socket::INET->new(LocalPort => ${port}, Listen => 8, ReuseAddr => 1) or die $!;
while (my $client = $server->accept()) { print $client "HTTP/1.0 200 OK\\r\\n\\r\\nall is well\\n"; close $client; }
`;
const unit = `[Service]
WorkingDirectory=${directory}
ExecStart=/usr/local/bin/app-serves
`;
const checkers = `    restartLimit: { count: 2, within: 1h }
    checkers:
      - { tcp: ${port}, interval: 500ms, failures: 2, gracePeriod: 3s }
      - { http: "http://${virtualAddress}:${port}/", contains: well, interval: 1s, failures: 10 }
      - { process: app-serves, interval: 500ms, failures: 3, action: restart, gracePeriod: 3s }
      - { script: /usr/local/bin/look-at-app --data "${directory}", interval: 1s, failures: 3, action: none }
      - { interface: eth0 }
      - { mount: ${directory} }
      - { disk: { path: ${directory}, freePercentMin: 1, latencyMsMax: 4000 }, interval: 2s }
      - { service: app, action: none, interval: 1s }
`;

async function prepare(host: Host): Promise<void> {
  await host.writeFile('/usr/local/bin/app-serves', program);
  await host.writeFile('/usr/local/bin/look-at-app', '#!/bin/sh\ntest "$1" = --data && test -e "$2/file"\n');
  await host.writeFile('/etc/systemd/system/app.service', unit);
  await host.must(`chmod +x /usr/local/bin/* && mkdir -p ${directory} && systemctl daemon-reload && sync`);
}

async function eventsOf(cluster: Cluster): Promise<TimelineEvent[]> {
  const text = await cluster.must('events', '--json', '--cluster', cluster.file);
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TimelineEvent);
}

async function decisionsOn(cluster: Cluster, node: string): Promise<unknown[]> {
  const told = (await eventsOf(cluster)).filter((one) => one.node === node && one.code === 'checker-failed');
  return told.filter((one) => one.evidence['decision'] !== 'tell').map((one) => one.evidence['decision']);
}

story(
  'an application that dies is restarted; broken for good it moves, and stops where it fails as well',
  { hosts: { nodes: 2, witness: true }, timeoutMs: 180_000 },
  async (t) => {
    t.allowInJournals(/checker/, /app\.service/);
    for (const name of ['n1', 'n2']) await prepare(t.host(name));
    await t.host('n1').must(`echo content > ${directory}/file && sync`);
    await using cluster = new Cluster(t.lab, { prefer: 'n1', extra: checkers });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    const answers = async (): Promise<boolean> =>
      (
        await t.lab.client.exec([
          'bash',
          '--norc',
          '-c',
          `exec 3<>/dev/tcp/${virtualAddress}/${port} && grep -q well <&3`,
        ])
      ).code === 0;
    await until('the application answers', 10_000, answers, 100);
    await cluster.waitFor('every checker is good', (module) =>
      (module.nodes.find((one) => one.name === 'n1')?.checkers ?? []).every((one) => one.state === 'good'),
    );

    t.step('kill the application');
    let instant = nowMs();
    await t.host('n1').must('systemctl kill --signal=KILL app');
    await until(
      'it answers again',
      15_000,
      async () => (await decisionsOn(cluster, 'n1')).length === 1 && answers(),
      100,
    );
    t.measured('from the kill to the answer of the restarted application', nowMs() - instant);
    const module = await cluster.waitUntilProtected();
    if (stateOf(module, 'n1') !== 'primary') throw new Error('a restart moved the application');

    t.step('break it for good on n1, and kill it');
    instant = nowMs();
    await t.host('n1').must(`touch ${broken}; systemctl kill --signal=KILL app`);
    await until('n2 answers', 40_000, answers, 100);
    t.measured('from the kill to the answer of the other server', nowMs() - instant);
    const moved = await cluster.waitUntilProtected();
    const left = moved.nodes.find((one) => one.name === 'n1');
    if (stateOf(moved, 'n2') !== 'primary' || left?.reason !== 'restart-limit') throw new Error(JSON.stringify(moved));
    const first = await decisionsOn(cluster, 'n1');
    if (first.join() !== 'restart,restart,failover') throw new Error(`n1 decided ${first.join()}`);

    t.step('break it on n2 as well');
    instant = nowMs();
    await t.host('n2').must(`touch ${broken}; systemctl kill --signal=KILL app`);
    await cluster.waitFor(
      'both wait for a person',
      (one) => one.nodes.every((node) => node.state === 'wait' && node.reason === 'restart-limit'),
      40_000,
    );
    t.measured('from the kill to rest on both servers', nowMs() - instant);
    const second = await decisionsOn(cluster, 'n2');
    if (second.join() !== 'restart,restart,stop') throw new Error(`n2 decided ${second.join()}`);

    t.step('mend both and give the order to start');
    for (const name of ['n1', 'n2']) await t.host(name).must(`rm ${broken}`);
    await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
    await cluster.waitUntilProtected();
    await until('the application answers', 10_000, answers, 100);
    t.step(await cluster.must('events', '--cluster', cluster.file));
  },
);
