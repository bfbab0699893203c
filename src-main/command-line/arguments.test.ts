import { describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { laterCommands, parseArguments } from './arguments.ts';

function codeOf(...argv: string[]): string {
  try {
    parseArguments(argv);
    return '';
  } catch (error) {
    return Fault.from(error).code;
  }
}

describe('the words of a command', () => {
  it('are understood with their flags', () => {
    expect(parseArguments(['apply', 'site.yaml', '--wait', '--timeout', '2m', '--good', 'n1', '--json'])).toMatchObject(
      {
        command: 'apply',
        words: ['site.yaml'],
        wait: true,
        timeoutMs: 120_000,
        good: 'n1',
        json: true,
        yes: false,
      },
    );
    expect(parseArguments(['--cluster', 'x', 'promote', 'db', '--node', 'n2', '--accept-data-loss'])).toMatchObject({
      command: 'promote',
      clusterFile: 'x',
      node: 'n2',
      acceptDataLoss: true,
    });
  });

  it.each([
    [[]],
    [['aply', 'x']],
    [['apply']],
    [['apply', 'a', 'b']],
    [['status', '--plan']],
    [['start', 'db', '--nope']],
    [['status', '--timeout', 'soon']],
    [['events', '--lines', '-3']],
    [['maintenance', 'on']],
  ])('%j is wrong usage', (argv) => {
    expect(codeOf(...argv)).toBe('wrong-usage');
  });

  it.each(laterCommands)('%s is known by name, and not in this version', (command) => {
    expect(codeOf(command, 'db')).toBe('not-in-this-version');
  });
});
