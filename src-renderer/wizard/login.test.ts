import { describe, expect, test } from 'vitest';
import type { FaultRecord } from '../../agent/contract/index.ts';
import { loginStateOf, splitDestination } from './login.ts';

const fault = (code: string, details: FaultRecord['details'] = {}): FaultRecord => ({
  code,
  message: code,
  remedy: '',
  details,
});
const ofAdmin = { user: 'admin', host: '10.0.0.11' };

describe('what a server wants next', () => {
  test('a password, asked for the first time, and again when it was wrong', () => {
    const request = { kind: 'ssh-password', ...ofAdmin } as const;
    const needed = fault('secret-needed', request);
    expect(loginStateOf(needed, null)).toEqual({ kind: 'secret-needed', request, wrong: false });
    expect(loginStateOf(needed, request)).toEqual({ kind: 'secret-needed', request, wrong: true });
    expect(loginStateOf(fault('login-refused', { ...ofAdmin, tried: ['key', 'password'] }), request)).toEqual({
      kind: 'secret-needed',
      request,
      wrong: true,
    });
  });

  test('a server that takes keys only is not asked for a password', () => {
    expect(loginStateOf(fault('login-refused', { ...ofAdmin, tried: ['key'] }), null).kind).toBe('failed');
  });

  test('the password of sudo comes after that of SSH, and is another one', () => {
    const ssh = { kind: 'ssh-password', ...ofAdmin } as const;
    const sudo = { kind: 'sudo-password', ...ofAdmin } as const;
    expect(loginStateOf(fault('secret-needed', sudo), ssh)).toMatchObject({ request: sudo, wrong: false });
    expect(loginStateOf(fault('sudo-password-wrong', ofAdmin), sudo)).toMatchObject({ request: sudo, wrong: true });
  });

  test('a passphrase belongs to a file', () => {
    const request = { kind: 'key-passphrase', file: '/home/me/.ssh/id' } as const;
    expect(loginStateOf(fault('secret-needed', request), request)).toEqual({
      kind: 'secret-needed',
      request,
      wrong: true,
    });
  });

  test('an unknown key is to be compared, a changed one is something else', () => {
    const details = { host: 'n1', port: 2222, type: 'ssh-ed25519', fingerprint: 'SHA256:new', expected: 'SHA256:old' };
    const key = { host: 'n1', port: 2222, type: 'ssh-ed25519', fingerprint: 'SHA256:new' };
    expect(loginStateOf(fault('host-key-unknown', details), null)).toEqual({ kind: 'host-key-unknown', key });
    expect(loginStateOf(fault('host-key-changed', details), null)).toEqual({
      kind: 'host-key-changed',
      key,
      expected: 'SHA256:old',
    });
  });

  test('a secret of a kind that this version does not know is a failure, never an empty question', () => {
    expect(loginStateOf(fault('secret-needed', { kind: 'smart-card' }), null).kind).toBe('failed');
  });
});

describe('what is pasted into the field of a server', () => {
  test.each([
    ['root@10.0.0.11', 'root@10.0.0.11', null],
    [' ssh root@n1 ', 'root@n1', null],
    ['ssh://root@n1:2222', 'root@n1', 2222],
    ['root@n1:2222', 'root@n1', 2222],
    ['root@n1:99999', 'root@n1:99999', null],
    ['root@fe80::1', 'root@fe80::1', null],
  ])('%s', (typed, destination, port) => {
    expect(splitDestination(typed)).toEqual({ destination, port });
  });
});
