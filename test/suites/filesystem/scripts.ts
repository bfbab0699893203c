/** Shell scripts that must print the same on a served directory as on a plain one. Each starts in an empty directory of its own. */

export interface Script {
  readonly name: string;
  readonly text: string;
  /** Programs that it needs. */
  readonly needs?: readonly string[];
}

const asUser = 'setpriv --reuid=1000 --regid=1000 --clear-groups';

export const scripts: readonly Script[] = [
  {
    name: 'set-id bits fall when somebody else writes, truncates or the owner changes',
    text: `
      for act in 'echo x >> f' ': > f' 'truncate -s 1 f' 'chmod g+w f' 'dd if=/dev/zero of=f bs=1 count=1 conv=notrunc'; do
        for mode in 6777 4755 2745 2777 0777; do
          rm -f f; echo hello > f; chown 1000:1000 f; chmod $mode f
          ${asUser} sh -c "$act" 2>/dev/null; echo "$act $mode user: $(stat -c %a f)"
          rm -f f; echo hello > f; chmod $mode f; sh -c "$act" 2>/dev/null; echo "$act $mode root: $(stat -c %a f)"
          chown 1001 f; echo "chown: $(stat -c %a f)"
        done
      done; rm -f f`,
  },
  {
    name: 'what a user makes is his, with his umask',
    text: `
      chmod 777 .
      for mask in 022 077 000 027; do
        ${asUser} sh -c "umask $mask; mkdir d; touch f; mkfifo p; ln -s f l; : > o; mkdir -m 1775 e"
        stat -c '%n %a %u %g %F' d f p l o e; rm -rf d f p l o e
      done`,
  },
  {
    name: 'a directory with set-group-id gives its group on',
    text: `
      mkdir g; chown 0:2000 g; chmod 2777 g
      ${asUser} sh -c 'umask 002; cd g; mkdir d; touch f; install -m 2755 /bin/true s; mkdir d/e'
      stat -c '%n %a %u %g' g g/d g/f g/s g/d/e`,
  },
  {
    name: 'permissions are kept',
    text: `
      mkdir closed; echo secret > closed/f; chmod 700 closed; echo mine > own; chmod 600 own; mkdir sticky; chmod 1777 sticky; touch sticky/r
      ${asUser} sh -c 'cat closed/f; cat own; echo x > own; rm sticky/r; mv sticky/r sticky/q; mkdir sticky/u; chmod 777 own; chown 1000 own; ln own sticky/l; touch own' 2>&1 | sed 's/^[^:]*: //'
      ls -R . ; stat -c '%n %a %u' own`,
  },
  {
    name: 'ACLs: default ones are inherited and the umask is ignored',
    needs: ['setfacl', 'getfacl'],
    text: `
      mkdir a; chmod 777 a; setfacl -d -m u:1000:rwx,g:2000:r-x,o::- a; setfacl -m u:1001:r a
      umask 077; mkdir a/d; touch a/f; sh -c 'umask 0; touch a/g; mkdir a/h; mkdir a/d/x'
      ${asUser} touch a/u
      getfacl -n -R a; stat -c '%n %a' a a/*
      chmod 640 a/f; getfacl -n a/f; setfacl -m m::r a/g; stat -c %a a/g; setfacl -b a/g; getfacl -n a/g; setfacl -k a; getfacl -n a
      echo data > a/f; ${asUser} cat a/f; setfacl -x u:1000 a/f; ${asUser} cat a/f 2>&1 | sed 's/^[^:]*: //'
      cp -a a b; getfacl -n -R b | md5sum`,
  },
  {
    name: 'extended attributes',
    needs: ['setfattr', 'getfattr'],
    text: `
      touch f; setfattr -n user.a -v 1 f; setfattr -n trusted.b -v 2 f; setfattr -n user.empty f
      getfattr -d -m - f; ${asUser} getfattr -d -m - f; setfattr -x user.a f; getfattr -d -m - f; setfattr -x user.a f 2>&1
      ${asUser} setfattr -n user.z -v 1 f 2>&1; head -c 3000 /dev/zero | tr '\\0' x > v; setfattr -n user.big -v "$(cat v)" f; getfattr -n user.big --only-values f | md5sum
      cp -a f g; getfattr -d -m - g | md5sum; ln -s f l; setfattr -h -n trusted.l -v x l; getfattr -h -d -m - l`,
  },
  {
    name: 'capabilities of a program fall when it is written',
    needs: ['setcap', 'getcap'],
    text: `cp /bin/true t; setcap cap_net_raw+ep t; getcap t; echo >> t; getcap t; setcap cap_net_raw+ep t; chown 5 t; getcap t; setcap cap_net_raw+ep t; : > t; getcap t`,
  },
  {
    name: 'a file that was unlinked while open goes on living',
    text: `
      exec 3<>f; echo one >&3; rm f; echo two >&3; stat -L -c '%h %s' /proc/self/fd/3; cat /proc/self/fd/3; exec 4</proc/self/fd/3; cat <&4
      truncate -s 3 /proc/self/fd/3; chmod 600 /proc/self/fd/3; stat -L -c '%a %s' /proc/self/fd/3; exec 3>&- 4<&-; ls
      echo a > x; echo b > y; exec 5<y; mv x y; cat <&5; cat y; exec 5<&-
      mkdir d; cd d; rmdir ../d; touch f 2>&1 | sed 's/^[^:]*: //'; ls; cd ..`,
  },
  {
    name: 'hard links are one file',
    text: `
      echo 1 > a; ln a b; mkdir d; ln b d/c; echo 2 >> d/c; cat a; stat -c '%n %h %s' a b d/c; rm a; echo 3 >> b; cat d/c; mv b d/c; ls -R; mv d/c e; stat -c %h e
      [ "$(stat -c %i e)" = "$(stat -c %i d/../e)" ] && echo same; ln -s e s; ln s t; readlink t; stat -c %h s`,
  },
  {
    name: 'sparse files',
    text: `
      truncate -s 100M f; seq 1 9999 | head -c 16384 > r; dd if=r of=f bs=4k seek=1000 conv=notrunc 2>/dev/null; cp --sparse=always f g; cmp f g && echo equal
      cp f h; cmp f h && echo equal; fallocate -p -o 4096000 -l 8192 f; md5sum < f > one; cp f i; md5sum < i > two; cmp one two && echo punched
      fallocate -l 1M j; stat -c '%s' j; fallocate -n -l 2M j; stat -c %s j; fallocate -z -o 100 -l 5000 r; stat -c %s r; cmp -n 100 r g 2>&1 | wc -l; head -c 5100 r | tail -c 5000 | tr -d '\\0' | wc -c
      [ $(du -k f | cut -f1) -lt 200 ] && echo sparse; rm r one two`,
  },
  {
    name: 'a fresh copy is complete, also when it was not written back yet',
    text: `for i in 1 2 3 4 5 6 7 8; do head -c 3000000 /dev/urandom > a$i; cp a$i b$i; cmp a$i b$i && echo equal; cp --reflink=auto b$i c$i; cmp a$i c$i; done; rm -f a* b* c*`,
  },
  {
    name: 'locks between processes',
    needs: ['flock'],
    text: `touch l; (flock -x 9; sleep 0.3; echo first) 9>l & sleep 0.1; flock -n l true || echo busy; flock -x l echo second; wait`,
  },
  {
    name: 'direct and synchronous writes',
    text: `
      dd if=/dev/zero of=a bs=64k count=8 oflag=direct 2>/dev/null; dd if=/dev/zero of=b bs=4k count=8 oflag=dsync 2>/dev/null; dd if=/dev/zero of=c bs=4k count=8 oflag=sync,append 2>/dev/null
      dd if=a of=d bs=64k iflag=direct oflag=direct 2>/dev/null; cmp a d; stat -c '%n %s' a b c d; sync -d a; sync b; sync -f c; sync .`,
  },
  {
    name: 'times',
    text: `
      touch -d '1969-12-31 23:59:58.5 UTC' a; touch -d '2200-01-01 00:00:00.123456789 UTC' b; stat -c '%n %y %x' a b; touch -h -d 2001-01-01T00:00:00Z s 2>/dev/null; ln -s a s; touch -h -d 2001-01-01T00:00:00Z s; stat -c %y s
      echo x > c; touch -d 2005-05-05T05:05:05Z c; cat c; stat -c %y c; mkdir d; touch -d 2001-01-01T00:00:00Z d; echo > d/f; [ $(stat -c %Y d) -gt 1500000000 ] && echo moved
      cp -p c e; stat -c %y e; chmod 600 c; stat -c %y c; mv c d/; stat -c %y d/c; echo y >> d/c; [ $(stat -c %Y d/c) -gt 1500000000 ] && echo written`,
  },
  {
    name: 'special files',
    text: `
      mkfifo p; (echo through > p &) ; cat p; mknod z c 1 3; echo gone > z; mknod b b 7 200; stat -c '%n %F %t %T' p z b; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'; stat -c %F s; rm p z b s; ls`,
    needs: ['python3'],
  },
  {
    name: 'tar there and back',
    text: `
      mkdir -p t/u/v; echo x > t/a; ln t/a t/u/b; ln -s ../a t/u/l; truncate -s 5M t/sparse; echo end >> t/sparse; mkfifo t/p; chmod 4751 t/a; chown 5:6 t/u; touch -d 2010-10-10T10:10:10.5Z t/a t/u/v
      setfattr -n user.k -v v t/a 2>/dev/null; tar --xattrs --acls -S -cf t.tar t; mkdir x; tar --xattrs --acls -xpf t.tar -C x; tar -df t.tar -C x && echo equal
      (cd x && find . -printf '%p %m %U %G %n %s %y %T@\\n' | grep -v ' d ' | sort | grep -v 1[79][0-9]*[.]); tar cf - /usr/share/doc/tar /usr/bin 2>/dev/null | tar xf -; diff -r --no-dereference /usr/bin usr/bin && echo same; rm -rf usr x t t.tar`,
    needs: ['tar'],
  },
  {
    name: 'git works',
    text: `
      export HOME=$PWD GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
      git init -q -b main r; cd r; git config user.name n; git config user.email e@x; git config gc.auto 0
      for i in $(seq 1 40); do mkdir -p d$((i%5)); seq 1 $((i*50)) > d$((i%5))/f$i; git add -A; git commit -qm "c$i"; done
      git rev-parse HEAD; git gc -q --prune=now; git fsck --full 2>&1 | head; git clone -q . ../c; cd ../c; git log --oneline | wc -l; git checkout -q HEAD~10; git status --short | wc -l; git rev-parse HEAD
      cd ../r; git mv d1 e1; git commit -qm mv; git rev-parse HEAD; git repack -adfq; git fsck --full; git status --short; git worktree add -q ../w HEAD~5; ls ../w | wc -l; cd ..; rm -rf r c w .gitconfig`,
    needs: ['git'],
  },
  {
    name: 'npm ci, from packages that are there',
    needs: ['npm'],
    text: `
      export HOME=$PWD npm_config_cache=$PWD/cache npm_config_offline=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
      mkdir -p a/lib/d b app; printf '{"name":"a","version":"1.0.0","bin":{"a":"run.js"},"main":"run.js"}' > a/package.json; printf '#!/usr/bin/env node\nconsole.log(require("./lib/d/m").n)\n' > a/run.js
      echo 'exports.n = 42' > a/lib/d/m.js; for i in $(seq 1 300); do echo "exports.n = $i" > a/lib/d/f$i.js; done
      printf '{"name":"b","version":"1.0.0","dependencies":{"a":"file:../a-1.0.0.tgz"}}' > b/package.json
      npm pack --silent ./a >/dev/null && npm pack --silent ./b >/dev/null; ls *.tgz
      printf '{"name":"app","version":"1.0.0","dependencies":{"a":"file:../a-1.0.0.tgz"}}' > app/package.json
      cd app; npm install --silent --package-lock-only; npm ci --silent; ls node_modules node_modules/a/lib/d | wc -l; node_modules/.bin/a; rm -f node_modules/a/run.js; npm ci --silent; node_modules/.bin/a
      cd ..; rm -rf a b app cache *.tgz .npm`,
  },
  {
    name: 'rsync -aHAX there and back',
    needs: ['rsync', 'setfacl', 'setfattr'],
    text: `
      mkdir -p t/u/v; echo x > t/a; ln t/a t/u/b; ln -s ../a t/u/l; truncate -s 5M t/sparse; echo end >> t/sparse; mkfifo t/p; chmod 4751 t/a; chown 5:6 t/u
      setfacl -m u:7:rw t/u/b; setfacl -d -m g:8:rx t/u; setfattr -n user.k -v v t/sparse; touch -d 2010-10-10T10:10:10.5Z t/u/v
      rsync -aHAX t/ x/; rsync -aHAX --delete -nci t/ x/ | wc -l; echo more >> t/u/b; rm t/p; rsync -aHAX --delete t/ x/; rsync -aHAX --delete -nci t/ x/ | wc -l; getfacl -n x/u/b x/u 2>/dev/null; stat -c '%h %a' x/a; rm -rf t x`,
  },
  ...['wal', 'delete', 'truncate', 'persist'].map((mode): Script => ({
    name: `sqlite3, journal mode ${mode}, two writers`,
    needs: ['sqlite3'],
    text: `
        sqlite3 db "pragma journal_mode=${mode}; create table t(a integer primary key, b text);"
        for w in 1 2; do (for i in $(seq 1 15); do sqlite3 -cmd '.timeout 20000' db "begin immediate; insert into t(b) select hex(zeroblob(200)) from generate_series(1,40); update t set b = b || 'x' where a % 7 = 0; commit;"; done) & done; wait
        sqlite3 db "select count(*), sum(length(b)) > 0 from t; pragma integrity_check; vacuum; pragma integrity_check; delete from t where a % 2; select count(*) from t;"
        sqlite3 db .dump | sqlite3 copy; sqlite3 copy "select count(*) from t"; rm -f db* copy*`,
  })),
  {
    name: 'memory shared by two processes through a mapped file',
    needs: ['python3'],
    text: `
      cat > /tmp/holdfast-suite-map.py <<'PY'
import mmap, os, hashlib
f = os.open('m', os.O_RDWR | os.O_CREAT, 0o644); os.ftruncate(f, 1 << 20)
m = mmap.mmap(f, 1 << 20); m[0:5] = b'start'
pid = os.fork()
if pid == 0:
    for i in range(0, 1 << 20, 4096): m[i + 10:i + 14] = b'abcd'
    m.flush(); os._exit(0)
os.waitpid(pid, 0)
print(m[10:14], m[4106:4110], os.pread(f, 5, 0), os.pread(f, 4, 4106))
os.pwrite(f, b'written', 100); print(m[100:107])
m.close(); os.close(f)
print(hashlib.md5(open('m', 'rb').read()).hexdigest(), os.stat('m').st_size)
a = os.open('w', os.O_RDWR | os.O_CREAT); os.write(a, b'x' * 10000)
q = mmap.mmap(a, 10000); q[5000:5003] = b'map'; os.close(a); del q
print(open('w', 'rb').read()[4998:5005])
PY
      python3 /tmp/holdfast-suite-map.py; rm -f /tmp/holdfast-suite-map.py`,
  },
  {
    name: 'verified random writes, mapped and plain',
    needs: ['fio'],
    text: `
      for engine in psync mmap; do fio --name=v --filename=v --rw=randwrite --bs=4k --size=6M --verify=crc32c --verify_fatal=1 --ioengine=$engine --fsync=64 --minimal --output=/dev/null && echo verified $engine; rm -f v; done
      fio --name=v --filename=v --rw=randwrite --bs=4k --size=4M --direct=1 --verify=crc32c --verify_fatal=1 --ioengine=psync --minimal --output=/dev/null && echo verified direct; rm -f v`,
  },
  {
    name: 'names that are not text',
    text: `
      touch "$(printf 'a\\377b')" "$(printf '\\001\\002')" "$(printf '%0255d' 0)" "$(printf 'new\\nline')"; touch "$(printf '%0256d' 0)" 2>&1 | sed 's/^[^:]*: //;s/0\\{9,\\}/N/'; ls | LC_ALL=C sort | od -c | md5sum; rm ./*; ls`,
  },
  {
    name: 'many names and deep ones',
    text: `
      seq 1 3000 | sed 's/^/file-/' | xargs touch; ls -f | wc -l; ls | md5sum; seq 1 2 3000 | sed 's/^/file-/' | xargs rm; ls | wc -l; ls -l | tail -1 | cut -c1-10
      p=.; for i in $(seq 1 60); do p=$p/abcdefghijklmnopqrstuvwxyz$i; mkdir $p; done; (cd $p && echo deep > f && pwd | sed 's/.*abc/abc/'); find . -name f | wc -c; rm -rf ./*; ls`,
  },
  {
    name: 'renames of trees',
    text: `
      mkdir -p a/b/c d; echo 1 > a/b/c/f; mv a/b d/; cat d/b/c/f; mv d/b/c/f d/g; mkdir e; mv -T e d/b/c 2>&1; mv d/b a/; (cd a/b/c; pwd | sed 's/.*\\/a/a/'; mv ../../../a ../../../z 2>&1; ls ..); find . | sort
      mkdir full; touch full/x; mkdir empty; mv -T empty full 2>&1 | sed 's/^[^:]*: //'; mv -T full empty; find . | sort; mv z z/q 2>&1 | sed 's/^[^:]*: //'`,
  },
];
