import { expect, test } from 'vitest';
import { isProcess, judgeLink, mountPoints } from './factory-linux.ts';

test('answers of the kernel', () => {
  expect(isProcess('12 (postgres) S 1 12', 'postgres')).toBe(true);
  expect(isProcess('12 (postgres) Z 1 12', 'postgres')).toBe(false);
  expect(isProcess('12 (a) b) R 1 12', 'a) b')).toBe(true);
  expect(isProcess('12 (a-very-long-nam) S 1', 'a-very-long-name-of-a-program')).toBe(true);
  expect(judgeLink('down\n')).toEqual({ code: 'link-down', found: 'down' });
  expect(judgeLink('unknown\n').code).toBe('good');
  expect(mountPoints('1 2 0:1 / /data/with\\040blank rw - ext4 x rw\n')).toContain('/data/with blank');
});
