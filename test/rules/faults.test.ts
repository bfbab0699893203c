/** A fault that reaches a screen has words there, in both languages; words without a fault are dead. */
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../resources/tools.ts';
import { english } from '../../src-renderer/messages/english/index.ts';
import { french } from '../../src-renderer/messages/french/index.ts';
import { faultWords, type FaultWordings } from '../../src-renderer/messages/fault-words.ts';
import { codesIn, codesNamed, codesPromisedIn, faultCodes } from './fault-codes.ts';

/** Codes that no screen ever shows, and why. */
const neverOnScreen: Readonly<Record<string, string>> = {
  'wrong-usage': 'the command line was typed wrongly',
  'cannot-ask': 'the command line has no terminal',
  'other-node': 'the command line on a server',
  'screens-missing': 'there is no screen to say it on',
  'already-running': 'a daemon that was started twice says it in its journal',
  'practice-rows-lost': 'npm start -- --practice says it on the terminal',
  'practice-traffic-not-ready': 'npm start -- --practice says it on the terminal',
  'practice-traffic-ended': 'npm start -- --practice says it on the terminal',
  'datagram-too-long': 'between the agents',
  'peer-left': 'between the replicators',
  'generation-used': 'between the replicators',
  'role-ended': 'between the replicators',
  'not-secondary': 'between the replicators',
  'unknown-volume': 'between the two processes of one server',
};

/** Places that pass a code on which somebody else has written, or that tell of something else than a fault for people. */
const passedOn: Readonly<Record<string, string>> = {
  'agent/contract/fault.ts: record.code': 'a fault that came over a wire',
  'agent/replication/record-store.ts: code': 'its callers write the codes, and those are found',
  'agent/runtime/runtime.ts: refusal.code': 'of the core, found there',
  'src-main/configuration/problem.ts: first.code': 'problems of a configuration have words of their own',
  'src-main/install/cluster-plan.ts: problem.code': 'what an agent found wrong with a directory',
  "src-main/install/survey.ts: alike ? first.code : 'checks-failed'": 'checks have words of their own',
  "src-main/practice/practice-part.ts: obstacle?.code ?? 'practice-impossible'": 'obstacles have words of their own',
  'src-main/practice/traffic.ts: code': 'npm start -- --practice says it on the terminal',
  'src-main/wizard/wizard-servers.ts: code': 'the same fault, with the name of the server',
};

const worded: FaultWordings = english.faults;

test('codes are found where they are thrown and where they are promised', () => {
  const source =
    "throw new Fault(full ? 'disk-full' : 'copy-failed', {}); draft.refuse('not-primary', ''); new Fault(x.code, {});";
  const { codes, computed } = codesIn(source, 'a.ts');
  expect(codes.map(({ code }) => code)).toEqual(['disk-full', 'copy-failed', 'not-primary']);
  expect(computed).toEqual(['a.ts: x.code']);
  const comment = '/** Logs in. Faults: login-refused (details: user-name), host-key-changed,\n   * no-sudo. */';
  expect(codesPromisedIn(comment, 'api.ts').map(({ code }) => code)).toEqual([
    'login-refused',
    'host-key-changed',
    'no-sudo',
  ]);
});

test('every fault that can reach a screen has words', () => {
  const { codes, computed } = faultCodes(repositoryRoot);
  expect(codes.length).toBeGreaterThan(150);
  const missing = codes
    .filter(({ code }) => !Object.hasOwn(worded, code) && !Object.hasOwn(neverOnScreen, code))
    .map(({ code, place }) => `${code} (${place})`);
  expect(missing).toEqual([]);
  expect(computed.filter((place) => !Object.hasOwn(passedOn, place))).toEqual([]);
  expect(Object.keys(passedOn).filter((place) => !computed.includes(place))).toEqual([]);
});

test('every word belongs to a fault that exists', () => {
  const thrown = new Set([...codesNamed(repositoryRoot), ...faultCodes(repositoryRoot).codes.map(({ code }) => code)]);
  const dead = [...Object.keys(worded), ...Object.keys(neverOnScreen)].filter((code) => !thrown.has(code));
  expect(dead).toEqual([]);
});

test('words hold with all facts and without any', () => {
  for (const words of [english, french]) {
    const faults: FaultWordings = words.faults;
    for (const [code, wording] of Object.entries(faults)) {
      const bare = wording({});
      const full = wording(new Proxy({}, { get: (_, key) => `<${String(key)}>`, has: () => true }));
      for (const text of [bare, full].flatMap(({ what, cause, remedy }) => [what, cause, remedy])) {
        if (text === undefined) continue;
        expect(text, code).toMatch(/^\S.*[.>]$/s);
        expect(text, code).not.toMatch(/undefined|null|\[object| {2}|,,|\.\./);
      }
      // A remedy or a cause: nobody is left with the bare fact, except where the fact says it all.
      expect(Object.values(bare).join('').length, code).toBeGreaterThan(4);
    }
  }
});

test('a fault of a newer agent keeps its own sentence; failed checks are told as such', () => {
  const unknown = { code: 'of-tomorrow', message: 'Something new.', remedy: 'Do this.', details: { host: 'n1' } };
  expect(faultWords(french, unknown)).toMatchObject({ what: 'Something new.', remedy: 'Do this.' });
  expect(faultWords(french, unknown).detail).toContain('host: n1');
  const checks = { ...unknown, code: 'kernel', details: { checks: ['kernel'], hosts: ['n2'] } };
  expect(faultWords(english, checks).what).toContain('n2');
});
