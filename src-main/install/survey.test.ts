import { expect, it } from 'vitest';
import type { Transport } from '../ssh/index.ts';
import type { Probe } from './probe.ts';
import { refuseOtherMachines, type Machine } from './survey.ts';

function machine(name: string, machineId: string): Machine {
  const probe = { machineId } as Probe;
  return { name, role: 'node', transport: { host: '10.0.0.1' } as Transport, probe, clockDifferenceMs: 0 };
}

it('what was decided of one machine is not done to another', () => {
  const machines = [machine('n1', 'a'), machine('n2', 'b')];
  const look = (ids: Record<string, string>) => (): void => refuseOtherMachines(new Map(Object.entries(ids)), machines);
  expect(look({ n1: 'a', n2: 'b' })).not.toThrow();
  expect(look({ n1: 'a' })).not.toThrow();
  expect(look({ n1: 'a', n2: 'c' })).toThrow(
    expect.objectContaining({ code: 'server-replaced', details: { node: 'n2', host: '10.0.0.1' } }),
  );
});
