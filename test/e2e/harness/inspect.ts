/** What a host says about the product that runs on it: journals, ports, memory. */
import { existsSync } from 'node:fs';
import type { Host } from '../../lab/index.ts';
import { must } from '../../lab/index.ts';

export const productUnits = ['holdfastd.service', 'holdfast-replicator.service', 'holdfast-witness.service'] as const;

export interface JournalLine {
  readonly host: string;
  readonly unit: string;
  /** syslog: 3 error, 4 warning, 6 information. */
  readonly priority: number;
  /** Microseconds of the machine's wall clock, for a person who reads along. */
  readonly timeUs: number;
  readonly text: string;
}

interface RawJournalLine {
  readonly MESSAGE?: string | readonly number[];
  readonly PRIORITY?: string;
  readonly UNIT?: string;
  readonly _SYSTEMD_UNIT?: string;
  readonly __REALTIME_TIMESTAMP?: string;
}

export function parseJournal(host: string, text: string): JournalLine[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => {
    const raw = JSON.parse(line) as RawJournalLine;
    // journald gives a message with unprintable bytes as an array of bytes.
    const words = typeof raw.MESSAGE === 'string' ? raw.MESSAGE : Buffer.from(raw.MESSAGE ?? []).toString();
    return {
      host,
      // UNIT: what systemd itself says about a unit.
      unit: raw.UNIT ?? raw._SYSTEMD_UNIT ?? '',
      priority: Number(raw.PRIORITY ?? 6),
      timeUs: Number(raw.__REALTIME_TIMESTAMP ?? 0),
      text: words,
    };
  });
}

/** Everything the units ever said, over all boots; also of a host that is off. */
export async function readJournal(host: Host, units: readonly string[] = productUnits): Promise<JournalLine[]> {
  if (!existsSync(host.journalPath)) return [];
  const selection = units.flatMap((unit) => ['-u', unit]);
  const text = await must(['journalctl', '-q', '-D', host.journalPath, '-o', 'json', '--no-pager', ...selection]);
  return parseJournal(host.name, text);
}

const warning = 4;
const suspicious = /error|exception|unhandled|assert/i;

export interface JournalCheck {
  readonly units?: readonly string[];
  /** Each line that a story provokes on purpose is named; nothing else is let through. */
  readonly allow?: readonly RegExp[];
}

export async function journalProblems(host: Host, check: JournalCheck = {}): Promise<JournalLine[]> {
  const lines = await readJournal(host, check.units);
  return unexpected(lines, check.allow ?? []);
}

export function unexpected(lines: readonly JournalLine[], allow: readonly RegExp[]): JournalLine[] {
  return lines.filter((line) => {
    if (line.priority > warning && !suspicious.test(line.text)) return false;
    return !allow.some((pattern) => pattern.test(line.text));
  });
}

export function journalText(line: JournalLine): string {
  const time = new Date(line.timeUs / 1000).toISOString().slice(11, 23);
  return `${time} ${line.host} ${line.unit.replace('.service', '')} <${line.priority}> ${line.text}`;
}

export interface ListeningPort {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly program: string;
  readonly pid: number;
}

/** Of `ss -Hlntup`. */
export function parseListeningPorts(text: string): ListeningPort[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const columns = line.trim().split(/\s+/);
      const local = columns[4] ?? '';
      const colon = local.lastIndexOf(':');
      const user = /\(\("([^"]*)",pid=(\d+)/.exec(line);
      return {
        protocol: columns[0] === 'udp' ? 'udp' : 'tcp',
        address: local.slice(0, colon),
        port: Number(local.slice(colon + 1)),
        program: user?.[1] ?? '',
        pid: Number(user?.[2] ?? 0),
      };
    });
}

export async function listeningPorts(host: Host): Promise<ListeningPort[]> {
  return parseListeningPorts(await host.must(['ss', '-Hlntup']));
}

/** Memory in RAM of all processes of a unit; 0 when it does not run. */
export async function residentBytes(host: Host, unit: string): Promise<number> {
  const group = (await host.must(['systemctl', 'show', '-P', 'ControlGroup', unit])).trim();
  if (group === '') return 0;
  const script = 'for p in $(cat "/sys/fs/cgroup$1/cgroup.procs"); do cat /proc/$p/status; done 2>/dev/null; true';
  const status = await host.must(['sh', '-c', script, 'sh', group]);
  const kibibytes = [...status.matchAll(/^VmRSS:\s+(\d+) kB/gm)].map((match) => Number(match[1]));
  return kibibytes.reduce((sum, value) => sum + value, 0) * 1024;
}
