/** What else on a host gets in the way of a replicated directory: scanners, labels, containers, mounts. Looks and changes nothing. */
import { layout } from './layout.ts';

/**
 * Programs that look into every file that is opened. As the kernel shows a name: 15 characters at most. Those that do without
 * permission events are here as well: what they do on a given kernel only their vendor knows.
 */
export const knownScanners = [
  'clamonacc',
  'ds_agent',
  'ds_am',
  'falcon-sensor',
  'falcon-sensor-b',
  'wdavdaemon',
  'mdatp',
  'savd',
  'savscand',
  'sophos-av',
  'oaeventd',
  'eea',
  'esets_daemon',
  'mfetpd',
  'isectpd',
  'rtvscand',
  'sisamddaemon',
  'kesl',
  'bdsecd',
  'SentinelAgent',
  's1-agent',
  'cbdaemon',
  'cbagentd',
] as const;

/** At most so many namespaces and lines travel: a server with more containers tells of some of them. */
const namespacesMax = 500;
const linesMax = 40;

/**
 * `key=value` as the rest of the probe. `scanner`: names that run. `fanotify`: `PID NAME`, then the marks of the permission groups. `elsewhere`: a
 * process of each other mount namespace, its control group, and its mounts of the disks that we are asked about.
 */
export const surroundingsScript = `scanners() {
  cat /proc/[0-9]*/comm 2>/dev/null | sort -u | while read -r name; do
    case $name in ${knownScanners.join('|')}) say scanner "$name" ;; esac
  done
  # Bits of FAN_OPEN_PERM, FAN_ACCESS_PERM and FAN_OPEN_EXEC_PERM: the program that opens waits for an answer.
  ls -l /proc/[0-9]*/fd 2>/dev/null | awk '/^\\/proc\\// { split($0, part, "/"); pid = part[3] }
    /anon_inode:\\[fanotify\\]/ { for (i = 2; i <= NF; i++) if ($i == "->") print "/proc/" pid "/fdinfo/" $(i - 1) }' | while read -r f; do
    marks=$(grep '^fanotify .*mask:[0-9a-f]*[1-7][0-9a-f][0-9a-f][0-9a-f][0-9a-f] ignored' "$f" 2>/dev/null | head -n 50)
    [ -n "$marks" ] || continue
    pid=\${f#/proc/}; pid=\${pid%%/*}
    say fanotify "$pid $(cat "/proc/$pid/comm" 2>/dev/null)
$marks"
  done
}
elsewhere() {
  own=$(readlink /proc/self/ns/mnt)
  ls -l /proc/[0-9]*/ns/mnt 2>/dev/null | OWN="$own" awk '{ split($(NF - 2), part, "/"); if ($NF != ENVIRON["OWN"] && !seen[$NF]++) print part[3] }' |
    head -n ${namespacesMax} | while read -r p; do
    lines=$(DEVICES="$1" awk 'BEGIN { split(ENVIRON["DEVICES"], d, " "); for (i in d) want[d[i]] } $3 in want || / - tmpfs holdfast-cover / || / - fuse.holdfast /' "/proc/$p/mountinfo" 2>/dev/null | head -n ${linesMax})
    [ -n "$lines" ] || continue
    say elsewhere "$p $(cat "/proc/$p/comm" 2>/dev/null)
$(tail -n 1 "/proc/$p/cgroup" 2>/dev/null)
$lines"
  done
}
mount_of() {
  d=$1; while [ ! -e "$d" ]; do d=$(dirname "$d"); done
  df -P "$d" 2>/dev/null | awk 'NR == 2 { sub(/^.*% /, ""); print }'
}
surroundings() {
  scanners
  for want in ${layout.home} ${layout.command}; do say options "$want $(OF="$(mount_of $want)" awk '$5 == ENVIRON["OF"] { o = $6 } END { print o }' /proc/self/mountinfo)"; done
  for b in allow_execmem deny_execmem; do [ -r /sys/fs/selinux/booleans/$b ] && say boolean "$b $(cat /sys/fs/selinux/booleans/$b)"; done
  systemctl is-active --quiet fapolicyd 2>/dev/null && say fapolicyd "$(command -v fapolicyd-cli || echo none)"
  [ "$#" -gt 0 ] || return 0
  say own-mounts "$(cat /proc/self/mountinfo)"
  devices=
  for d in "$@"; do
    if [ -d "$d" ] && [ -e /sys/fs/selinux/enforce ]; then say label "$(stat -c %C "$d") $(matchpathcon -n "$d" 2>/dev/null || echo unknown) $d"; fi
    while [ ! -d "$d" ]; do d=$(dirname "$d"); done
    devices="$devices $(OF="$(mount_of "$d")" awk '$5 == ENVIRON["OF"] && !/ holdfast-cover / && !/ - fuse.holdfast / { o = $3 } END { print o }' /proc/self/mountinfo)"
  done
  elsewhere "$devices"
}`;
