import { describe, expect, it } from 'vitest';
import { closeDoor } from './closing-door.ts';
import type { OpenDoor } from './closing-door.ts';

function steps(door: Partial<OpenDoor>): string[] {
  const done: string[] = [];
  const whole = {
    isOpen: true,
    wasOpen: false,
    isBooting: () => false,
    endAgreement: () => void done.push('end the agreement'),
    cover: () => void done.push('cover'),
    ...door,
  };
  try {
    closeDoor(whole);
  } catch {
    done.push('failed');
  }
  return done;
}

describe('a door that is closed', () => {
  it('has its openness recorded before it is covered', () => {
    expect(steps({})).toEqual(['end the agreement', 'cover']);
  });
  it('stays open for whoever comes next when that cannot be recorded', () => {
    const endAgreement = (): void => {
      throw new Error('the disk does not take it');
    };
    expect(steps({ endAgreement })).toEqual(['failed']);
  });
  it('says nothing while the machine boots', () => {
    expect(steps({ isBooting: () => true })).toEqual(['cover']);
  });
  it('says something while the machine boots when it was found open before', () => {
    expect(steps({ isBooting: () => true, wasOpen: true })).toEqual(['end the agreement', 'cover']);
  });
  it('says nothing where the cover lies', () => {
    expect(steps({ isOpen: false })).toEqual([]);
  });
});
