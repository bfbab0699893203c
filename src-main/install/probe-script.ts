/** One round trip that tells all that an installation needs to know of a host. It looks and changes nothing. */
import { ports } from '../../agent/contract/configuration.ts';
import { quoted } from '../ssh/index.ts';
import { allUnits, layout } from './layout.ts';
import { mountScript } from './mount-script.ts';
import { surroundingsScript } from './surroundings-script.ts';

export interface ProbeQuestions {
  /** Directories that are to be replicated. */
  readonly directories: readonly string[];
  /** Virtual addresses, to see whether somebody answers there already. */
  readonly vips: readonly string[];
  /** systemd units of the application. */
  readonly units: readonly string[];
}

/** Whoever moves addresses or mounts disks there already would do it against us. */
export const otherClusterSoftware = ['pacemaker', 'corosync', 'keepalived', 'heartbeat', 'safekit'] as const;

/** In the order in which systemd is asked. */
export const watchedUnits: readonly string[] = ['firewalld', 'ufw', ...otherClusterSoftware];

/** Names of the processes that have something open below `$1`, or stand in it. Mapped files only the agent sees. */
const holdersScript = `holders() { ls -l /proc/[0-9]*/cwd /proc/[0-9]*/fd 2>/dev/null | BELOW="$1" awk '
  BEGIN { below = ENVIRON["BELOW"] }
  /^\\/proc\\/[0-9]+\\/fd:$/ { split($0, part, "/"); pid = part[3]; next }
  { at = index($0, " -> "); if (at == 0) next
    target = substr($0, at + 4); if (target != below && index(target, below "/") != 1) next
    if (match($0, "/proc/[0-9]+/cwd")) { split(substr($0, RSTART), part, "/"); print part[3] } else print pid }' |
  sort -u | head -n 50 | while read -r p; do cat "/proc/$p/comm" 2>/dev/null; done | sort -u | head -n 10 | tr '\\n' ' '; }`;

const hexadecimal = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

/** Who has one of our ports, on whatever address: `port/protocol`, and the program where it can be known. */
function portsScript(): string {
  const lines = [
    { port: ports.peerLink, protocol: 'tcp' },
    { port: ports.heartbeat, protocol: 'udp' },
    { port: ports.witness, protocol: 'udp' },
  ].map(({ port, protocol }) => `taken ${port} ${hexadecimal(port)} ${protocol} ${protocol === 'tcp' ? '0A' : '07'}`);
  return `taken() {
  inode=$(cat /proc/net/$3 /proc/net/\${3}6 2>/dev/null | awk -v end=":$2" -v state=$4 '$4 == state && substr($2, length($2) - 4) == end { print $10; exit }')
  [ -n "$inode" ] || return 0
  holder=$(ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v want="socket:[$inode]" '/^\\/proc\\// { split($0, part, "/"); pid = part[3] } index($0, want) { print pid; exit }')
  say taken "$1/$3 $(cat "/proc/$holder/comm" 2>/dev/null)"
}
${lines.join('\n')}`;
}

/** What the guard of applications is made of (agent/network/application-ruleset.ts); older kernels and older nft refuse it. */
const fenceQuestion = [
  'add table inet holdfast_question',
  'add set inet holdfast_question leased { type cgroupsv2; flags timeout; }',
  'add chain inet holdfast_question leaving { type filter hook output priority 0; }',
  'add rule inet holdfast_question leaving socket cgroupv2 level 1 @leased drop',
]
  .map(quoted)
  .join(' ');

/** Output: lines of `key=base64 of the value`; a key may come several times. */
export function probeScript(questions: ProbeQuestions): string {
  const { directories, vips, units } = questions;
  return `LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
if base64 -w 0 < /dev/null > /dev/null 2>&1; then coded() { base64 -w 0; }; else coded() { base64 | tr -d '\\n'; }; fi
say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | coded)"; }
file() { [ -f "$2" ] && printf '%s=%s\\n' "$1" "$(coded < "$2")"; }
sum() { [ -f "$2" ] && say "$1" "$(sha256sum < "$2" | cut -d ' ' -f 1) $3"; }
say clock "$(date +%s.%N)"
vip() {
  if ip -o -4 addr show 2>/dev/null | awk '{print $4}' | grep -q "^$1/"; then say vip "$1 own"; return; fi
  command -v ping >/dev/null 2>&1 || { say vip "$1 unchecked"; return; }
  # What the neighbour cache remembers may be long gone; whoever is there now answers a fresh question, also when it drops pings.
  ip -4 neigh flush to "$1" >/dev/null 2>&1
  if ping -c 1 -W 1 "$1" >/dev/null 2>&1; then say vip "$1 answers"; return; fi
  ip -4 neigh show to "$1" 2>/dev/null | grep -q 'lladdr.*REACHABLE' && say vip "$1 answers" || say vip "$1 free"
}
look() {
say uid "$(id -u)"
say os "$( (. /etc/os-release; printf '%s' "$ID $VERSION_ID|$PRETTY_NAME") 2>/dev/null)"
say kernel "$(uname -r)"
say machine "$(uname -m)"
say system "$(uname -s)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
[ -d /run/systemd/system ] && say systemd "$(systemctl --version | head -n 1)"
say machine-id "$(cat /etc/machine-id 2>/dev/null)"
say boot-id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
for tool in tar gzip sha256sum base64 systemctl ip nft ping sync mountpoint virsh; do command -v $tool >/dev/null 2>&1 && say tool $tool; done
if [ ! -e /dev/fuse ]; then say fuse "there is no /dev/fuse"
elif ! ( : <> /dev/fuse ) 2>/dev/null; then say fuse "/dev/fuse cannot be opened"; else say fuse ok; fi
if command -v nft >/dev/null 2>&1; then nft list tables >/dev/null 2>&1 && say nft ok || say nft "nft list tables fails"
  # Only judged by the kernel, never put into force.
  # With control groups version 1 only, nothing has a number that the filter knows.
  unified=no; for d in /sys/fs/cgroup /sys/fs/cgroup/unified; do [ -e "$d/cgroup.procs" ] && [ -e "$d/cgroup.controllers" ] && unified=yes; done
  { [ $unified = yes ] && printf '%s\n' ${fenceQuestion} | nft -c -f - >/dev/null 2>&1; } || say lacking application-fence; fi
for d in /sys/fs/cgroup/init.scope /sys/fs/cgroup/unified/init.scope /sys/fs/cgroup/system.slice /sys/fs/cgroup/unified/system.slice; do [ -e "$d/cgroup.kill" ] && kill_at_once=yes; done
[ "$kill_at_once" = yes ] || say lacking kill-at-once
for want in ${layout.home} ${layout.state} ${layout.configuration}; do
  d=$want; while [ ! -d "$d" ]; do d=$(dirname "$d"); done
  say space "$want $(df -Pk "$d" | awk 'NR==2 {print $4, $6}') $( [ -w "$d" ] && echo writable || echo read-only )"
done
[ -r /sys/fs/selinux/enforce ] && say selinux "$(cat /sys/fs/selinux/enforce)"
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
ip -o -4 addr show 2>/dev/null | awk '{print $2, $4}' | while read -r line; do say address "$line"; done
say speeds "$(grep -H '' /sys/class/net/*/speed 2>/dev/null)"
say ssh-connection "\${HOLDFAST_SSH_CONNECTION:-$SSH_CONNECTION}"
[ -L ${layout.current} ] && say current "$(basename "$(readlink ${layout.current})")"
[ -L ${layout.node} ] && say runtime-current "$(basename "$(readlink ${layout.node})")"
for d in ${layout.runtimes}/*; do [ -f "$d/SHA256SUMS" ] && say runtime "$(basename "$d")"; done
for d in ${layout.agents}/*; do [ -f "$d/SHA256SUMS" ] && say agent "$(basename "$d")"; done
sum script-sum ${layout.command}
for unit in ${allUnits.join(' ')}; do
  sum unit-sum ${layout.units}/$unit $unit
  [ -f ${layout.units}/$unit ] && say unit-state "$unit $(systemctl is-active $unit) $(systemctl is-enabled $unit 2>/dev/null)"
done
file node-record ${layout.nodeRecord}
file cluster-record ${layout.clusterRecord}
[ -f ${layout.configuration}/node.key ] && file certificate ${layout.certificate}
for f in ${layout.peers}/*.crt; do sum peer-sum "$f" "$(basename "$f" .crt)"; done
sum secret-sum ${layout.clusterSecret}
for f in ${layout.witnessSecrets}/*.secret; do sum witness-secret "$f" "$(basename "$f" .secret)"; done
say memory "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)"
say shell "$(getent passwd "\${SUDO_USER:-$(id -un)}" 2>/dev/null | cut -d : -f 7)"
say accounts "$(cut -d : -f 1,3 /etc/passwd | head -n 2000)"
say active "$(systemctl is-active ${watchedUnits.join(' ')} 2>/dev/null)"
${portsScript()}
${holdersScript}
${mountScript}
directory() {
  say directory "$1"
  if [ -L "$1" ]; then say dir-type symlink; elif [ -d "$1" ]; then say dir-type directory; elif [ -e "$1" ]; then say dir-type other; else say dir-type missing; fi
  parent=$(dirname "$1"); [ -d "$parent" ] && say dir-parent yes
  d=$1; while [ ! -d "$d" ]; do d=$(dirname "$d"); done
  say dir-space "$(df -Pk "$d" | awk 'NR == 2 { print $4 }')"
  [ -d "$1" ] || return 0
  type=$(stat -fc %T "$1")
  # One magic number for three file systems.
  [ "$type" != ext2/ext3 ] || type=$(df -PT "$1" 2>/dev/null | awk 'NR == 2 { print $2 }')
  say dir-filesystem "$type"
  say dir-owner "$(stat -c '%u:%g %a' "$1")"
  [ ! -e /sys/fs/selinux/enforce ] || say dir-label "$(stat -c '%C' "$1")"
  say dir-names "$(stat -c '%U %G' "$1")"
  ls -A "$1" >/dev/null 2>&1 && say dir-entries "$(ls -A "$1" | grep -vc -e '^\\.holdfast$' -e '^lost+found$')"
  [ -f "$1/.holdfast/volume.json" ] && say dir-record yes
  mount=$(mount_at "$1" < /proc/self/mountinfo)
  say dir-mount "$mount"
  case $mount in fuse.holdfast*|*" holdfast-cover "*) ;; *) say dir-holders "$(holders "$1")" ;; esac
  return 0
}
${directories.map((directory) => `directory ${quoted(directory)}`).join('\n')}
${surroundingsScript}
surroundings ${directories.map(quoted).join(' ')}
unit() {
  say unit-start "$1 $(systemctl show -p LoadState "$1" 2>/dev/null | cut -d = -f 2) $(systemctl is-active "$1" 2>/dev/null) $(systemctl is-enabled "$1" 2>/dev/null | head -n 1)"
  say unit-wanted "$1 $(systemctl show -p WantedBy -p RequiredBy "$1" 2>/dev/null | cut -d = -f 2- | tr '\\n' ' ')"
  case $1 in postgresql@*-*)
    i=\${1#postgresql@}; i=\${i%.service}; f=/etc/postgresql/\${i%%-*}/\${i#*-}/start.conf
    [ -f "$f" ] && say unit-file "$1 $f" ;;
  esac
}
${units.map((unit) => `unit ${quoted(unit)}`).join('\n')}
}
# Addresses at which nobody answers are waited for while everything else is looked at.
{ ${vips.map((vip) => `vip ${quoted(vip)} & `).join('')}wait; } </dev/null | { look </dev/null; cat; }
say end yes
exit 0
`;
}
