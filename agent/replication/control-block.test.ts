import { expect, it } from 'vitest';
import { ControlBlock } from './control-block.ts';

it('a link that is cut while it is being made is seen by whoever makes it', () => {
  const control = new ControlBlock();
  const shut: number[] = [];
  const shutdown = (fd: number): number => shut.push(fd);
  // Before it is published only the count tells; afterwards its sockets are shut as well.
  const { cuts } = control;
  control.cutSockets(shutdown);
  control.publishSocket('dataSocket', 7);
  expect([shut, control.cuts === cuts]).toEqual([[], false]);
  control.cutSockets(shutdown);
  expect(shut).toEqual([7]);
});
