/**
 * A process with one lane that is blocked for ever, and one thread that fails: it must end at once.
 * `node throwing.ts main | primary | acknowledgement | secondary | listener | rejection`
 */
import { installDeath } from '../../../agent/sys/linux.ts';
import { ControlBlock } from '../../../agent/replication/control-block.ts';
import type { LaneData } from '../../../agent/replication/lane-data.ts';
import { makeInbox, spawnLane } from '../../../agent/replication/spawn.ts';

installDeath('test');
const control = new ControlBlock();
setInterval(() => control.countMainLiveness(), 100);

const blocked = makeInbox<never>();
void spawnLane(
  'blocked',
  { lane: 'listener', name: 'blocked', control: control.memory, inbox: blocked.port, wakeFd: blocked.wakeFd },
  [blocked.port],
  () => undefined,
);

function failing(kind: string): LaneData {
  // No descriptor, no record, no port: whatever the lane does first fails in its own way.
  const nothing = { control: null, inbox: null, wakeFd: -1, directoryFd: -1, deviceFd: -1, record: null };
  return { lane: kind, name: `failing ${kind}`, ...nothing } as unknown as LaneData;
}

const [what = 'main'] = process.argv.slice(2);
process.stdout.write('started\n');
setTimeout(() => {
  if (what === 'main') throw new Error('thrown on purpose');
  if (what === 'rejection') void Promise.reject(new Error('rejected on purpose'));
  else void spawnLane(`failing ${what}`, failing(what), [], () => undefined);
}, 300);
