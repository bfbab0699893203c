/** What the state of a module on a node means. Pure. */
import type { ModuleOnNode } from '../../agent/contract/index.ts';
import type { Tone } from '../ui/tone.ts';

export function toneOf(on: ModuleOnNode): Tone {
  if (on.data === 'forked') return 'bad';
  if (on.state === 'unknown') return 'unknown';
  if (on.data === 'resynchronising' || on.state === 'transient') return 'working';
  if (on.state === 'wait' || on.state === 'alone' || on.state === 'stopped' || on.data === 'stale') return 'attention';
  return 'good';
}
