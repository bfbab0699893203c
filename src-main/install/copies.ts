/** What stands in directories, as far as it can be counted in a few seconds. Looks, changes nothing; whatever mounts lie over it are not its business. */
import { z } from 'zod';
import { quoted, type Transport } from '../ssh/index.ts';
import { mountedByUs, mountScript } from './mount-script.ts';

export interface CopyMeasure {
  readonly path: string;
  readonly exists: boolean;
  readonly empty: boolean;
  readonly files: number | null;
  /** As they lie on the disk. */
  readonly bytes: number | null;
  readonly newestFile: { readonly path: string; readonly at: string } | null;
  /** What the data says of itself: "PostgreSQL 15". */
  readonly version: string | null;
  /** Counting was stopped at a limit: at least as many. */
  readonly atLeast: boolean;
  /** What is seen there is ours: a cover, or the replicated directory. */
  readonly mount: 'none' | 'cover' | 'replicated';
}

export interface CountLimits {
  readonly seconds: number;
  readonly files: number;
}
export const usualLimits: CountLimits = { seconds: 5, files: 1_000_000 };

/** Names may hold anything: each line ends with the name, and a newline in one is at worst counted wrongly. */
const summary = `awk -v max=$max 'BEGIN { FS = " " }
  /^[0-9]+ [0-9]+(\\.[0-9]+)? \\// {
    files++; bytes += $1 * 512
    if ($2 > newest) { newest = $2; name = substr($0, length($1) + length($2) + 3) }
    if (files >= max) { full = 1; exit }
  }
  END { printf "%d %.0f %d %s %s\\n", files, bytes, full, newest + 0 == 0 ? "0" : newest, name }'`;

/** What a product leaves beside its data, where it says its version. */
const versionScript = `version() {
  for f in "$1"/PG_VERSION "$1"/*/PG_VERSION "$1"/*/*/PG_VERSION; do [ -f "$f" ] && { echo "PostgreSQL $(head -n 1 "$f")"; return; }; done
  for f in mariadb_upgrade_info mysql_upgrade_info; do
    [ -f "$1/$f" ] || continue
    v=$(head -n 1 "$1/$f" | tr -cd '[:alnum:].-'); case $v in *MariaDB*) echo "MariaDB \${v%%-*}" ;; *) echo "MySQL \${v%%-*}" ;; esac; return
  done
  [ -f "$1/aria_log_control" ] && { echo MariaDB; return; }
  [ -f "$1/mysql_upgrade_history" ] && { echo "MySQL $(tr -cd '[:alnum:].":,' < "$1/mysql_upgrade_history" | sed -n 's/.*"version":"\\([0-9.]*\\)".*/\\1/p' | tail -n 1)"; return; }
  [ -f "$1/ibdata1" ] && { echo MySQL; return; }
  [ -f "$1/WiredTiger" ] && { echo MongoDB; return; }
  [ -f "$1/data/master.mdf" ] && { echo "SQL Server"; return; }
  [ -f "$1/dump.rdb" ] && echo Redis
}`;

/** Output: for each directory `key=base64` lines between `copy` and `done`. */
export function copiesScript(paths: readonly string[], limits: CountLimits = usualLimits): string {
  return `LC_ALL=C; export LC_ALL
say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | base64 | tr -d '\\n')"; }
max=${limits.files}
${mountScript}
${versionScript}
limited() { if command -v timeout >/dev/null 2>&1; then timeout ${limits.seconds} "$@"; else "$@"; fi; }
# Without GNU find: as much as the rest of the commands can tell.
plain() { limited find "$1" -xdev -path "$1/.holdfast" -prune -o -type f -print 2>/dev/null | head -n $max | while read -r f; do stat -c '%b %Y %n' "$f" 2>/dev/null; done; }
gnu() { limited find "$1" -xdev \\( -path "$1/.holdfast" -o -path "$1/lost+found" \\) -prune -o -type f -printf '%b %T@ %p\\n' 2>/dev/null; [ $? -ne 124 ] || echo late >&3; }
copy() {
  say copy "$1"
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    mount=$(mount_at "$1" < /proc/self/mountinfo)
    say mount "$mount"
    case $mount in *" holdfast-cover "*) say done; return ;; esac
    ls -A "$1" >/dev/null 2>&1 && say entries "$(ls -A "$1" | grep -vc -e '^\\.holdfast$' -e '^lost+found$')"
    if find "$1" -maxdepth 0 -printf '' 2>/dev/null; then lister=gnu; else lister=plain; fi
    # Both answers come through one pipe: the sum on one line, and whether the time was up on another.
    { $lister "$1" 3>&4 | ${summary}; } 4>&1 | while read -r line; do say count "$line"; done
    say version "$(version "$1")"
  fi
  say done
}
${paths.map((path) => `copy ${quoted(path)}`).join('\n')}
say end yes
exit 0
`;
}

function isoTime(seconds: string): string | null {
  const ms = Math.round(Number(seconds) * 1000);
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? z.iso.datetime().parse(new Date(ms).toISOString()) : null;
}

function measureOf(path: string, values: ReadonlyMap<string, readonly string[]>): CopyMeasure {
  const entries = values.get('entries')?.[0];
  const mount = mountedByUs(values.get('mount')?.[0] ?? '');
  const lines = values.get('count') ?? [];
  const counted = lines.map((line) => /^(\d+) (\d+) (\d) ([\d.]+) ?(.*)$/s.exec(line)).find((match) => match !== null);
  const [, files, bytes, full, newest = '0', name = ''] = counted ?? [];
  const version = (values.get('version')?.[0] ?? '').trim();
  const at = newest === '0' ? null : isoTime(newest);
  return {
    path,
    exists: values.has('mount'),
    // One that cannot be listed is not an empty one.
    empty: mount !== 'cover' && (!values.has('mount') || entries === '0'),
    files: files === undefined ? null : Number(files),
    bytes: bytes === undefined ? null : Number(bytes),
    newestFile: at === null || name === '' ? null : { path: name, at },
    version: version === '' ? null : version,
    atLeast: full === '1' || lines.includes('late'),
    mount,
  };
}

export function parseCopies(output: string): CopyMeasure[] {
  const measures: CopyMeasure[] = [];
  let current: { path: string; values: Map<string, string[]> } | null = null;
  for (const line of output.split('\n')) {
    const [key = '', code = ''] = line.split(/=(.*)/s);
    const value = Buffer.from(code, 'base64').toString('utf8');
    if (key === 'copy') current = { path: value, values: new Map() };
    else if (key === 'done' && current !== null) {
      measures.push(measureOf(current.path, current.values));
      current = null;
    } else current?.values.set(key, [...(current.values.get(key) ?? []), value]);
  }
  return measures;
}

/** Longer than a count may take. */
const slackMs = 15_000;

export async function measureCopies(
  transport: Transport,
  paths: readonly string[],
  options: { readonly signal?: AbortSignal | undefined; readonly limits?: CountLimits } = {},
): Promise<CopyMeasure[]> {
  if (paths.length === 0) return [];
  const limits = options.limits ?? usualLimits;
  const { stdout } = await transport.command(copiesScript(paths, limits), {
    elevated: true,
    signal: options.signal,
    timeoutMs: limits.seconds * paths.length * 1000 + slackMs,
  });
  return parseCopies(stdout);
}
