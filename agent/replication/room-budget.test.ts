import { describe, expect, it } from 'vitest';
import { RoomBudget, SharedRoom, sharedRoomBytes } from './room-budget.ts';
import { uncounted } from './room.ts';

const block = 4096;
const room = (blocks: number, names = uncounted): Parameters<SharedRoom['tell']>[1] => ({
  bytes: blocks * block,
  names,
  totalBytes: 1000 * block,
  totalNames: uncounted,
});

function budget(): { readonly shared: SharedRoom; readonly budget: RoomBudget } {
  const shared = new SharedRoom(new SharedArrayBuffer(sharedRoomBytes), 0);
  const made = new RoomBudget(shared);
  made.begin();
  return { shared, budget: made };
}
function leftBlocks(of: RoomBudget): number {
  const left = room(0);
  return of.left(left) ? left.bytes / block : -1;
}

describe('the room of the peer', () => {
  it('has no bound before anything is told, nor on a new link before it is told there', () => {
    const { shared, budget: one } = budget();
    expect(one.take(2 ** 50, 1e9, 0)).toBe(true);
    expect(leftBlocks(one)).toBe(-1);
    shared.tell(1, room(0));
    expect(one.take(block, 0, 2)).toBe(false);
    one.begin();
    expect(one.take(block, 0, 0)).toBe(true);
  });

  it('counts what is under way against the number that was told, and nothing twice', () => {
    const { shared, budget: one } = budget();
    // Changes 1 to 4, of ten blocks each; the number was taken after the second.
    for (let sequence = 0; sequence < 4; sequence++) expect(one.take(10 * block, 0, sequence)).toBe(true);
    shared.tell(2, room(25));
    expect(leftBlocks(one)).toBe(5);
    expect(one.take(6 * block, 0, 4)).toBe(false);
    expect(one.take(5 * block, 0, 4)).toBe(true);
    expect(one.take(block, 0, 5)).toBe(false);
    shared.tell(5, room(0));
    expect(one.take(block, 0, 5)).toBe(false);
    // Something was removed.
    shared.tell(6, room(3));
    expect(one.take(3 * block, 0, 6)).toBe(true);
    expect(leftBlocks(one)).toBe(0);
  });

  it('does not count what was granted and failed here, once the peer has been asked behind it', () => {
    const { shared, budget: one } = budget();
    shared.tell(0, room(10));
    // It fails on the own disk: nothing of it is sent.
    expect(one.take(8 * block, 0, 0)).toBe(true);
    expect(one.take(5 * block, 0, 0)).toBe(false);
    one.asked(1);
    shared.tell(1, room(10));
    one.refresh();
    expect(leftBlocks(one)).toBe(10);
    expect(one.take(5 * block, 0, 1)).toBe(true);
    expect(leftBlocks(one)).toBe(5);
  });

  it('counts objects like blocks', () => {
    const { shared, budget: one } = budget();
    shared.tell(0, room(100, 2));
    expect(one.take(block, 1, 1)).toBe(true);
    expect(one.take(block, 1, 2)).toBe(true);
    expect(one.take(block, 1, 3)).toBe(false);
    expect(one.take(block, 0, 3)).toBe(true);
  });

  it('counts rather too much as under way when nothing has been told for long, and is exact again afterwards', () => {
    const { shared, budget: one } = budget();
    const changes = 10_000;
    for (let sequence = 0; sequence < changes; sequence++) one.take(block, 0, sequence);
    // All but the last hundred.
    shared.tell(changes - 100, room(20_000));
    const left = leftBlocks(one);
    expect(left).toBeLessThanOrEqual(20_000 - 100);
    expect(left).toBeGreaterThan(20_000 - 100 - changes / 16);
    shared.tell(changes, room(19_900));
    one.take(block, 0, changes);
    expect(leftBlocks(one)).toBe(19_899);
  });

  it('knows sequences by their low 32 bits', () => {
    const { shared, budget: one } = budget();
    const far = 2 ** 32 + 5;
    one.take(block, 0, far);
    one.take(block, 0, far + 1);
    shared.tell(far + 1, room(10));
    expect(leftBlocks(one)).toBe(9);
  });
});
