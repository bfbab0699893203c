import { expect, test } from 'vitest';
import { Fault } from '../../agent/contract/index.ts';
import { blankAnswers } from './answers.ts';
import { DraftSaver, type SavedPart, type SaveState } from './draft-saver.ts';

const part = (cluster: string): SavedPart => ({ step: 'servers', answers: { ...blankAnswers, cluster } });

function begin() {
  const saved: [number, string][] = [];
  const states: SaveState[] = [];
  let due: (() => void) | null = null;
  let answer = (revision: number): Promise<{ revision: number }> => Promise.resolve({ revision: revision + 1 });
  const saver = new DraftSaver({
    save: (revision, { answers }) => {
      saved.push([revision, answers.cluster]);
      return answer(revision);
    },
    later: (run) => {
      due = run;
      return () => (due = null);
    },
    onState: (state) => states.push(state),
  });
  saver.take(1, part(''));
  return {
    saver,
    saved,
    states,
    isDue: () => due !== null,
    answerWith: (next: typeof answer) => (answer = next),
  };
}
const refuse = (code: string) => () => Promise.reject(new Fault(code, { message: code }));

test('typing is saved once, when it pauses, on top of the last revision', async () => {
  const { saver, saved, isDue } = begin();
  saver.changed(part('s'));
  saver.changed(part('si'));
  expect(isDue()).toBe(true);
  await saver.flush();
  saver.changed(part('site'));
  await saver.flush();
  expect(saved).toEqual([
    [1, 'si'],
    [2, 'site'],
  ]);
  expect(saver.state).toBe('saved');
});

test('what is typed during a save is saved after it', async () => {
  const { saver, saved, answerWith } = begin();
  const slow = Promise.withResolvers<{ revision: number }>();
  answerWith(() => slow.promise);
  saver.changed(part('a'));
  const first = saver.flush();
  saver.changed(part('ab'));
  const second = saver.flush();
  answerWith((revision) => Promise.resolve({ revision: revision + 1 }));
  slow.resolve({ revision: 2 });
  await Promise.all([first, second]);
  expect(saved).toEqual([
    [1, 'a'],
    [2, 'ab'],
  ]);
});

test('nothing is saved over what another window has saved, until a person says so', async () => {
  const { saver, saved, answerWith } = begin();
  answerWith(refuse('draft-changed-elsewhere'));
  saver.changed(part('mine'));
  await saver.flush();
  expect(saver.state).toBe('changed-elsewhere');
  saver.changed(part('mine too'));
  await saver.flush();
  expect(saved).toHaveLength(1);
  answerWith((revision) => Promise.resolve({ revision: revision + 1 }));
  await saver.overwrite(7, part('mine too'));
  expect(saved.at(-1)).toEqual([7, 'mine too']);
  expect(saver.state).toBe('saved');
});

test('a save elsewhere is noticed when it is told; the own one is not', async () => {
  const { saver } = begin();
  saver.changed(part('a'));
  await saver.flush();
  saver.heard(2);
  expect(saver.state).toBe('saved');
  saver.heard(3);
  expect(saver.state).toBe('changed-elsewhere');
});

test('the app is away: what could not be saved is saved when it is back', async () => {
  const { saver, saved, answerWith } = begin();
  answerWith(refuse('connection-lost'));
  saver.changed(part('typed'));
  await saver.flush();
  expect(saver.state).toBe('failed');
  answerWith((revision) => Promise.resolve({ revision: revision + 1 }));
  await saver.flush();
  expect(saved.at(-1)).toEqual([1, 'typed']);
  expect(saver.state).toBe('saved');
});

test('typed and taken back: nothing to save', async () => {
  const { saver, saved } = begin();
  saver.changed(part('x'));
  saver.changed(part(''));
  await saver.flush();
  expect(saved).toEqual([]);
  expect(saver.state).toBe('saved');
});

test('a draft that was removed is not written again', async () => {
  const { saver, saved } = begin();
  saver.removedElsewhere();
  saver.changed(part('x'));
  await saver.flush();
  expect(saved).toEqual([]);
  expect(saver.state).toBe('gone');
});
