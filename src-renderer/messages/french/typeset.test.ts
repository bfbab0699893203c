import { expect, test } from 'vitest';
import { typeset } from './typeset.ts';

test('high punctuation keeps its space on its line, in values and in what functions return', () => {
  const words = typeset({
    sentence: 'Non protégé depuis 14:02 : n2 se tait ; voulez-vous continuer ?',
    deep: { quoted: (name: string) => `« ${name} » à 52 %.`, list: ['un : deux'] },
    command: 'ssh-keygen -l -f FICHIER ; http://10.0.0.1:80',
    count: 3,
  });
  expect(words.sentence).toBe('Non protégé depuis 14:02\u00a0: n2 se tait\u00a0; voulez-vous continuer\u00a0?');
  expect(words.deep.quoted('db')).toBe('«\u00a0db\u00a0» à 52\u00a0%.');
  expect(words.deep.list).toEqual(['un\u00a0: deux']);
  expect(words.command).toContain('10.0.0.1:80');
  expect(words.count).toBe(3);
});
