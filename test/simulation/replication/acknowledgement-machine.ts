/** The real acknowledgement lane on a machine of the world: makes links, and hears the peer. */
import { AcknowledgementLane } from '../../../agent/replication/acknowledgement-lane.ts';
import type { Welcome } from '../../../agent/replication/acknowledgement-lane.ts';
import type { FaultRecord, VolumeRecord } from '../../../agent/contract/index.ts';
import { op, Wire } from './machine.ts';
import type { Contact, SimMachine, SimOperation } from './machine.ts';
import type { World } from './world.ts';

export function startAcknowledgement(world: World, machine: SimMachine, answerParked: SimOperation): void {
  const { control } = machine;
  let wire: Wire | null = null;
  const target = world.other(machine);
  const open = op({
    name: 'open',
    record: null as VolumeRecord | null,
    theirs: null as Welcome | null,
    fault: null as FaultRecord | null,
    run: (): number => {
      const answered = wire;
      open.fault = answered?.refusal ?? null;
      if (!answered || answered.broken || answered.refusal || !answered.welcome) {
        wire = null;
        return -1;
      }
      const { welcome: record, hot, heardHot } = answered;
      const { targetMinor: minor, countsCheckpoints } = world;
      open.theirs = { record, minor, verifies: true, hearsHot: true, countsCheckpoints, hot, heardHot };
      return 0;
    },
    ready: (): boolean => {
      if (!wire) {
        if (target.role !== 'secondary' || !world.connected) return false;
        wire = new Wire(target, open.record!);
        const fd = world.wires.push(wire) - 1;
        const handle = { fd, ssl: 0n, peer: machine.name };
        target.toSecondary.push({
          type: 'accepted',
          cuts: 0,
          data: handle,
          acknowledgements: handle,
          record: wire.hello,
          minor: world.sourceMinor,
          asksHot: true,
        });
      }
      return wire.broken || wire.refusal !== null || wire.welcome !== null;
    },
  });
  const begin = op<{ contact: Contact }>({
    name: 'begin',
    contact: 'resync',
    run: (): number => (wire && !wire.broken && wire.ready ? 0 : -1),
    ready: (): boolean => {
      if (wire?.begun === null) wire.begun = begin.contact;
      return !wire || wire.broken || wire.ready;
    },
  });
  const bytes = Buffer.alloc(1 << 20);
  const receive = op({
    name: 'receive',
    bytes,
    end: 0,
    run: (): number => {
      const chunk = wire?.answers.shift();
      if (!chunk) return -1;
      chunk.copy(bytes, receive.end);
      receive.end += chunk.length;
      return receive.end;
    },
    ready: (): boolean => !wire || wire.broken || wire.answers.length > 0,
  });
  const lane = new AcknowledgementLane({
    control,
    volume: 'm/0',
    peer: target.name,
    open,
    begin,
    receive,
    answerParked,
    pause: op({ name: 'pause', durationMs: 0, run: () => 0 }),
    close: () => {
      if (wire) wire.broken = true;
      wire = null;
    },
    data: () => {
      machine.wire = wire;
      return { fd: 0, ssl: 0n, peer: target.name };
    },
    nowMs: () => world.nowMs,
    message: () => null,
    tell: () => undefined,
    tellPrimary: (message) => machine.toPrimary.push(message),
    wakePrimary: () => undefined,
  });
  world.start(machine, 'acknowledgement', lane.run());
}
