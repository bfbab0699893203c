import { afterEach, expect, it } from 'vitest';
import { clearEvent, close, makeEvent, Poll, signalEvent } from '../sys/linux.ts';
import { LaneThread } from './lane-thread.ts';
import { isReady, operation, runSteps, waitAlone } from './operations.ts';
import type { Lane, Operation, Steps, Waits } from './operations.ts';

const events: number[] = [];
function event(): number {
  const fd = makeEvent();
  events.push(fd);
  return fd;
}
afterEach(() => {
  for (const fd of events.splice(0)) close(fd);
});

/** Until the event is signalled or the time has passed: 1 or 0. */
function wait(fd: number, timeoutMs: () => number): Operation {
  const poll = new Poll([fd]);
  const waits: Waits = { poll, begin: timeoutMs, end: (count) => (count > 0 && clearEvent(fd) ? 1 : 0) };
  return { name: 'wait', waits, run: () => waitAlone(waits) };
}

function begin(thread: LaneThread, lane: Lane, seen: string[] = []): void {
  thread.begin({ name: 'one', lane, halt: ({ name }) => seen.push(name), ended: () => seen.push('ended') });
}

it('runs the lane that was woken, and leaves the others waiting', () => {
  const thread = new LaneThread(event(), () => undefined);
  const served = [0, 0, 0];
  const fds = served.map(() => event());
  fds.forEach((fd, index) => {
    const waiting = wait(fd, () => -1);
    const lane = (function* (): Lane {
      for (;;) {
        yield waiting;
        served[index] = (served[index] ?? 0) + 1;
      }
    })();
    thread.begin({ name: `lane ${index}`, lane, halt: null, ended: () => undefined });
  });
  signalEvent(fds[1] ?? -1);
  thread.round();
  expect(served).toEqual([0, 1, 0]);
  // Whoever fails is named.
  expect(thread.current).toBe('lane 1');
  signalEvent(fds[0] ?? -1);
  signalEvent(fds[2] ?? -1);
  thread.round();
  expect(served).toEqual([1, 1, 1]);
});

it('gives every lane that always has something to do its turn in each round', () => {
  const thread = new LaneThread(event(), () => undefined);
  const turns = [0, 0];
  const poll = new Poll([event()]);
  const waits: Waits = { poll, begin: () => isReady, end: (count) => count };
  const results = new Set<number>();
  turns.forEach((_, index) => {
    begin(
      thread,
      (function* (): Lane {
        for (;;) {
          results.add(yield { name: 'always', waits, run: () => waitAlone(waits) });
          turns[index] = (turns[index] ?? 0) + 1;
        }
      })(),
    );
  });
  for (let round = 0; round < 3; round++) thread.round();
  expect(turns).toEqual([3, 3]);
  expect([...results]).toEqual([isReady]);
});

it('ends a wait whose time has passed, and lets go of a lane that has ended', () => {
  const thread = new LaneThread(event(), () => undefined);
  const seen: string[] = [];
  const results: number[] = [];
  const short = wait(event(), () => 1);
  const forEver = wait(event(), () => -1);
  begin(
    thread,
    (function* (): Lane {
      yield forEver;
      seen.push('woken for nothing');
    })(),
  );
  begin(
    thread,
    (function* (): Lane {
      results.push(yield short);
      results.push(yield operation('work', () => 7));
    })(),
    seen,
  );
  while (!seen.includes('ended')) thread.round();
  expect(results).toEqual([0, 7]);
  expect(seen).toEqual(['wait', 'work', 'ended']);
});

it('waits inside of an operation with steps without keeping others from running', () => {
  const wake = event();
  let woken = 0;
  const thread = new LaneThread(wake, () => {
    clearEvent(wake);
    woken += 1;
  });
  const [peer, other] = [event(), event()];
  const answer = wait(peer, () => -1);
  const talk = {
    name: 'talk',
    *steps(): Steps {
      yield answer;
      yield answer;
      return 5;
    },
    run: (): number => runSteps(talk.steps()),
  };
  const results: number[] = [];
  begin(
    thread,
    (function* (): Lane {
      results.push(yield talk);
    })(),
  );
  let others = 0;
  const waiting = wait(other, () => -1);
  begin(
    thread,
    (function* (): Lane {
      for (;;) others += yield waiting;
    })(),
  );
  signalEvent(peer);
  thread.round();
  signalEvent(other);
  thread.round();
  expect([others, results]).toEqual([1, []]);
  signalEvent(peer);
  signalEvent(wake);
  thread.round();
  expect([results, woken]).toEqual([[5], 1]);
  // The same operation, where a lane has a thread of its own.
  const twice = [1, 1];
  const alone: Operation = {
    name: 'alone',
    *steps(): Steps {
      for (const one of twice) yield operation('one', () => one);
      return 9;
    },
    run: () => runSteps((alone.steps as () => Steps)()),
  };
  expect(alone.run()).toBe(9);
});

it('is not left waiting when what a wait has found is not for a descriptor of one entry', () => {
  // Its neighbour has two: a place that is left over from it must not be waited for.
  const thread = new LaneThread(event(), () => undefined);
  const [first, second] = [event(), event()];
  signalEvent(second);
  const two = new Poll([first, second]);
  let both = 0;
  const waits: Waits = { poll: two, begin: () => -1, end: (count) => count };
  const one = wait(first, () => 1);
  let singles = 0;
  begin(
    thread,
    (function* (): Lane {
      both += yield { name: 'both', waits, run: () => waitAlone(waits) };
      for (;;) {
        yield one;
        singles += 1;
      }
    })(),
  );
  thread.round();
  expect(both).toBe(1);
  while (singles < 2) thread.round();
});
