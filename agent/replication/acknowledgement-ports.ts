/** The acknowledgement lane on Linux: connecting, the contact's messages, acknowledgements in, answers out. */
import { randomBytes } from 'node:crypto';
import { Fault } from '../contract/index.ts';
import type { FaultRecord, VolumeRecord } from '../contract/index.ts';
import { bootTimeMs, close, Memory, Poll, signalEvent } from '../sys/linux.ts';
import { TlsContext, tlsFree } from '../sys/openssl.ts';
import { shutdownSocket } from '../sys/socket.ts';
import { AcknowledgementLane } from './acknowledgement-lane.ts';
import type { Welcome } from './acknowledgement-lane.ts';
import { closeConnection, Connection, connectionLost } from './connection.ts';
import type { Interruption } from './connection.ts';
import { ControlBlock } from './control-block.ts';
import { goesOnSchema, ourVersion, readySchema, welcomeBytesMax, welcomeSchema } from './handshake.ts';
import { Inbox } from './inbox.ts';
import type { LinkHello } from './handshake.ts';
import type { AcknowledgementLaneData } from './lane-data.ts';
import type { ConnectionHandle, FromAcknowledgement, ToAcknowledgement } from './lane-messages.ts';
import { isReady, runSteps, waitAlone } from './operations.ts';
import type { Operation, Steps } from './operations.ts';
import { parkedAnswer } from './parked-answer.ts';

const connectTimeoutMs = 2000;
/** The target may have to wait for its disk before it answers. */
const contactTimeoutMs = 10_000;
const livenessMs = 1000;

type Endpoint = AcknowledgementLaneData['endpoints'][number];

/** What the target says of itself. */
class Link {
  readonly #data: AcknowledgementLaneData;
  readonly #control: ControlBlock;
  readonly #interruption: Interruption;
  #stream: Connection | null = null;
  #answers: Connection | null = null;
  /** The data connection has been given to the primary lane. */
  #given = false;
  #endpoint: Endpoint | null = null;
  #token = '';

  constructor(data: AcknowledgementLaneData, control: ControlBlock, interruption: Interruption) {
    this.#data = data;
    this.#control = control;
    this.#interruption = interruption;
  }

  get answers(): Connection | null {
    return this.#answers;
  }

  /** The first endpoint that answers. Throws Fault. */
  *open(record: VolumeRecord): Generator<Operation, Welcome, number> {
    const { cuts } = this.#control;
    // Read at every attempt: the peer may have been replaced, and a certificate that was retired opens nothing any more.
    using context = new TlsContext(this.#data.tls);
    let last = new Fault('peer-unreachable', { message: 'The peer has no address.' });
    for (const endpoint of this.#data.endpoints) {
      try {
        const welcome = yield* this.#openAt(context, endpoint, record, cuts);
        this.#endpoint = endpoint;
        return welcome;
      } catch (error) {
        last = Fault.from(error);
        this.close();
        if (last.code === 'aborted') break;
      }
    }
    throw last;
  }

  *#openAt(
    context: TlsContext,
    endpoint: Endpoint,
    record: VolumeRecord,
    cuts: number,
  ): Generator<Operation, Welcome, number> {
    const options = this.#options(connectTimeoutMs);
    const hello = this.#hello(record);
    this.#token = hello.token;
    this.#stream = yield* Connection.connect(context, endpoint, options);
    this.#control.publishSocket('dataSocket', this.#stream.fd);
    this.#stream.say({ ...hello, purpose: 'data' });
    this.#answers = yield* Connection.connect(context, endpoint, options);
    this.#control.publishSocket('answerSocket', this.#answers.fd);
    // What the certificate that it was made with was retired for ends it, wherever it was then.
    if (this.#control.cuts !== cuts) throw connectionLost(this.#stream.peer);
    this.#answers.say({ ...hello, purpose: 'acknowledgements' });
    const answer = yield* this.#stream.hear(welcomeSchema, bootTimeMs() + contactTimeoutMs, welcomeBytesMax);
    if (answer.say === 'refused') throw Fault.fromRecord(answer.fault);
    const { record: theirs, minor, verifies = false, hearsHot = false, hot = null, heardHot = null } = answer;
    const { countsCheckpoints = false, goesOn = false } = answer;
    return { record: theirs, minor, verifies, hearsHot, countsCheckpoints, goesOn, hot, heardHot };
  }

  #options(timeoutMs: number): Parameters<typeof Connection.connect>[2] {
    return { timeoutMs, interruption: this.#interruption, linkTimeoutMs: this.#data.linkTimeoutMs };
  }
  #hello(record: VolumeRecord): Omit<LinkHello, 'purpose'> {
    const { volume, node, programVersion } = this.#data;
    const token = randomBytes(16).toString('hex');
    return { say: 'hello', ...ourVersion(programVersion), node, volume, token, record, asksHot: true };
  }

  /** The stream of this link over another network: what the target has of it. The connections in use stay until the target has agreed. Throws Fault. */
  *goOn(): Generator<Operation, number, number> {
    const { cuts } = this.#control;
    using context = new TlsContext(this.#data.tls);
    // The other half of the time after which the peer is given up.
    const untilMs = bootTimeMs() + this.#data.linkTimeoutMs / 2;
    let last = new Fault('peer-unreachable', { message: 'There is no other network.' });
    for (const endpoint of this.#data.endpoints) {
      if (endpoint === this.#endpoint || bootTimeMs() >= untilMs) continue;
      try {
        return yield* this.#goOnAt(context, endpoint, untilMs, cuts);
      } catch (error) {
        last = Fault.from(error);
        if (last.code === 'aborted') break;
      }
    }
    throw last;
  }

  *#goOnAt(
    context: TlsContext,
    endpoint: Endpoint,
    untilMs: number,
    cuts: number,
  ): Generator<Operation, number, number> {
    // Of both connections together: while this lane makes them nobody reads what the former ones may still say.
    const options = (): Parameters<typeof Connection.connect>[2] =>
      this.#options(Math.max(1, Math.min(this.#data.linkTimeoutMs / 4, untilMs - bootTimeMs())));
    const hello = { ...this.#hello(this.#control.readRecord().record), continues: this.#token };
    const opened: Connection[] = [];
    try {
      const stream = yield* Connection.connect(context, endpoint, options());
      opened.push(stream);
      stream.say({ ...hello, purpose: 'data' });
      const answers = yield* Connection.connect(context, endpoint, options());
      opened.push(answers);
      answers.say({ ...hello, purpose: 'acknowledgements' });
      const answer = yield* stream.hear(goesOnSchema, untilMs);
      if (answer.say === 'refused') throw Fault.fromRecord(answer.fault);
      // The certificate that they were made with may have been retired since.
      if (this.#control.cuts !== cuts) throw connectionLost(stream.peer);
      this.#replace(stream, answers);
      this.#endpoint = endpoint;
      this.#token = hello.token;
      return answer.applied;
    } catch (error) {
      for (const connection of opened) connection.close();
      throw error;
    }
  }

  #replace(stream: Connection, answers: Connection): void {
    // The primary lane frees it, and may be blocked in it.
    this.#control.lookAtSocket('dataSocket', shutdownSocket);
    const former = this.#answers;
    this.#control.publishSocket('dataSocket', stream.fd);
    this.#control.publishSocket('answerSocket', answers.fd);
    if (former) closeConnection(former);
    this.#stream = stream;
    this.#answers = answers;
    this.#given = false;
  }

  *begin(contact: 'in-sync' | 'resync'): Generator<Operation, void, number> {
    if (!this.#stream) return;
    this.#stream.say({ say: 'begin', contact });
    yield* this.#stream.hear(readySchema, bootTimeMs() + contactTimeoutMs);
  }

  give(): ConnectionHandle {
    if (!this.#stream) throw new Fault('internal', { message: 'There is no connection to give.' });
    this.#given = true;
    return this.#stream.handle;
  }

  close(): void {
    this.#control.shutdownSockets(shutdownSocket);
    if (this.#stream && !this.#given) {
      this.#control.withdrawSocket('dataSocket');
      tlsFree(this.#stream.ssl);
      close(this.#stream.fd);
    }
    if (this.#answers) {
      this.#control.withdrawSocket('answerSocket');
      tlsFree(this.#answers.ssl);
      close(this.#answers.fd);
    }
    this.#stream = this.#answers = null;
    this.#given = false;
  }
}

export function makeAcknowledgementLane(
  data: AcknowledgementLaneData,
  tell: (message: FromAcknowledgement) => void,
): AcknowledgementLane {
  const control = new ControlBlock(data.control);
  const inbox = new Inbox<ToAcknowledgement>([data.inbox], data.wakeFd);
  const link = new Link(data, control, {
    wakeFd: data.wakeFd,
    requested: () => inbox.interrupted() || control.fenced,
  });
  const input = new Memory(256 * 1024);
  const poll = new Poll([data.wakeFd, -1]);

  const open = {
    name: 'open link',
    record: null as VolumeRecord | null,
    theirs: null as Welcome | null,
    fault: null as FaultRecord | null,
    *steps(): Steps {
      if (open.record === null) return -1;
      open.theirs = null;
      try {
        open.theirs = yield* link.open(open.record);
        return 0;
      } catch (error) {
        open.fault = Fault.from(error).toRecord();
        return -1;
      }
    },
    run: (): number => runSteps(open.steps()),
  };
  const goOn = {
    name: 'go on',
    applied: 0,
    *steps(): Steps {
      try {
        goOn.applied = yield* link.goOn();
        return 0;
      } catch (error) {
        if (error instanceof Fault) return -1;
        throw error;
      }
    },
    run: (): number => runSteps(goOn.steps()),
  };
  const begin = {
    name: 'begin',
    contact: 'resync' as 'in-sync' | 'resync',
    *steps(): Steps {
      try {
        yield* link.begin(begin.contact);
        return 0;
      } catch (error) {
        open.fault = Fault.from(error).toRecord();
        return -1;
      }
    },
    run: (): number => runSteps(begin.steps()),
  };
  const waits = {
    poll,
    begin: (): number => {
      const connection = link.answers;
      if (connection?.drained !== true) return isReady;
      poll.set(1, connection.fd);
      return livenessMs;
    },
    end: (waited: number): number => {
      const connection = link.answers;
      if (!connection) return -1;
      if (waited !== isReady) {
        if (waited <= 0) {
          inbox.watchSupervisor(control);
          return receive.end;
        }
        if (poll.ready(0) !== 0) inbox.woken();
        if (poll.ready(1) === 0) return receive.end;
      }
      const count = connection.receive(input, receive.end, input.length - receive.end);
      if (count < 0) return -1;
      receive.end += count;
      return receive.end;
    },
  };
  const receive = {
    name: 'receive acknowledgements',
    bytes: input.bytes,
    end: 0,
    waits,
    run: (): number => waitAlone(waits),
  };
  const pause = { ...inbox.sleep('pause', (): number => pause.durationMs, control), durationMs: 0 };
  return new AcknowledgementLane({
    control,
    volume: data.volume,
    peer: data.peer,
    open,
    begin,
    goOn,
    receive,
    answerParked: parkedAnswer(control, data.deviceFd),
    pause,
    close: () => {
      link.close();
    },
    data: () => link.give(),
    nowMs: bootTimeMs,
    message: () => inbox.receive(),
    tell,
    tellPrimary: (message) => {
      data.primary.postMessage(message);
      signalEvent(data.primaryWakeFd);
    },
    wakePrimary: () => {
      signalEvent(data.primaryWakeFd);
    },
  });
}
