import { expect, it } from 'vitest';
import { parseMountInfo } from './mount-table.ts';
import { follows, followingGroups } from './propagation.ts';

const table = (...lines: string[]): ReturnType<typeof parseMountInfo> => parseMountInfo(Buffer.from(lines.join('\n')));
const host = table('22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw');
/** As Linux 6.1 shows it in a container of Docker: `-v /srv/db:/db`, `…:rslave`, `…:rshared`, and a slave that others follow in turn. */
const without = table('910 900 254:0 /srv/db /db rw - ext4 /dev/vda rw')[0]!;
const slave = table('911 900 254:0 /srv/db /db rw master:1 - ext4 /dev/vda rw')[0]!;
const peer = table('912 900 254:0 /srv/db /db rw shared:1 - ext4 /dev/vda rw')[0]!;
const middle = table('913 900 254:0 / / rw shared:7 master:1 - ext4 /dev/vda rw');
const far = table('914 900 254:0 / / rw shared:9 master:7 - ext4 /dev/vda rw');
const end = table('915 900 254:0 / / rw master:9 - ext4 /dev/vda rw')[0]!;

it('follow: peers and slaves, and slaves of slaves; nothing else', () => {
  const groups = followingGroups(host[0]!, [[end], far, host, middle]);
  expect([without, slave, peer, middle[0]!, far[0]!, end].map((entry) => follows(entry, groups))).toEqual([
    false,
    true,
    true,
    true,
    true,
    true,
  ]);
});

it('nothing follows a mount that is private here', () => {
  const own = table('22 1 254:0 / / rw - ext4 /dev/vda rw')[0]!;
  const groups = followingGroups(own, [host, middle]);
  expect([slave, peer, without].map((entry) => follows(entry, groups))).toEqual([false, false, false]);
});
