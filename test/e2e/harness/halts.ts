/** A replicator that halts before one of its operations (`agent/replication/fault-point.ts`), and what brings about those that no workload comes by. */
import { until, type Host } from '../../lab/index.ts';
import type { PlaceOnServer } from './operations.ts';
import { postgresDirectory } from './postgres.ts';

const unit = 'holdfast-replicator.service';
const dropIn = `/run/systemd/system/${unit}.d`;

/** SIGSTOP halts every thread of it. */
export async function isHalted(host: Host): Promise<boolean> {
  return (await host.exec(`grep -q '^State:.*T' /proc/$(systemctl show -P MainPID ${unit})/status`)).code === 0;
}

async function nextHaltsAt(host: Host, { lane, operation }: PlaceOnServer, times: number): Promise<void> {
  await host.must(`mkdir -p ${dropIn}`);
  await host.writeFile(
    `${dropIn}/halt.conf`,
    `[Service]\nEnvironment="HOLDFAST_HALT_AT=${lane},${operation},${String(times)}"\n`,
  );
  await host.must('systemctl daemon-reload');
}

export async function haltAt(host: Host, place: PlaceOnServer, times: number): Promise<void> {
  await nextHaltsAt(host, place, times);
  await host.must(`systemctl restart ${unit}`);
}

/** Of the replicators that are started from now on. */
export async function letGo(host: Host): Promise<void> {
  await host.must(`rm -rf ${dropIn} && systemctl daemon-reload`);
}

/** On a server that halts at `place`, protected and, where the lane is one of a primary, primary. Gives what ends it again. */
type Provocation = (victim: Host, peer: Host, place: PlaceOnServer) => Promise<() => Promise<unknown>>;
const nothing = (): Promise<void> => Promise.resolve();

/** The application has many of them a second; the mount has come long before. */
const repliesBefore = 500;

const provocations: Readonly<Record<string, Provocation>> = {
  // Between two attempts to connect.
  'acknowledgement: pause': async (_, peer) => {
    await peer.must(`systemctl restart ${unit}`);
    return nothing;
  },
  // Nobody is waited for: only a primary that goes on alone answers a sync itself.
  'primary: answer sync': async (_, peer) => {
    await peer.poweroff();
    return () => peer.start();
  },
  // An answer was made and not sent: the successor sends it. So the predecessor is killed before it sends one.
  'primary: reply again': async (victim, _, place) => {
    await haltSuccessorAt(victim, { lane: 'primary', operation: 'reply' }, repliesBefore);
    await until('the predecessor halts', 60_000, () => isHalted(victim), 50);
    await haltSuccessorAt(victim, place, 1);
    return nothing;
  },
  // The lease is not extended any more.
  'primary: wait for permission': async (victim) => {
    await victim.must('systemctl kill --kill-whom=main -s STOP holdfastd');
    return () => victim.must('systemctl kill --kill-whom=main -s CONT holdfastd');
  },
  // A write fails before its sync is asked for, so somebody syncs who writes nothing, with a file that was open before.
  'primary: persist record of a failed sync': async (victim) => {
    const program = `const file = require('fs').openSync('${postgresDirectory}/PG_VERSION'); setInterval(() => require('fs').fsyncSync(file), 1)`;
    await victim.must(['systemd-run', '--unit=syncs', '/opt/holdfast/node/node', '-e', program]);
    await until(
      'the syncs run',
      10_000,
      async () =>
        (await victim.exec(`ls -l /proc/$(systemctl show -P MainPID syncs)/fd | grep -q PG_VERSION`)).code === 0,
    );
    await victim.dataDisk.fail();
    return nothing;
  },
};

/** The mount outlives the one that is killed, and the next one goes on with it. */
async function haltSuccessorAt(host: Host, place: PlaceOnServer, times: number): Promise<void> {
  await nextHaltsAt(host, place, times);
  await host.must(`systemctl kill -s KILL ${unit}`);
}

/** Null: the workload and the deaths of the story come by it. */
export function provocationOf({ lane, operation }: PlaceOnServer): Provocation | null {
  return provocations[`${lane}: ${operation}`] ?? null;
}
