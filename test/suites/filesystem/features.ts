/**
 * POSIX and Linux, feature by feature: what a program sees through the mount beside the filesystem below. docs/posix.md is the table of
 * these names. Python, because it makes system calls as they are and is in every distribution.
 */
import { spawnSync } from 'node:child_process';
import type { CacheMode } from '../../../agent/fuse/index.ts';

/** A line that is another one through the mount, and why. Both sides are checked: a difference that has gone is a failure as well. */
export interface Difference {
  /** As the filesystem below prints it. */
  readonly below: string;
  readonly mounted: string;
  /** All when not given. */
  readonly caches?: readonly CacheMode[];
}

export interface Feature {
  readonly name: string;
  readonly program: string;
  readonly differences?: readonly Difference[];
}

const prelude = `
import ctypes, errno, fcntl, hashlib, mmap, os, resource, select, signal, socket, stat, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    answer = getattr(libc, name)(*[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    return answer if answer >= 0 else errno.errorcode[ctypes.get_errno()]
def tried(what, action):
    try: answer = action()
    except OSError as error: answer = errno.errorcode[error.errno]
    print(what, answer, flush=True)
def write(name, data):
    with open(name, 'wb') as f: f.write(data)
def read(name):
    with open(name, 'rb') as f: return f.read()
def rename(a, b, flags): return call('renameat2', -100, a.encode(), -100, b.encode(), flags)
def fallocate(fd, mode, offset, length): return call('fallocate', fd, mode, offset, length)
KEEP, PUNCH, COLLAPSE, ZERO, INSERT = 1, 2, 8, 16, 32
def link_open(fd, name): return call('linkat', -100, b'/proc/self/fd/%d' % fd, -100, name.encode(), 0x400)
def extents(fd):
    found, at, size = [], 0, os.fstat(fd).st_size
    while at < size:
        try: data = os.lseek(fd, at, os.SEEK_DATA)
        except OSError: break
        at = os.lseek(fd, data, os.SEEK_HOLE)
        found.append((data, at))
    return found
def as_user(action, uid=1000, gid=1000, groups=(), umask=0o022):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setgroups(list(groups)); os.setgid(gid); os.setuid(uid); os.umask(umask)
        try: action()
        except OSError as error: print('failed', errno.errorcode[error.errno])
        sys.stdout.flush(); os._exit(0)
    os.waitpid(child, 0)
def in_child(action):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        action(); sys.stdout.flush(); os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def mode(name): return oct(os.lstat(name).st_mode)
`;

/** The lines that a program prints in a directory; throws when it fails, so that equal failures on both sides are none. */
export function runProgram(program: string, directory: string): string[] {
  const { stdout, stderr, status, signal } = spawnSync('python3', ['-c', prelude + program], {
    cwd: directory,
    encoding: 'latin1',
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`${directory}: ${signal ?? status}\n${stdout}${stderr}`);
  return stdout.split('\n');
}

export const features: readonly Feature[] = [
  {
    name: 'hard links',
    program: `
write('a', b'one'); os.link('a', 'b'); os.mkdir('d'); os.link('b', 'd/c')
print(os.stat('a').st_nlink, os.stat('a').st_ino == os.stat('d/c').st_ino)
os.chmod('b', 0o640); os.truncate('d/c', 1); print(read('a'), mode('a'))
tried('directory', lambda: os.link('d', 'e')); tried('exists', lambda: os.link('a', 'b'))
os.symlink('a', 's'); os.link('s', 't', follow_symlinks=False); print(os.readlink('t'), os.lstat('t').st_nlink)
os.mkfifo('p'); os.link('p', 'q'); print(os.stat('q').st_nlink)
os.unlink('a'); print(os.stat('b').st_nlink, read('d/c'))
fd = os.open('b', os.O_RDONLY); os.unlink('b'); os.unlink('d/c'); print(os.fstat(fd).st_nlink)
print('relink what is gone', link_open(fd, 'z'))`,
  },
  {
    name: 'symbolic links',
    program: `
for target in ('x', '../x', '/abs/olute', 'l' * 4095, 'd/' * 100): os.symlink(target, 's'); print(os.readlink('s') == target, os.lstat('s').st_size, mode('s')); os.unlink('s')
tried('too long', lambda: os.symlink('l' * 4096, 's')); tried('empty', lambda: os.symlink('', 's'))
os.symlink('loop', 'loop'); tried('loop', lambda: os.stat('loop'))
os.symlink('nowhere', 'dangling'); tried('dangling', lambda: open('dangling')); tried('nofollow', lambda: os.open('dangling', os.O_NOFOLLOW))
tried('exclusive', lambda: os.open('dangling', os.O_CREAT | os.O_EXCL)); write('dangling', b'made'); print(read('nowhere'))
os.lchown('dangling', 5, 6); s = os.lstat('dangling'); print(s.st_uid, s.st_gid, os.stat('nowhere').st_uid)
as_user(lambda: print(os.readlink('dangling')))`,
  },
  {
    name: 'FIFOs, sockets and device nodes',
    program: `
os.mkfifo('p', 0o640); print(mode('p')); tried('nobody reads', lambda: os.open('p', os.O_WRONLY | os.O_NONBLOCK))
reader = os.open('p', os.O_RDONLY | os.O_NONBLOCK); os.write(os.open('p', os.O_WRONLY), b'through'); print(os.read(reader, 99))
s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen(); print(mode('s'))
c = socket.socket(socket.AF_UNIX); c.connect('s'); a = s.accept()[0]; c.send(b'hello'); print(a.recv(9))
os.rename('s', 'moved'); c = socket.socket(socket.AF_UNIX); c.connect('moved'); print('connected')
os.mknod('null', 0o666 | stat.S_IFCHR, os.makedev(1, 3)); print(os.lstat('null').st_rdev, os.write(os.open('null', os.O_WRONLY), b'gone'))
os.mknod('big', 0o600 | stat.S_IFBLK, os.makedev(259, 70000)); print(os.lstat('big').st_rdev)
os.mknod('plain', 0o600 | stat.S_IFREG); print(mode('plain'))
os.mkdir('open'); os.chmod('open', 0o777)
as_user(lambda: (os.mkfifo('open/p'), print(mode('open/p'), os.stat('open/p').st_uid), tried('device', lambda: os.mknod('open/d', stat.S_IFCHR, 3))))`,
  },
  {
    name: 'extended attributes',
    program: `
write('f', b''); os.symlink('f', 'l'); os.mkfifo('p'); os.mkdir('d')
for n in 'f', 'd': os.setxattr(n, 'user.a', b'1'); os.setxattr(n, 'trusted.b', bytes(range(256))); print(sorted(os.listxattr(n)), len(os.getxattr(n, 'trusted.b')))
tried('create', lambda: os.setxattr('f', 'user.a', b'2', os.XATTR_CREATE)); tried('replace', lambda: os.setxattr('f', 'user.z', b'2', os.XATTR_REPLACE))
os.setxattr('f', 'user.empty', b''); print(os.getxattr('f', 'user.empty'))
tried('longest name', lambda: os.setxattr('f', 'user.' + 'n' * 250, b'x')); tried('too long', lambda: os.setxattr('f', 'user.' + 'n' * 251, b'x'))
tried('large', lambda: os.setxattr('f', 'user.large', b'v' * 3000)); tried('too large', lambda: os.setxattr('f', 'user.huge', b'v' * 65537))
tried('on a link', lambda: os.setxattr('l', 'user.a', b'x', follow_symlinks=False)); tried('trusted on a link', lambda: os.setxattr('l', 'trusted.a', b'x', follow_symlinks=False))
tried('on a fifo', lambda: os.setxattr('p', 'user.a', b'x')); tried('unknown', lambda: os.setxattr('f', 'nothing.a', b'x'))
tried('absent', lambda: os.getxattr('f', 'user.none')); tried('remove', lambda: os.removexattr('f', 'user.empty')); tried('again', lambda: os.removexattr('f', 'user.empty'))
buffer = ctypes.create_string_buffer(10); print(call('getxattr', b'f', b'trusted.b', buffer, 10), call('getxattr', b'f', b'trusted.b', None, 0), call('listxattr', b'f', buffer, 5))
as_user(lambda: (print(sorted(os.listxattr('d'))), tried('trusted', lambda: os.getxattr('d', 'trusted.b')), tried('foreign', lambda: os.setxattr('d', 'user.c', b''))))`,
  },
  {
    name: 'POSIX ACLs, default ACLs and the umask',
    program: `
def acl(*entries): return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries)
U, USER, G, GROUP, MASK, OTHER, NONE = 1, 2, 4, 8, 16, 32, 0xffffffff
def shown(name, kind='access'):
    try: value = os.getxattr(name, 'system.posix_acl_' + kind)
    except OSError as error: return errno.errorcode[error.errno]
    return [struct.unpack_from('<HHI', value, at) for at in range(4, len(value), 8)]
os.mkdir('d'); os.chmod('d', 0o777); os.setxattr('d', 'system.posix_acl_default', acl((U, 7, NONE), (USER, 7, 1000), (G, 5, NONE), (GROUP, 5, 2000), (MASK, 7, NONE), (OTHER, 1, NONE)))
for mask in 0o022, 0o077, 0:
    os.umask(mask)
    def make(prefix):
        os.mkdir(prefix + 'd', 0o775); os.close(os.open(prefix + 'f', os.O_CREAT, 0o664)); os.mkfifo(prefix + 'p', 0o666); os.symlink('x', prefix + 'l')
        for n in 'dfp': print(prefix + n, mode(prefix + n), shown(prefix + n), shown(prefix + n, 'default'))
    make('d/root%o' % mask); make('plain%o' % mask); as_user(lambda: make('d/user%o' % mask), umask=mask)
os.umask(0o022); os.mkdir('d/root22d/sub'); print(shown('d/root22d/sub', 'default'))
os.chmod('d/root22f', 0o640); print(shown('d/root22f')); os.chmod('d/root22f', 0o604); print(mode('d/root22f'), shown('d/root22f'))
os.setxattr('d/root22f', 'system.posix_acl_access', acl((U, 6, NONE), (USER, 0, 1000), (G, 4, NONE), (MASK, 4, NONE), (OTHER, 4, NONE))); print(mode('d/root22f'))
as_user(lambda: tried('denied', lambda: open('d/root22f').read())); as_user(lambda: tried('allowed', lambda: open('d/root22f').read()), uid=1001, gid=1001)
os.setxattr('d/root22f', 'system.posix_acl_access', acl((U, 6, NONE), (G, 4, NONE), (OTHER, 0, NONE))); print(mode('d/root22f'), shown('d/root22f'))
os.removexattr('d', 'system.posix_acl_default'); print(shown('d', 'default'))
tried('malformed', lambda: os.setxattr('d', 'system.posix_acl_access', b'nonsense')); tried('default on a file', lambda: os.setxattr('d/root22f', 'system.posix_acl_default', acl((U, 6, NONE), (G, 4, NONE), (OTHER, 0, NONE))))
tried('on a link', lambda: os.setxattr('d/root22l', 'system.posix_acl_access', acl((U, 6, NONE), (G, 4, NONE), (OTHER, 0, NONE)), follow_symlinks=False))
os.chown('d/user22f', 1000, 2000); os.chmod('d/user22f', 0o2775)
as_user(lambda: (os.setxattr('d/user22f', 'system.posix_acl_access', acl((U, 7, NONE), (G, 7, NONE), (OTHER, 0, NONE))), print(mode('d/user22f'))))
as_user(lambda: tried('foreign', lambda: os.setxattr('d/root22f', 'system.posix_acl_access', acl((U, 7, NONE), (G, 7, NONE), (OTHER, 7, NONE)))))`,
  },
  {
    name: 'sparse files and fallocate',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.pwrite(fd, b'd' * (1 << 20), 0); os.ftruncate(fd, 8 << 20); os.pwrite(fd, b'e' * 65536, 6 << 20); os.fsync(fd)
print('punch', fallocate(fd, PUNCH | KEEP, 131072, 262144)); print('zero', fallocate(fd, ZERO, 524288, 65536)); print('zero keep', fallocate(fd, ZERO | KEEP, 8 << 20, 65536))
print('beyond', fallocate(fd, KEEP, 8 << 20, 1 << 20), os.fstat(fd).st_size); print('extend', fallocate(fd, 0, 8 << 20, 1 << 20), os.fstat(fd).st_size)
print('punch alone', fallocate(fd, PUNCH, 0, 4096)); print('unaligned', fallocate(fd, PUNCH | KEEP, 5, 10000)); print('nothing', fallocate(fd, 0, 0, 0)); print('negative', fallocate(fd, 0, -1, 5))
os.fsync(fd); print(os.fstat(fd).st_blocks, hashlib.sha256(read('f')).hexdigest())
print('readonly', fallocate(os.open('f', os.O_RDONLY), 0, 0, 4096)); print('directory', fallocate(os.open('.', os.O_RDONLY), 0, 0, 4096))
print('collapse', fallocate(fd, COLLAPSE, 0, 4096)); print('insert', fallocate(fd, INSERT, 0, 4096)); print(os.fstat(fd).st_size)
os.posix_fallocate(fd, 0, 10 << 20); print(os.fstat(fd).st_size)`,
    differences: [
      { below: 'collapse 0', mounted: 'collapse ENOTSUP' },
      { below: 'insert 0', mounted: 'insert ENOTSUP' },
    ],
  },
  {
    name: 'SEEK_DATA and SEEK_HOLE',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 4 << 20); os.pwrite(fd, b'x' * 65536, 1 << 20); os.pwrite(fd, b'x' * 65536, 3 << 20); os.close(fd)
fd = os.open('f', os.O_RDONLY); print('extents', extents(fd))
tried('past the end', lambda: os.lseek(fd, 5 << 20, os.SEEK_DATA)); tried('at the end', lambda: os.lseek(fd, 4 << 20, os.SEEK_HOLE)); tried('end', lambda: os.lseek(fd, 0, os.SEEK_END))
write('all', b'y' * 10000); print(extents(os.open('all', os.O_RDONLY)))
tried('directory', lambda: os.lseek(os.open('.', os.O_RDONLY), 0, os.SEEK_CUR))`,
    differences: [
      {
        below: 'extents [(1048576, 1114112), (3145728, 3211264)]',
        mounted: 'extents [(0, 4194304)]',
        caches: ['writeback'],
      },
    ],
  },
  {
    name: 'a copy sees what was written through a map',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 4 << 20); m = mmap.mmap(fd, 4 << 20); m[2 << 20:(2 << 20) + 5] = b'dirty'
found = extents(os.open('f', os.O_RDONLY)); print(any(a <= 2 << 20 < b for a, b in found))
subprocess.run(['cp', 'f', 'copy']); print(read('copy') == read('f'))
subprocess.run(['tar', '-S', '-cf', 't', 'f']); os.mkdir('x'); subprocess.run(['tar', '-xf', 't', '-C', 'x']); print(read('x/f') == read('f'))`,
  },
  {
    name: 'O_DIRECT',
    program: `
memory = mmap.mmap(-1, 1 << 20); memory.write(bytes(range(256)) * 4096)
fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_DIRECT); print(os.pwritev(fd, [memory], 0), os.pwritev(fd, [memoryview(memory)[:4096]], 8192))
into = mmap.mmap(-1, 1 << 20); print(os.preadv(fd, [into], 0), hashlib.sha256(into).hexdigest()); print(os.preadv(fd, [into], (1 << 20) - 4096))
print(hashlib.sha256(read('f')).hexdigest()); write('g', b'q' * 8192); print(os.preadv(os.open('g', os.O_RDONLY | os.O_DIRECT), [into], 4096), into[:4])
tried('unaligned', lambda: os.pwritev(fd, [memoryview(memory)[:100]], 3)); fcntl.fcntl(fd, fcntl.F_SETFL, 0); print(os.pwrite(fd, b'plain', 7)); print(read('f')[7:12])`,
    differences: [{ below: 'unaligned EINVAL', mounted: 'unaligned 100' }],
  },
  {
    name: 'O_APPEND',
    program: `
def lines(who):
    fd = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for n in range(500): os.write(fd, b'%s %06d\\n' % (who, n))
children = []
for who in b'a', b'b':
    child = os.fork()
    if child == 0: lines(who); os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
text = read('log').splitlines(); print(len(text), all(len(l) == 8 for l in text), [l for l in text if l[:1] == b'a'] == sorted(l for l in text if l[:1] == b'a'))
fd = os.open('log', os.O_WRONLY | os.O_APPEND); os.pwrite(fd, b'end', 0); print(os.fstat(fd).st_size, read('log')[-3:]); print(os.lseek(fd, 0, os.SEEK_CUR), os.write(fd, b'!'), os.lseek(fd, 0, os.SEEK_CUR))
os.ftruncate(fd, 1); os.write(fd, b'five'); print(read('log')[1:])`,
  },
  {
    name: 'O_TMPFILE and linkat',
    program: `
os.mkdir('d'); fd = os.open('d', os.O_TMPFILE | os.O_RDWR, 0o640); s = os.fstat(fd); print(s.st_nlink, oct(s.st_mode), os.listdir('d'))
os.write(fd, b'content'); os.fchmod(fd, 0o604); os.setxattr(fd, 'user.a', b'b'); os.ftruncate(fd, 100000); os.fsync(fd)
print(link_open(fd, 'd/linked')); print(os.fstat(fd).st_nlink, os.listdir('d'), mode('d/linked'), os.getxattr('d/linked', 'user.a'), len(read('d/linked')))
os.write(fd, b' more'); print(read('d/linked')[:12]); os.link('d/linked', 'again'); print(os.fstat(fd).st_nlink); os.unlink('d/linked'); os.unlink('again'); print(os.fstat(fd).st_nlink, os.pread(fd, 7, 0)); os.close(fd)
fd = os.open('.', os.O_TMPFILE | os.O_RDWR | os.O_EXCL); print('exclusive', link_open(fd, 'never'))
tried('read only', lambda: os.open('.', os.O_TMPFILE | os.O_RDONLY)); tried('not a directory', lambda: os.open('d/none', os.O_TMPFILE | os.O_RDWR))
os.mkdir('g'); os.chown('g', 0, 2000); os.chmod('g', 0o2777)
def user():
    f = os.open('g', os.O_TMPFILE | os.O_RDWR, 0o666); t = os.fstat(f); print(t.st_uid, t.st_gid, oct(t.st_mode)); print(link_open(f, 'g/mine'))
as_user(user, umask=0o027); print(mode('g/mine'))`,
  },
  {
    name: 'shared writable maps',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 1 << 20); m = mmap.mmap(fd, 1 << 20); m[0:5] = b'start'
def other():
    n = mmap.mmap(os.open('f', os.O_RDWR), 1 << 20)
    for at in range(0, 1 << 20, 4096): n[at + 10:at + 14] = b'abcd'
    n.flush()
in_child(other); print(m[10:14], m[8202:8206], os.pread(fd, 5, 0)); os.pwrite(fd, b'written', 100); print(m[100:107])
os.ftruncate(fd, 4096); print(in_child(lambda: print(m[8192])))
os.ftruncate(fd, 1 << 20); print(m[8192], m[0:5]); m[4000:4003] = b'end'; m.close(); os.close(fd); print(hashlib.sha256(read('f')).hexdigest())
r = os.open('f', os.O_RDONLY); tried('shared of a reader', lambda: mmap.mmap(r, 4096)); p = mmap.mmap(r, 4096, mmap.MAP_PRIVATE); p[0:3] = b'own'; print(read('f')[:3])
u = os.open('u', os.O_RDWR | os.O_CREAT); os.ftruncate(u, 8192); q = mmap.mmap(u, 8192); os.unlink('u'); q[5000:5004] = b'gone'; q.flush(); print(os.pread(u, 4, 5000))`,
  },
  {
    name: 'flock and fcntl locks',
    program: `
fd = os.open('l', os.O_RDWR | os.O_CREAT); other = os.open('l', os.O_RDWR); os.ftruncate(fd, 100)
fcntl.flock(fd, fcntl.LOCK_EX); tried('flock', lambda: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)); in_child(lambda: tried('child', lambda: fcntl.flock(os.open('l', os.O_RDWR), fcntl.LOCK_SH | fcntl.LOCK_NB)))
fcntl.flock(fd, fcntl.LOCK_UN); tried('free', lambda: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)); os.close(other)
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 20); in_child(lambda: (tried('range', lambda: fcntl.lockf(os.open('l', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 25)), tried('beside', lambda: fcntl.lockf(os.open('l', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 40))))
def asked(): print(struct.unpack('hhqqi', fcntl.fcntl(os.open('l', os.O_RDWR), fcntl.F_GETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0)))[0:4])
in_child(asked); os.close(os.open('l', os.O_RDWR)); in_child(lambda: tried('gone with any close', lambda: fcntl.lockf(os.open('l', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)))
OFD_SETLK = 37; a, b = os.open('l', os.O_RDWR), os.open('l', os.O_RDWR); lock = struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 50, 0)
fcntl.fcntl(a, OFD_SETLK, lock); tried('of an open file', lambda: fcntl.fcntl(b, OFD_SETLK, lock)); os.close(a); tried('after close', lambda: fcntl.fcntl(b, OFD_SETLK, lock) == lock)
fcntl.lockf(fd, fcntl.LOCK_UN); os.close(b)
r, w = os.pipe(); x, y = os.pipe()
def crossing():
    f = os.open('l', os.O_RDWR); fcntl.lockf(f, fcntl.LOCK_EX, 1, 61); os.write(w, b'.'); os.read(x, 1); fcntl.lockf(f, fcntl.LOCK_EX, 1, 60)
fcntl.lockf(fd, fcntl.LOCK_EX, 1, 60); child = os.fork()
if child == 0: crossing(); os._exit(0)
os.read(r, 1); os.write(y, b'.'); blocked = False
while not blocked: blocked = '->' in open('/proc/locks').read() and any(str(child) in l and '->' in l for l in open('/proc/locks'))
tried('deadlock', lambda: fcntl.lockf(fd, fcntl.LOCK_EX, 1, 61)); os.close(fd); os.waitpid(child, 0)
c = os.open('l', os.O_RDONLY); tried('write lock of a reader', lambda: fcntl.lockf(c, fcntl.LOCK_EX)); os.mkdir('d'); d = os.open('d', os.O_RDONLY); tried('directory', lambda: fcntl.flock(d, fcntl.LOCK_EX | fcntl.LOCK_NB))`,
  },
  {
    name: 'leases',
    program: `
write('f', b''); fd = os.open('f', os.O_RDONLY); tried('read lease', lambda: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)); tried('of a directory', lambda: fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK))`,
  },
  {
    name: 'rename with NOREPLACE, EXCHANGE and WHITEOUT',
    program: `
write('a', b'a'); write('b', b'b'); os.mkdir('d'); write('d/x', b'x')
print('noreplace', rename('a', 'b', 1), rename('a', 'c', 1)); print('exchange', rename('c', 'b', 2), read('c'), read('b')); print('exchange types', rename('b', 'd', 2), os.listdir('b'), read('d'))
print('exchange absent', rename('b', 'none', 2)); print('both', rename('b', 'd', 3)); print('unknown', rename('b', 'd', 64)); print('into itself', rename('b', 'b/x/y', 0), rename('b', 'b/z', 2))
write('b/y', b'y'); print('deep', rename('b/x', 'c', 2), read('c'), read('b/x')); os.link('c', 'e'); print('same file', rename('c', 'e', 0), sorted(os.listdir('.')), rename('c', 'e', 2), rename('c', 'e', 1))
os.symlink('d', 's'); print('link', rename('s', 'd', 2), os.path.islink('d'), read('s')); os.mkfifo('p'); print('fifo', rename('p', 'b', 2), stat.S_ISFIFO(os.lstat('b').st_mode))
print('whiteout', rename('e', 'w', 4))`,
    differences: [{ below: 'whiteout 0', mounted: 'whiteout EINVAL' }],
  },
  {
    name: 'open and unlinked files',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.write(fd, b'one'); os.unlink('f'); os.write(fd, b'two'); print(os.pread(fd, 9, 0), os.fstat(fd).st_nlink)
os.ftruncate(fd, 4); os.fchmod(fd, 0o600); os.fchown(fd, 7, 8); os.utime(fd, ns=(1, 2)); os.setxattr(fd, 'user.a', b'1'); print(fallocate(fd, 0, 0, 10000), os.fsync(fd)); s = os.fstat(fd); print(s.st_size, oct(s.st_mode), s.st_uid, s.st_gid, s.st_atime_ns, s.st_mtime_ns != 2, os.getxattr(fd, 'user.a'))
again = os.open('/proc/self/fd/%d' % fd, os.O_RDWR); os.pwrite(again, b'via', 0); print(os.pread(fd, 3, 0)); write('f', b'another'); print(os.pread(fd, 3, 0), read('f'))
write('x', b'x'); write('y', b'y'); y = os.open('y', os.O_RDONLY); os.rename('x', 'y'); print(os.read(y, 9), os.fstat(y).st_nlink, read('y'))
os.mkdir('d'); d = os.open('d', os.O_RDONLY); os.chdir('d'); os.rmdir('../d'); tried('in a removed directory', lambda: os.mkdir('x')); print(os.listdir(d), os.fstat(d).st_nlink); tried('create', lambda: open('z', 'w')); tried('getcwd', os.getcwd); tried('up', lambda: os.stat('..').st_ino == os.stat('/proc/self/cwd/..').st_ino)`,
  },
  {
    name: 'times of nanoseconds',
    program: `
write('f', b''); os.symlink('f', 'l'); os.mkdir('d')
for n in 'f', 'd': os.utime(n, ns=(1234567890123456789, 987654321987654321)); s = os.stat(n); print(s.st_atime_ns, s.st_mtime_ns)
for t in -1, -2 ** 31 * 10 ** 9, 2 ** 33 * 10 ** 9 + 1: os.utime('l', ns=(t, t), follow_symlinks=False); s = os.lstat('l'); print(s.st_atime_ns, s.st_mtime_ns)
now = os.stat('f').st_mtime_ns; write('f', b'later'); print(os.stat('f').st_mtime_ns > now, os.stat('f').st_ctime_ns >= os.stat('f').st_mtime_ns)
os.utime('f', ns=(5, 6)); c = os.stat('f').st_ctime_ns; os.chmod('f', 0o600); s = os.stat('f'); print(s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns >= c); os.rename('f', 'g'); print(os.stat('g').st_mtime_ns)
os.utime('d', ns=(5, 6)); write('d/x', b''); print(os.stat('d').st_mtime_ns > 6); os.utime('d', ns=(5, 6)); os.link('d/x', 'd/y'); print(os.stat('d').st_mtime_ns > 6); os.utime('d', ns=(5, 6)); os.unlink('d/y'); print(os.stat('d').st_mtime_ns > 6)
fd = os.open('g', os.O_RDWR); os.utime('g', ns=(5, 6)); m = mmap.mmap(fd, 5); m[0:1] = b'L'; m.flush(); os.fsync(fd); print(os.stat('g').st_mtime_ns > 6); os.utime('g', ns=(5, 6)); os.ftruncate(fd, 5); print(os.stat('g').st_mtime_ns > 6)
os.chmod('d', 0o755); os.chmod('g', 0o666); as_user(lambda: (tried('now by anybody who may write', lambda: os.utime('g')), tried('other times', lambda: os.utime('g', ns=(1, 1)))))
class Statx(ctypes.Structure): _fields_ = [('mask', ctypes.c_uint32), ('pad', ctypes.c_uint8 * 252)]
x = Statx(); print('birth', call('statx', -100, b'g', 0, 0x800, ctypes.byref(x)), x.mask & 0x800)
print('attributes', call('statx', -100, b'g', 0, 0x7ff, ctypes.byref(x)), x.mask & 0x7ff)`,
    differences: [{ below: 'birth 0 2048', mounted: 'birth 0 0' }],
  },
  {
    name: 'set-user-id and set-group-id bits fall',
    program: `
os.chmod('.', 0o777)
def acts(n):
    yield 'write', lambda: os.write(os.open(n, os.O_WRONLY), b'x')
    yield 'append', lambda: os.write(os.open(n, os.O_WRONLY | os.O_APPEND), b'x')
    yield 'direct', lambda: os.pwritev(os.open(n, os.O_WRONLY | os.O_DIRECT), [mmap.mmap(-1, 4096)], 0)
    yield 'truncate', lambda: os.truncate(n, 1)
    yield 'open truncating', lambda: os.open(n, os.O_WRONLY | os.O_TRUNC)
    yield 'allocate', lambda: fallocate(os.open(n, os.O_WRONLY), 0, 0, 9999)
    yield 'punch', lambda: fallocate(os.open(n, os.O_WRONLY), PUNCH | KEEP, 0, 4096)
    yield 'copy', lambda: os.copy_file_range(os.open('source', os.O_RDONLY), os.open(n, os.O_WRONLY), 5)
    yield 'chmod', lambda: os.chmod(n, 0o6777)
write('source', b'source')
for bits in 0o6777, 0o4755, 0o2775, 0o2745:
    for index in range(9):
        for who in 'user', 'root':
            write('f', b'content' * 2000); os.chown('f', 1000, 1000); os.chmod('f', bits | 0o022)
            name, act = list(acts('f'))[index]
            if who == 'user': as_user(act, uid=1000 if 'ch' in name else 1001, gid=1000 if 'ch' in name else 1001)
            else: in_child(act)
            print(oct(bits), name, who, mode('f')); os.unlink('f')
write('g', b''); os.chown('g', 0, 3000); os.chmod('g', 0o2770); os.chown('g', 1000, 3000); print(mode('g')); os.chmod('g', 0o2770); as_user(lambda: (os.chmod('g', 0o2770), print('foreign group', mode('g')))); as_user(lambda: (os.chmod('g', 0o2770), print('own group', mode('g'))), groups=[3000])
os.mkdir('d'); os.chmod('d', 0o6755); os.chown('d', 5, 6); print(mode('d'))
os.chmod('g', 0o4755); os.chown('g', -1, -1); print('chown that changes nothing', mode('g'))`,
    differences: [{ below: 'chown that changes nothing 0o100755', mounted: 'chown that changes nothing 0o104755' }],
  },
  {
    name: 'directories give their group on',
    program: `
os.mkdir('g'); os.chown('g', 0, 2000); os.chmod('g', 0o2777)
def make(prefix):
    os.mkdir('g/%sd' % prefix, 0o777); os.close(os.open('g/%sf' % prefix, os.O_CREAT, 0o2775)); os.close(os.open('g/%sn' % prefix, os.O_CREAT, 0o2765)); os.mkdir('g/%se' % prefix, 0o2770); os.mknod('g/%sm' % prefix, 0o2775 | stat.S_IFREG)
    for n in 'dfnem': s = os.stat('g/' + prefix + n); print(prefix + n, oct(s.st_mode), s.st_uid, s.st_gid)
as_user(lambda: make('stranger')); as_user(lambda: make('member'), groups=[1, 2000, 3000]); as_user(lambda: make('own'), gid=2000); make('root')`,
  },
  {
    name: 'sticky directories and permissions',
    program: `
os.mkdir('s'); os.chmod('s', 0o1777); write('s/r', b''); as_user(lambda: write('s/a', b'')); os.mkdir('x'); os.chmod('x', 0o700); write('x/f', b'')
def other():
    for n in 'r', 'a': tried('unlink ' + n, lambda: os.unlink('s/' + n)); tried('rename ' + n, lambda: os.rename('s/' + n, 's/z')); print('exchange', rename('s/' + n, 's/own', 2))
    tried('own', lambda: os.unlink('s/own'))
as_user(lambda: write('s/own', b''), uid=1001); as_user(other, uid=1001); as_user(lambda: tried('of the owner', lambda: os.unlink('s/a')))
as_user(lambda: (tried('through', lambda: os.stat('x/f')), tried('list', lambda: os.listdir('x')), tried('chmod', lambda: os.chmod('s', 0)), tried('chown', lambda: os.chown('s/r', 1000, -1)), tried('link', lambda: os.link('s/r', 's/l')), tried('write', lambda: open('s/r', 'w')), tried('noatime', lambda: os.open('s/r', os.O_NOATIME))))
write('m', b''); os.chown('m', 1000, 1000); as_user(lambda: (tried('to a group of mine', lambda: os.chown('m', -1, 3000)), tried('to another', lambda: os.chown('m', -1, 4000))), groups=[3000]); print(os.stat('m').st_gid)
os.chmod('m', 0o060); as_user(lambda: tried('owner', lambda: open('m'))); as_user(lambda: tried('group', lambda: open('m').read()), uid=1001, gid=5, groups=[3000]); print(os.access('m', os.X_OK))`,
  },
  {
    name: 'programs run with their rights',
    program: `
subprocess.run(['cp', '/usr/bin/id', 'id']); os.chown('id', 1234, 0); os.chmod('id', 0o4755); as_user(lambda: print(subprocess.run(['./id', '-u'], capture_output=True).stdout))
subprocess.run(['cp', '/bin/sleep', 'sleep']); running = subprocess.Popen(['./sleep', '100'])
while os.path.basename(os.readlink('/proc/%d/exe' % running.pid)) != 'sleep': pass
tried('busy', lambda: os.open('sleep', os.O_WRONLY)); running.kill(); running.wait(); tried('free', lambda: os.close(os.open('sleep', os.O_WRONLY)))
fd = os.open('sleep', os.O_WRONLY); tried('being written', lambda: subprocess.run(['./sleep', '0'])); write('script', b'#!/bin/sh\\necho ran $0\\n'); os.chmod('script', 0o755); print(subprocess.run(['./script'], capture_output=True).stdout)`,
  },
  {
    name: 'names of any bytes, 255 long',
    program: `
names = [bytes([b]) for b in range(1, 256) if b not in (0x2e, 0x2f)] + [b'\\xff\\xfe' * 127, b'n' * 255, b'...', b'a\\nb', b'\\xc3\\x28', 'e\\u0301'.encode(), '\\u00e9'.encode()]
for n in names: write(n, n)
print(sorted(os.listdir(b'.')) == sorted(names), all(read(n) == n for n in names))
for n in names: os.rename(n, n[:254] + b'~')
print(len(os.listdir(b'.'))); tried('too long', lambda: write(b'n' * 256, b'')); tried('directory too long', lambda: os.mkdir(b'n' * 256)); tried('looked up too long', lambda: os.stat(b'n' * 256)); tried('longest path', lambda: os.stat(b'a/' * 2047 + b'b')); tried('too long a path', lambda: os.stat(b'./' * 2048)); tried('empty', lambda: os.stat(b''))
os.mkdir('d'); tried('dot', lambda: os.rmdir('d/.')); tried('dot dot', lambda: os.rename('d/..', 'x')); tried('slash', lambda: os.unlink('d/')); tried('of a file', lambda: os.stat('~n/'))`,
  },
  {
    name: 'large directories, read while they change',
    program: `
libc.opendir.restype = ctypes.c_void_p; libc.telldir.restype = ctypes.c_long
os.mkdir('d')
for n in range(4000): os.close(os.open('d/%06d' % n, os.O_CREAT))
print(len(os.listdir('d')), len({e.inode() for e in os.scandir('d')}), all(e.inode() == os.stat('d/' + e.name).st_ino for e in list(os.scandir('d'))[::97]))
class Dirent(ctypes.Structure): _fields_ = [('ino', ctypes.c_uint64), ('off', ctypes.c_int64), ('len', ctypes.c_uint16), ('type', ctypes.c_uint8), ('name', ctypes.c_char * 256)]
libc.readdir.restype = ctypes.POINTER(Dirent); d = ctypes.c_void_p(libc.opendir(b'd')); seen, marks = [], []
while True:
    at = libc.telldir(d); e = libc.readdir(d)
    if not e: break
    seen.append(e.contents.name); marks.append(at)
    if len(seen) % 2 == 0: os.close(os.open('d/new%d' % len(seen), os.O_CREAT)); os.path.exists('d/%06d' % (len(seen) // 2)) and os.unlink('d/%06d' % (len(seen) // 2))
print(len(seen) == len(set(seen)), {b'%06d' % n for n in range(2500, 4000)} <= set(seen)); ok = True
for k in range(0, len(seen), 500):
    libc.seekdir(d, ctypes.c_long(marks[k])); e = libc.readdir(d); ok = ok and bool(e) and (e.contents.name == seen[k] or not os.path.exists(b'd/' + seen[k]))
print(ok); libc.rewinddir(d); count = 0
while libc.readdir(d): count += 1
print(count == len(os.listdir('d')) + 2)
for n in os.listdir('d'): os.unlink('d/' + n)
print(os.listdir('d'), os.rmdir('d'))`,
  },
  {
    name: 'statfs',
    program: `
s = os.statvfs('.'); print(s.f_bsize, s.f_frsize, s.f_blocks, s.f_files, s.f_namemax, s.f_bfree - s.f_bavail); before = s.f_bfree
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.posix_fallocate(fd, 0, 20 << 20); os.fsync(fd); print((before - os.statvfs('.').f_bfree) * s.f_frsize >= 20 << 20, os.fstatvfs(fd).f_blocks == s.f_blocks)
os.unlink('f'); os.close(fd); print('%x' % (os.stat('.').st_blksize))`,
  },
  {
    name: 'inotify',
    program: `
i = libc.inotify_init1(os.O_NONBLOCK); os.mkdir('d'); libc.inotify_add_watch(i, b'd', 0xfff); write('elsewhere', b'')
fd = os.open('d/a', os.O_CREAT | os.O_RDWR); os.write(fd, b'x'); os.ftruncate(fd, 9); os.close(fd); os.chmod('d/a', 0o600); os.rename('d/a', 'd/b'); os.rename('elsewhere', 'd/c'); os.link('d/b', 'd/e'); os.mkdir('d/s'); os.symlink('x', 'd/l'); os.setxattr('d/b', 'user.a', b''); read('d/b')
os.unlink('d/b'); os.rmdir('d/s'); os.rename('d/c', 'out'); os.listdir('d'); rename('d/e', 'd/l', 2); os.unlink('d/l'); os.unlink('d/e'); os.rmdir('d')
data = os.read(i, 65536); at = 0
while at < len(data): w, m, c, n = struct.unpack_from('iIII', data, at); print('%x' % m, data[at + 16:at + 16 + n].rstrip(b'\\0')); at += 16 + n`,
  },
  {
    name: 'copy_file_range, sendfile and splice',
    program: `
write('f', bytes(range(256)) * 4096); a = os.open('f', os.O_RDONLY); b = os.open('g', os.O_RDWR | os.O_CREAT); done = 0
while True:
    n = os.copy_file_range(a, b, 1 << 30)
    if n == 0: break
    done += n
print(done, read('g') == read('f')); print(os.copy_file_range(a, b, 100, 5, 200), os.pread(b, 3, 200)); print(os.copy_file_range(b, b, 4096, 0, 1 << 21), os.fstat(b).st_size)
tried('overlapping', lambda: os.copy_file_range(b, b, 4096, 0, 100)); tried('past the end', lambda: os.copy_file_range(a, b, 100, 9 << 20)); tried('to a reader', lambda: os.copy_file_range(b, a, 5, 0, 0)); tried('to an appender', lambda: os.copy_file_range(a, os.open('g', os.O_WRONLY | os.O_APPEND), 5, 0))
c = os.open('h', os.O_RDWR | os.O_CREAT); print(os.sendfile(c, a, 0, 70000), read('h') == read('f')[:70000]); r, w = os.pipe(); os.write(w, b'piped'); print(os.splice(r, c, 5, offset_dst=10), os.pread(c, 5, 10), os.splice(a, w, 100, offset_src=3), os.read(r, 3))
print(os.pwritev(c, [b'a' * 10, b'b' * 5], 0, os.RWF_DSYNC), os.preadv(c, [bytearray(5), bytearray(20)], 5)); print(os.pwritev(c, [b'at the end'], 0, 16), os.fstat(c).st_size)`,
  },
  {
    name: 'limits of sizes',
    program: `
signal.signal(signal.SIGXFSZ, signal.SIG_IGN); fd = os.open('f', os.O_RDWR | os.O_CREAT)
def limited(): resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); print(os.pwrite(fd, b'x' * 10000, 0)); tried('limit', lambda: os.pwrite(fd, b'x', 8192)); tried('truncate', lambda: os.ftruncate(fd, 9000)); print('allocate', fallocate(fd, 0, 0, 9000))
in_child(limited); print(os.fstat(fd).st_size); tried('sparse', lambda: (os.ftruncate(fd, (1 << 44) - 4096), os.pwrite(fd, b'far', (1 << 44) - 4096 - 3), os.pread(fd, 3, (1 << 44) - 4096 - 3)))
tried('negative', lambda: os.pwrite(fd, b'', -1)); print(os.pwrite(fd, b'', 5), os.pread(fd, 5, 1 << 45)); tried('huge', lambda: os.ftruncate(fd, (1 << 63) - 1)); os.ftruncate(fd, 0)`,
  },
  {
    name: 'syncing',
    program: `
os.mkdir('d'); write('f', b'x'); os.mkfifo('p'); d = os.open('d', os.O_RDONLY)
for n in range(3): tried('directory', lambda: os.fsync(d)); tried('directory data', lambda: os.fdatasync(d)); tried('reader', lambda: os.fsync(os.open('f', os.O_RDONLY)))
tried('path only', lambda: os.fsync(os.open('f', os.O_PATH))); fd = os.open('f', os.O_RDWR | os.O_SYNC); print(os.write(fd, b'sync'), call('sync_file_range', fd, 0, 0, 7), call('syncfs', fd)); tried('fifo', lambda: os.fsync(os.open('p', os.O_RDWR)))
m = mmap.mmap(fd, 4); m[0:2] = b'SY'; print(m.flush(), read('f'))`,
  },
  {
    name: 'inode flags, clones, maps of extents and handles',
    program: `
fd = os.open('f', os.O_RDWR | os.O_CREAT); os.write(fd, b'x' * 5000); g = os.open('g', os.O_RDWR | os.O_CREAT)
tried('flags', lambda: fcntl.ioctl(fd, 0x80086601, b'\\0' * 8) != b''); tried('clone', lambda: fcntl.ioctl(g, 0x40049409, fd)); tried('extents', lambda: fcntl.ioctl(fd, 0xc020660b, struct.pack('QQIIII', 0, 1 << 40, 0, 0, 0, 0)) != b''); os.fsync(fd); tried('blocks', lambda: struct.unpack('i', fcntl.ioctl(fd, 1, struct.pack('i', 0)))[0] > 0)
tried('version', lambda: len(fcntl.ioctl(fd, 0x80087601, b'\\0' * 8))); tried('readable', lambda: struct.unpack('i', fcntl.ioctl(fd, 0x541b, b'\\0' * 4))[0])
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + b'\\0' * 128, 136); mount = ctypes.c_int(); print('handle', call('name_to_handle_at', -100, b'f', handle, ctypes.byref(mount), 0)); found = call('open_by_handle_at', os.open('.', os.O_RDONLY), handle, 0); print('opened', found if isinstance(found, str) else os.pread(found, 1, 0))`,
    differences: [
      { below: 'flags True', mounted: 'flags ENOTTY' },
      { below: 'extents True', mounted: 'extents ENOTSUP' },
      { below: 'blocks True', mounted: 'blocks False' },
      { below: 'version 8', mounted: 'version ENOTTY' },
    ],
  },
  {
    name: 'access times',
    program: `
write('f', b'x'); os.utime('f', ns=(5, 10 ** 18)); fd = os.open('f', os.O_RDONLY | os.O_NOATIME); os.read(fd, 1); print('noatime', os.stat('f').st_atime_ns); read('f'); print('read', os.stat('f').st_atime_ns > 5)
os.utime('f', ns=(7, 8)); print(os.stat('f').st_atime_ns)`,
    differences: [{ below: 'read True', mounted: 'read False' }],
  },
];
