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
  let token = '';
  const tokenOf = (one: Wire): string => `${machine.name} ${world.wires.indexOf(one)}`;
  const dial = (record: VolumeRecord, continues: string | null): Wire => {
    const one = new Wire(target, record);
    const fd = world.wires.push(one) - 1;
    const handle = { fd, ssl: 0n, peer: machine.name };
    target.toSecondary.push({
      type: 'accepted',
      cuts: 0,
      data: handle,
      acknowledgements: handle,
      record: one.hello,
      minor: world.sourceMinor,
      asksHot: true,
      token: tokenOf(one),
      continues,
    });
    return one;
  };
  /** Over the other network; null: not tried yet. */
  let next: Wire | null = null;
  const goOn = op({
    name: 'go on',
    applied: 0,
    run: (): number => {
      const tried = next;
      next = null;
      if (!tried || tried.broken || tried.applied === null) {
        if (tried) tried.broken = true;
        return -1;
      }
      if (wire) wire.broken = true;
      wire = tried;
      token = tokenOf(tried);
      goOn.applied = tried.applied;
      world.wentOn += 1;
      return 0;
    },
    ready: (): boolean => {
      // That network may be gone as well, or come back only now.
      if (!next && (target.role !== 'secondary' || !world.connected)) return true;
      next ??= dial(machine.record, token);
      return next.broken || next.refusal !== null || next.applied !== null || target.role !== 'secondary';
    },
  });
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
      const { goesOn } = world;
      open.theirs = { record, minor, verifies: true, hearsHot: true, countsCheckpoints, goesOn, hot, heardHot };
      return 0;
    },
    ready: (): boolean => {
      if (!wire) {
        if (target.role !== 'secondary' || !world.connected) return false;
        wire = dial(open.record!, null);
        token = tokenOf(wire);
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
    goOn,
    receive,
    answerParked,
    pause: op({ name: 'pause', durationMs: 0, run: () => 0 }),
    close: () => {
      if (wire) wire.broken = true;
      wire = null;
    },
    data: () => {
      machine.wire = wire;
      return { fd: wire ? world.wires.indexOf(wire) : -1, ssl: 0n, peer: target.name };
    },
    nowMs: () => world.nowMs,
    message: () => null,
    tell: () => undefined,
    tellPrimary: (message) => machine.toPrimary.push(message),
    wakePrimary: () => undefined,
  });
  world.start(machine, 'acknowledgement', lane.run());
}
