import { describe, expect, it } from 'vitest';
import { Fault, type TimelineEvent } from '../../agent/contract/index.ts';
import { NodeEvents } from './node-events.ts';

/** What an agent keeps; events have the sequence numbers 1 … count, the oldest may have been given up. */
class Agent {
  readonly events: TimelineEvent[] = [];
  life = 'first';
  away = false;
  asked = 0;
  beforeAnswer: () => void = () => undefined;

  constructor(count = 0) {
    for (let index = 0; index < count; index++) this.happen();
  }
  happen(): TimelineEvent {
    const sequence = (this.events.at(-1)?.sequence ?? 0) + 1;
    const event: TimelineEvent = {
      at: new Date(sequence).toISOString(),
      node: 'n1',
      sequence,
      module: null,
      code: this.life,
      message: '',
      severity: 'info',
      evidence: {},
    };
    this.events.push(event);
    return event;
  }
  readonly ask = async ({ after = 0, limit = 1000, newest = false }) => {
    this.asked++;
    if (this.away) throw new Fault('connection-lost', { message: 'away' });
    const wanted = this.events.filter(({ sequence }) => sequence > after);
    const answer = newest ? wanted.slice(-limit) : wanted.slice(0, limit);
    this.beforeAnswer();
    return answer;
  };
}
function follow(agent: Agent): { events: NodeEvents; told: number[]; kept: () => number[] } {
  const events = new NodeEvents(agent.ask);
  const told: number[] = [];
  events.onNew((fresh) => told.push(...fresh.map(({ sequence }) => sequence)));
  return { events, told, kept: () => events.all.map(({ sequence }) => sequence) };
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('the timeline of a node', () => {
  it('is loaded from the end, in pages, and what was asked for is not told once more', async () => {
    const agent = new Agent(2600);
    const { events, told, kept } = follow(agent);
    await events.load(2500);
    expect(kept()).toEqual(range(101, 2600));
    expect(told).toEqual([]);
    await events.load(100);
    expect(agent.asked).toBe(4);
  });

  it('goes on with what is pushed, once each', async () => {
    const agent = new Agent(3);
    const { events, told, kept } = follow(agent);
    await events.load(10);
    const event = agent.happen();
    events.push(event);
    events.push(event);
    expect([told, kept()]).toEqual([[4], [1, 2, 3, 4]]);
  });

  it('loses nothing that happens while it is loaded', async () => {
    const agent = new Agent(3);
    const { events, kept } = follow(agent);
    agent.beforeAnswer = () => {
      agent.beforeAnswer = () => undefined;
      events.push(agent.happen());
    };
    await events.load(10);
    expect(kept()).toEqual([1, 2, 3, 4]);
  });

  it('fills the gap of a lost connection', async () => {
    const agent = new Agent(2);
    const { events, told, kept } = follow(agent);
    await events.load(10);
    agent.happen();
    events.connected();
    events.push(agent.happen());
    await events.load(10);
    expect([told, kept()]).toEqual([
      [3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('is told later to who had to go without it', async () => {
    const agent = new Agent(2);
    const { events, told } = follow(agent);
    agent.away = true;
    await expect(events.load(10)).rejects.toMatchObject({ code: 'connection-lost' });
    agent.away = false;
    events.connected();
    await events.load(10);
    expect(told).toEqual([1, 2]);
  });

  it('begins anew when the server was installed again', async () => {
    const agent = new Agent(5);
    const { events, kept, told } = follow(agent);
    await events.load(10);
    agent.events.length = 0;
    agent.life = 'second';
    agent.happen();
    events.connected();
    await events.load(10);
    expect([kept(), told]).toEqual([[1], [1]]);
    expect(events.all[0]?.code).toBe('second');
  });

  it('is not kept while nobody asks', () => {
    const agent = new Agent(1);
    const { events, kept } = follow(agent);
    events.connected();
    events.push(agent.happen());
    expect([kept(), agent.asked]).toEqual([[], 0]);
  });
});
