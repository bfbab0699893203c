/** A story: what happens to real servers, told step by step. Each file in `stories/` registers some. */
import type { Host, Lab, LabOptions } from '../lab/index.ts';

export interface StoryOptions {
  /** The machines it needs; each story gets fresh ones. */
  readonly hosts: Omit<LabOptions, 'name'>;
  readonly timeoutMs: number;
  /** Only with `npm run e2e -- long`. */
  readonly long?: boolean;
  /** What its stories are called together where none of them is told. */
  readonly group?: string;
  /** Why no lab can make it; undefined: it can. */
  readonly obstacle?: string;
}

export interface StoryContext {
  readonly lab: Lab;
  /** Ends when the story's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
  host(name: string): Host;
  /** Prints what happens next, with the milliseconds since the story began. */
  step(text: string): void;
  /** A measured number that belongs into the output: `RTO 2310 ms`. */
  measured(what: string, milliseconds: number): void;
  /** Lines that this story provokes in the product's journals; every other warning or error fails it. */
  allowInJournals(...patterns: readonly RegExp[]): void;
  /** Runs at the end, in reverse order, also after a failure. */
  defer(action: () => Promise<void> | void): void;
}

export interface Story {
  readonly name: string;
  readonly options: StoryOptions;
  readonly tell: (context: StoryContext) => Promise<void>;
}

const registered: Story[] = [];

export function story(name: string, options: StoryOptions, tell: (context: StoryContext) => Promise<void>): void {
  if (registered.some((other) => other.name === name)) throw new Error(`two stories are called "${name}"`);
  registered.push({ name, options, tell });
}

export function registeredStories(): readonly Story[] {
  return registered;
}
