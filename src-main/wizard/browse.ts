/** The directories below a directory of a server, for a person who looks for the data. */
import { Fault } from '../../agent/contract/fault.ts';
import { quoted, type Transport } from '../ssh/index.ts';

const directoriesMax = 500;
const entriesMax = 10_000;
/** Of the kernel, and of the moment. */
const pseudo = ['/proc', '/sys', '/dev', '/run'];
/** Our own, and what the file system repaired. */
const never = ['.holdfast', 'lost+found'];

/** `ENTRIES PATH` between zero bytes; exit 3: there is no such directory. */
export function browseScript(path: string): string {
  return `LC_ALL=C; export LC_ALL
cd ${quoted(path)} 2>/dev/null || exit 3
shown=0
for d in * .[!.]*; do
  [ -d "$d" ] && [ ! -L "$d" ] || continue
  shown=$((shown+1)); [ $shown -le ${directoriesMax} ] || break
  printf '%s %s\\0' "$(ls -f "$d" 2>/dev/null | head -n ${entriesMax + 2} | wc -l)" "$d"
done
exit 0
`;
}

export function parseBrowse(path: string, output: string): { path: string; entries: number | null }[] {
  const parent = path === '/' ? '' : path.replace(/\/+$/, '');
  return output
    .split('\0')
    .flatMap((record) => {
      const [, count = '', name = ''] = /^\s*(\d+) (.*)$/s.exec(record) ?? [];
      // A name that is no text cannot be written into the configuration.
      if (name === '' || never.includes(name) || name.includes('\uFFFD') || pseudo.includes(`${parent}/${name}`))
        return [];
      // `.` and `..` are among them.
      const entries = Math.max(0, Number(count) - 2);
      return [{ path: `${parent}/${name}`, entries: entries >= entriesMax ? null : entries }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Fault: directory-missing. */
export async function browse(
  node: string,
  transport: Transport,
  path: string,
  signal: AbortSignal,
): Promise<{ path: string; entries: number | null }[]> {
  const wanted = path.trim() === '' ? '/' : path.trim();
  const { code, stdout } = await transport.command(browseScript(wanted), { elevated: true, signal });
  if (code === 3 || !wanted.startsWith('/')) {
    throw new Fault(
      'directory-missing',
      { message: `${node} has no directory ${wanted}.`, remedy: 'Go one directory up, or correct the path.' },
      { node, path: wanted },
    );
  }
  return parseBrowse(wanted, stdout);
}
