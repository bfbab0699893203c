import { expect, it, vi } from 'vitest';
import { faultPoint } from './fault-point.ts';
import { operation, runLane } from './operations.ts';
import type { Lane } from './operations.ts';

const done: string[] = [];
const send = operation('send', () => done.push('send'));
const persist = operation('persist', () => done.push('persist'));
function* lane(): Lane {
  yield send;
  yield persist;
  yield send;
}

it('halts before the nth time of an operation of its lane, and nowhere else', () => {
  const kill = vi.spyOn(process, 'kill').mockImplementation((...asked) => {
    done.push(asked.join(' '));
    return true;
  });
  const halts = (wanted: string | undefined): string[] => {
    done.length = 0;
    runLane(lane(), faultPoint('primary', wanted));
    return [...done];
  };
  expect(halts('primary,send,2')).toEqual(['send', 'persist', `${process.pid} SIGSTOP`, 'send']);
  expect(halts('primary,send,3')).toEqual(['send', 'persist', 'send']);
  expect(halts('secondary,send,1')).toEqual(['send', 'persist', 'send']);
  expect(halts(undefined)).toEqual(['send', 'persist', 'send']);
  kill.mockRestore();
});
