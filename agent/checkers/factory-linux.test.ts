import { expect, test } from 'vitest';
import { filesystemTypeOf, isProcess, judgeLink, mountPoints } from './factory-linux.ts';

test('answers of the kernel', () => {
  expect(isProcess('12 (postgres) S 1 12', 'postgres')).toBe(true);
  expect(isProcess('12 (postgres) Z 1 12', 'postgres')).toBe(false);
  expect(isProcess('12 (a) b) R 1 12', 'a) b')).toBe(true);
  expect(isProcess('12 (a-very-long-nam) S 1', 'a-very-long-name-of-a-program')).toBe(true);
  expect(judgeLink('down\n')).toEqual({ code: 'link-down', found: 'down' });
  expect(judgeLink('unknown\n').code).toBe('good');
  expect(mountPoints('1 2 0:1 / /data/with\\040blank rw - ext4 x rw\n')).toContain('/data/with blank');
});

test('the file system of a path, the one that was mounted last', () => {
  const mounts = '1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /run rw - tmpfs b rw\n3 2 0:3 / /run/vm rw - fuse.x c rw\n';
  expect(['/etc/a', '/run/a', '/run/vm/a', '/run/vms'].map((at) => filesystemTypeOf(mounts, at))).toEqual([
    ...['ext4', 'tmpfs', 'fuse.x', 'tmpfs'],
  ]);
  expect(filesystemTypeOf(`${mounts}4 2 0:4 / /run/vm rw shared:1 - nfs4 d rw\n`, '/run/vm')).toBe('nfs4');
});
