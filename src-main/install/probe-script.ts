/** One round trip that tells all that an installation needs to know of a host. It looks and changes nothing. */
import { quoted } from '../ssh/index.ts';
import { allUnits, layout } from './layout.ts';

export interface ProbeQuestions {
  /** Directories that are to be replicated. */
  readonly directories: readonly string[];
  /** Virtual addresses, to see whether somebody answers there already. */
  readonly vips: readonly string[];
}

/** Output: lines of `key=base64 of the value`; a key may come several times. */
export function probeScript(questions: ProbeQuestions): string {
  return `LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | base64 | tr -d '\\n')"; }
file() { [ -f "$2" ] && printf '%s=%s\\n' "$1" "$(base64 < "$2" | tr -d '\\n')"; }
sum() { [ -f "$2" ] && say "$1" "$(sha256sum < "$2" | cut -d ' ' -f 1) $3"; }
say clock "$(date +%s.%N)"
say uid "$(id -u)"
say os "$( (. /etc/os-release; printf '%s' "$ID $VERSION_ID|$PRETTY_NAME") 2>/dev/null)"
say kernel "$(uname -r)"
say machine "$(uname -m)"
say system "$(uname -s)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
[ -d /run/systemd/system ] && say systemd "$(systemctl --version | head -n 1)"
say machine-id "$(cat /etc/machine-id 2>/dev/null)"
say boot-id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
for tool in tar gzip sha256sum base64 systemctl ip nft ping sync mountpoint; do command -v $tool >/dev/null 2>&1 && say tool $tool; done
if [ ! -e /dev/fuse ]; then say fuse "there is no /dev/fuse"
elif ! ( : <> /dev/fuse ) 2>/dev/null; then say fuse "/dev/fuse cannot be opened"; else say fuse ok; fi
if command -v nft >/dev/null 2>&1; then nft list tables >/dev/null 2>&1 && say nft ok || say nft "nft list tables fails"; fi
for want in ${layout.home} ${layout.state} ${layout.configuration}; do
  d=$want; while [ ! -d "$d" ]; do d=$(dirname "$d"); done
  say space "$want $(df -Pk "$d" | awk 'NR==2 {print $4, $6}') $( [ -w "$d" ] && echo writable || echo read-only )"
done
[ -r /sys/fs/selinux/enforce ] && say selinux "$(cat /sys/fs/selinux/enforce)"
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
ip -o -4 addr show 2>/dev/null | awk '{print $2, $4}' | while read -r line; do say address "$line"; done
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
directory() {
  say directory "$1"
  if [ -L "$1" ]; then say dir-type symlink; elif [ -d "$1" ]; then say dir-type directory; elif [ -e "$1" ]; then say dir-type other; else say dir-type missing; fi
  parent=$(dirname "$1"); [ -d "$parent" ] && say dir-parent yes
  [ -d "$1" ] || return 0
  say dir-filesystem "$(stat -fc %T "$1")"
  say dir-owner "$(stat -c '%u:%g %a' "$1")"
  say dir-entries "$(ls -A "$1" | grep -vc -e '^\\.holdfast$' -e '^lost+found$')"
  [ -f "$1/.holdfast/volume.json" ] && say dir-record yes
  say dir-mount "$(awk -v path="$1" '$5 == path { found = $0 } END { sub(/.* - /, "", found); print found }' /proc/self/mountinfo)"
  return 0
}
${questions.directories.map((directory) => `directory ${quoted(directory)}`).join('\n')}
vip() {
  if ip -o -4 addr show 2>/dev/null | awk '{print $4}' | grep -q "^$1/"; then say vip "$1 own"; return; fi
  command -v ping >/dev/null 2>&1 || { say vip "$1 unchecked"; return; }
  # What the neighbour cache remembers may be long gone; whoever is there now answers a fresh question, also when it drops pings.
  ip -4 neigh flush to "$1" >/dev/null 2>&1
  if ping -c 1 -W 1 "$1" >/dev/null 2>&1; then say vip "$1 answers"; return; fi
  ip -4 neigh show to "$1" 2>/dev/null | grep -q 'lladdr.*REACHABLE' && say vip "$1 answers" || say vip "$1 free"
}
${questions.vips.map((vip) => `vip ${quoted(vip)}`).join('\n')}
say end yes
exit 0
`;
}
