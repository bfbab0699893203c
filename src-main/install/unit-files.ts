/** The systemd units, as they stand in resources/systemd. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { allUnits, nodeUnits, witnessUnits, type UnitName } from './layout.ts';

export type UnitTexts = Readonly<Record<UnitName, string>>;

export function readUnitTexts(resourcesDirectory: string): UnitTexts {
  const entries = allUnits.map((name) => [name, readFileSync(path.join(resourcesDirectory, 'systemd', name), 'utf8')]);
  return Object.fromEntries(entries) as UnitTexts;
}

export function unitsOf(role: 'node' | 'witness'): readonly UnitName[] {
  return role === 'node' ? nodeUnits : witnessUnits;
}
