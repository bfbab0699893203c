import { expect, test } from 'vitest';
import { Session, type RequestFacts } from './session.ts';

function opened(): { session: Session; good: RequestFacts } {
  const session = new Session(4321);
  const cookie = session.exchange(session.token)?.split(';')[0];
  return {
    session,
    good: {
      host: '127.0.0.1:4321',
      origin: 'http://127.0.0.1:4321',
      fetchSite: 'same-origin',
      cookie,
      changesSomething: true,
    },
  };
}

test('the token opens one session only', () => {
  const session = new Session(4321);
  expect(session.exchange(`${session.token}x`)).toBeUndefined();
  expect(session.exchange(session.token)).toMatch(/^holdfast-4321=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
  expect(session.exchange(session.token)).toBeUndefined();
});

test('the own page may speak', () => {
  const { session, good } = opened();
  expect(session.allows(good)).toBe(true);
  expect(session.allows({ ...good, host: 'localhost:4321', origin: 'http://localhost:4321' })).toBe(true);
  expect(session.allows({ ...good, origin: undefined, fetchSite: 'none', changesSomething: false })).toBe(true);
});

test.each<[string, Partial<RequestFacts>]>([
  ['no cookie', { cookie: undefined }],
  ['the cookie of another session', { cookie: 'holdfast-4321=guess' }],
  ['the cookie of another port', { cookie: 'holdfast-1=guess' }],
  ['a foreign name for this machine', { host: 'evil.example:4321', origin: 'http://evil.example:4321' }],
  ['another port', { host: '127.0.0.1:80' }],
  ['no host', { host: undefined }],
  ['a foreign page', { origin: 'http://evil.example' }],
  ['a sandboxed page', { origin: 'null' }],
  ['a foreign page that hides its origin', { origin: undefined, fetchSite: 'cross-site', changesSomething: false }],
  ['a change without an origin', { origin: undefined }],
])('refused: %s', (_name, difference) => {
  const { session, good } = opened();
  expect(session.allows({ ...good, ...difference })).toBe(false);
});
