import { describe, expect, it } from 'vitest';
import { english } from '../messages/english/index.ts';
import { french } from '../messages/french/index.ts';
import { asOneLine, examinePaste } from './clipboard.ts';
import { findCommands, troubleshootingCommands } from './commands.ts';

describe('troubleshooting commands', () => {
  it('are at least fourteen, each once', () => {
    const keys = troubleshootingCommands.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.toSorted()).toEqual(Object.keys(english.terminal.commands).toSorted());
    expect(keys.length).toBeGreaterThanOrEqual(14);
  });

  it.each(troubleshootingCommands)('$key is read alike by every login shell', ({ line }) => {
    // Nothing that csh or fish reads otherwise: history, substitutions, redirections of more than stdout, variables outside of quotes.
    expect(line).not.toMatch(/[!\n\\]|\$\(|`|[0-9&]>/);
    const unquoted = line.replaceAll(/'[^']*'/g, '');
    expect(unquoted).not.toMatch(/[$"'(){}*?~#<>;&]/);
  });

  it.each(troubleshootingCommands.filter(({ changes }) => !changes))('$key only looks', ({ line }) => {
    expect(line).not.toMatch(/\b(restart|stop|start|set-ntp|vacuum|rm|mv|kill|flush|delete|add|mount |umount)\b/);
  });

  it('those that change something say what in both languages, and are known as such', () => {
    const changing = troubleshootingCommands.filter(({ changes }) => changes).map(({ key }) => key);
    expect(changing).toEqual(['restartAgent', 'trimJournal', 'syncClock']);
  });

  it('are found by what they are for, by what they say, and by their own name', () => {
    const keys = (words: typeof english, query: string): string[] =>
      findCommands(words.terminal, query).map(({ key }) => key);
    expect(keys(english, 'iostat')).toEqual(['diskLatency']);
    expect(keys(english, 'power')).toEqual(['restarts']);
    expect(keys(english, 'disk SPACE')).toContain('space');
    expect(keys(french, 'adresse ip virtuelle')).toContain('fence');
    expect(keys(english, 'zebra')).toEqual([]);
    expect(keys(english, '  ')).toHaveLength(troubleshootingCommands.length);
  });
});

describe('what is pasted', () => {
  it('runs nothing when it is one line', () => {
    expect(examinePaste('ls -l\n')).toEqual({ text: 'ls -l', lines: 1 });
    expect(examinePaste('ls -l\r\n\r\n')).toEqual({ text: 'ls -l', lines: 1 });
  });
  it('holds no keys: a page may have put them on the clipboard', () => {
    // Ctrl O runs a line in bash; the other one ends a bracketed paste.
    expect(examinePaste('rm x\u000f').text).toBe('rm x');
    expect(examinePaste('a\u001b[201~b\u0003\u007f\u009bc\td é').text).toBe('a[201~bc\td é');
    expect(examinePaste('ls\n\u0004\n')).toEqual({ text: 'ls', lines: 1 });
  });
  it('is counted when it is several', () => {
    expect(examinePaste('a\r\nb\rc\n')).toEqual({ text: 'a\nb\nc', lines: 3 });
  });
  it('can be made one line', () => {
    expect(asOneLine('a\n\n  b  \nc')).toBe('a b c');
  });
});
