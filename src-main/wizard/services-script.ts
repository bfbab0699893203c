/** One look at what runs on a server, with nothing but systemd, /proc and the usual commands. Output: sections that begin with `=== name`. */
import { quoted } from '../ssh/index.ts';
import { knownDirectories, productUnits } from './products.ts';

/** systemd's own properties; each unit is a block of `Key=value` lines. */
const properties = [
  'Id',
  'Description',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'MainPID',
  'FragmentPath',
  'ExecStart',
  'WorkingDirectory',
  'Environment',
  'StateDirectory',
  'WantedBy',
];

const openFilesMax = 4000;

export function servicesScript(): string {
  return `LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
set -f
echo "=== user"; id -u
units=$( {
  systemctl list-units --type=service --all --plain --no-legend --no-pager 2>/dev/null | awk '{ print $1 }'
  systemctl list-unit-files --type=service --no-legend --no-pager ${productUnits.map(quoted).join(' ')} 2>/dev/null | awk '$1 !~ /@\\.service$/ { print $1 }'
  find /etc/systemd/system -maxdepth 1 -type f -name '*.service' 2>/dev/null | sed 's|.*/||' | grep -v '@\\.service$'
} | grep '\\.service$' | sort -u )
echo "=== show"
[ -z "$units" ] || systemctl show --no-pager -p ${properties.join(',')} $units 2>/dev/null
set +f
echo "=== tcp"
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print $2, $10 }'
# Of every process: sockets, open files, where it stands. Files of the system, of logs and of no file system tell nothing.
echo "=== open"
ls -l /proc/[0-9]*/cwd /proc/[0-9]*/fd 2>/dev/null | awk '
  /^\\/proc\\/[0-9]+\\/fd:$/ { split($0, part, "/"); pid = part[3]; next }
  { at = index($0, " -> "); if (at == 0) next; target = substr($0, at + 4) }
  target ~ /^socket:/ { print pid, target; next }
  target ~ /^\\/(dev|proc|sys|run|usr|lib|lib64|bin|sbin|etc|tmp|boot|memfd:|anon_hugepage|SYSV)/ || target ~ /^\\/var\\/(log|run|tmp|cache)/ || target !~ /^\\/./ || target ~ / \\(deleted\\)$/ { next }
  match($0, "/proc/[0-9]+/cwd") { split(substr($0, RSTART), part, "/"); print part[3], "cwd", target; next }
  { sub(/\\/[^\\/]*$/, "", target); if (target != "" && !seen[pid target]++) print pid, "file", target }' | head -n ${openFilesMax}
echo "=== unit"
grep -Ho '[^/]*\\.service' /proc/[0-9]*/cgroup 2>/dev/null | sed 's|^/proc/\\([0-9]*\\)/cgroup:|\\1 |'
echo "=== command"
for p in $(systemctl show --no-pager -p MainPID $units 2>/dev/null | sed -n 's/^MainPID=//p' | grep -v '^0$' | sort -u); do
  [ ! -r /proc/$p/cmdline ] || echo "$p $(base64 < /proc/$p/cmdline | tr -d '\\n')"
done
echo "=== directories"
for d in ${knownDirectories.map(quoted).join(' ')}; do [ ! -d "$d" ] || [ -L "$d" ] || echo "$d"; done
echo "=== postgresql"
for f in /etc/postgresql/*/*/postgresql.conf; do
  [ -f "$f" ] && echo "$(echo "$f" | awk -F / '{ print $4 "-" $5 }') $(sed -n "s/^[[:space:]]*data_directory[[:space:]]*=[[:space:]]*'\\([^']*\\)'.*/\\1/p" "$f" | tail -n 1)"
done
echo "=== end"
exit 0
`;
}

const sizeSeconds = 2;

/** `KIB PATH` lines for what could be counted in time; all side by side. */
export function sizesScript(paths: readonly string[]): string {
  const one = (path: string): string =>
    `( s=$(limited du -sk ${quoted(path)} 2>/dev/null) && echo "$(echo "$s" | tail -n 1 | cut -f 1) "${quoted(path)} ) &`;
  return `limited() { if command -v timeout >/dev/null 2>&1; then timeout ${sizeSeconds} "$@"; else "$@"; fi; }
${paths.map(one).join('\n')}
wait
exit 0
`;
}
