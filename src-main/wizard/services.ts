/** What the servers run, from their answers to the services script. Pure. */
import type { DetectedService } from '../app-api/index.ts';
import { checkValue } from '../configuration/index.ts';
import { firstAnswers } from './defaults.ts';
import { configurationValue } from './configuration-value.ts';
import { isNoise, productOf } from './products.ts';

type Sections = ReadonlyMap<string, readonly string[]>;

function sectionsOf(output: string): Sections {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of output.split('\n')) {
    const name = /^=== (\w+)$/.exec(line)?.[1];
    if (name === undefined) lines.push(line);
    else sections.set(name, (lines = []));
  }
  return sections;
}

type Unit = ReadonlyMap<string, string>;

function unitsOf(lines: readonly string[]): Unit[] {
  const units: Map<string, string>[] = [];
  let unit = new Map<string, string>();
  for (const line of [...lines, '']) {
    const at = line.indexOf('=');
    if (line === '') {
      if (unit.has('Id')) units.push(unit);
      unit = new Map();
    } else if (at > 0) {
      const key = line.slice(0, at);
      const before = unit.get(key);
      // ExecStart comes once per command.
      unit.set(key, before === undefined ? line.slice(at + 1) : `${before}\n${line.slice(at + 1)}`);
    }
  }
  return units;
}

/** What a process has open, and which unit it belongs to. */
interface Process {
  unit: string | null;
  readonly inodes: Set<string>;
  readonly files: Set<string>;
  standsIn: string | null;
}

function processesOf(sections: Sections): Map<string, Process> {
  const processes = new Map<string, Process>();
  const at = (pid: string): Process => {
    const known = processes.get(pid) ?? { unit: null, inodes: new Set(), files: new Set(), standsIn: null };
    processes.set(pid, known);
    return known;
  };
  for (const line of sections.get('open') ?? []) {
    const [, pid = '', rest = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
    const inode = /^socket:\[(\d+)\]$/.exec(rest)?.[1];
    if (inode !== undefined) at(pid).inodes.add(inode);
    else if (rest.startsWith('cwd ')) at(pid).standsIn = rest.slice('cwd '.length);
    else if (rest.startsWith('file ')) at(pid).files.add(rest.slice('file '.length));
  }
  for (const line of sections.get('unit') ?? []) {
    const [pid = '', unit = ''] = line.split(' ');
    // One line per hierarchy, and per service within a service: the first is systemd's own.
    if (unit !== '') at(pid).unit ??= unit;
  }
  return processes;
}

/** Flags with which programs are told where their data is. */
const directoryFlags = [
  '-D',
  '--datadir',
  '--data',
  '--data-dir',
  '--data-directory',
  '--datadirectory',
  '--dbpath',
  '--data-root',
  '--dir',
  '--storage',
  '--home',
];
const directoryVariables = ['PGDATA', 'DATADIR', 'DATA_DIR', 'MYSQL_DATADIR', 'ORACLE_BASE'];

export function directoriesInCommand(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [flag = '', value] = word.split(/=(.*)/s);
    if (!directoryFlags.includes(flag)) return word.startsWith('-D/') ? [word.slice(2)] : [];
    const said = value ?? words[index + 1] ?? '';
    return said.startsWith('/') ? [said] : [];
  });
}

/** `{ path=/usr/bin/x ; argv[]=/usr/bin/x -D /data ; ignore_errors=no … }` */
function startCommands(unit: Unit): string[][] {
  return (unit.get('ExecStart') ?? '').split('\n').flatMap((line) => {
    const said = /argv\[\]=(.*?) ; ignore_errors=/.exec(line)?.[1];
    return said === undefined ? [] : [said.split(' ')];
  });
}

function commandsOf(sections: Sections): Map<string, string[]> {
  return new Map(
    (sections.get('command') ?? []).map((line) => {
      const [pid = '', code = ''] = line.split(' ');
      const words = Buffer.from(code, 'base64').toString('utf8').split('\0');
      // PostgreSQL and others write one title over all of their words.
      return [
        pid,
        words.filter((word) => word !== '').flatMap((word, index) => (index === 0 ? word.split(' ') : [word])),
      ];
    }),
  );
}

/** The same rules as in the configuration file. */
function mayBeReplicated(path: string): boolean {
  const answers = { ...firstAnswers(), application: { ...firstAnswers().application, directories: [path] } };
  const value = configurationValue(answers, {
    at: new Set([
      'cluster',
      'nodes.0.machine.destination',
      'nodes.1.machine.destination',
      'application.name',
      'application.start',
      'application.stop',
    ]),
  });
  return checkValue(value).configuration !== null;
}

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

const directoriesMax = 5;
/** Too high up: what lies there is of many. */
const shared = [
  '/home',
  '/root',
  '/srv',
  '/data',
  '/mnt',
  '/media',
  '/var/lib',
  '/var/opt',
  '/var/spool',
  '/var/www/cgi-bin',
];

function isOwn(path: string): boolean {
  return !shared.includes(path) && mayBeReplicated(path);
}

/** Likeliest first; none lies in another. */
function chosen(candidates: readonly string[]): string[] {
  const kept: string[] = [];
  for (const candidate of candidates.map((path) => path.replace(/\/+$/, ''))) {
    if (!isOwn(candidate)) continue;
    if (kept.some((other) => isInside(candidate, other) || isInside(other, candidate))) continue;
    kept.push(candidate);
  }
  return kept.slice(0, directoriesMax);
}

type Listener = DetectedService['listeners'][number];

interface Found {
  readonly unit: string;
  readonly description: string;
  readonly product: string | null;
  readonly active: boolean;
  readonly enabled: boolean;
  readonly listeners: readonly Listener[];
  readonly directories: readonly string[];
}

interface Look {
  readonly processes: ReadonlyMap<string, Process>;
  readonly commands: ReadonlyMap<string, string[]>;
  /** By inode. */
  readonly listening: ReadonlyMap<string, Listener>;
  readonly present: readonly string[];
  /** Debian's PostgreSQL: `15-main` → where its data is. */
  readonly clusters: ReadonlyMap<string, string>;
}

/** The highest directories that all open files of a unit lie below: `/srv/app/db` for its `…/db/a` and `…/db/b`. */
function roots(files: readonly string[]): string[] {
  const sorted = [...new Set(files)].filter(isOwn).sort((a, b) => a.length - b.length);
  return sorted.filter((file, index) => !sorted.slice(0, index).some((other) => isInside(file, other)));
}

function directoriesOf(unit: Unit, look: Look, own: readonly Process[], mainCommand: readonly string[]): string[] {
  const id = unit.get('Id') ?? '';
  const product = productOf(id, programOf(unit, mainCommand));
  const variables = (unit.get('Environment') ?? '').split(' ').flatMap((word) => {
    const [name = '', value = ''] = word.split(/=(.*)/s);
    return directoryVariables.includes(name) ? [value] : [];
  });
  const debian = look.clusters.get(/^postgresql@(.+)\.service$/.exec(id)?.[1] ?? '');
  const said = [
    ...directoriesInCommand(mainCommand),
    ...startCommands(unit).flatMap(directoriesInCommand),
    ...variables,
    ...(debian === undefined ? [] : [debian]),
  ];
  const main = look.processes.get(unit.get('MainPID') ?? '')?.standsIn ?? null;
  const standsIn = [
    ...(main === null ? [] : [main]),
    ...own.flatMap((one) => (one.standsIn === null ? [] : [one.standsIn])),
  ];
  const usual = product?.directories.filter((path) => look.present.includes(path)) ?? [];
  const open = roots(own.flatMap((one) => [...one.files]));
  const state = (unit.get('StateDirectory') ?? '')
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => `/var/lib/${name}`);
  const working = (unit.get('WorkingDirectory') ?? '').replace(/^[!-]+/, '');
  // What a database is told or stands in is its data; what else it has open lies there too.
  if (product?.database === true)
    return chosen([...said, ...standsIn, ...(said.length + standsIn.length === 0 ? usual : []), ...open]);
  return chosen([...said, ...usual, ...state, ...standsIn, ...open, ...(working.startsWith('/') ? [working] : [])]);
}

function programOf(unit: Unit, mainCommand: readonly string[]): string {
  return mainCommand[0] ?? startCommands(unit)[0]?.[0] ?? '';
}

function isApplication(unit: Unit, product: string | null): boolean {
  const id = unit.get('Id') ?? '';
  if (unit.get('LoadState') !== 'loaded' || isNoise(id)) return false;
  const byHand = unit.get('FragmentPath')?.startsWith('/etc/systemd/system/') === true;
  // Done, and nothing left of it: an order at boot, or the umbrella over the instances of a template.
  if (unit.get('SubState') === 'exited') return byHand;
  return unit.get('ActiveState') === 'active' || byHand || product !== null;
}

function foundOf(unit: Unit, look: Look): Found[] {
  const id = unit.get('Id') ?? '';
  const mainCommand = look.commands.get(unit.get('MainPID') ?? '') ?? [];
  const product = productOf(id, programOf(unit, mainCommand));
  if (!isApplication(unit, product?.name ?? null)) return [];
  const own = [...look.processes.values()].filter((one) => one.unit === id);
  const listeners = own.flatMap((one) => [...one.inodes].flatMap((inode) => look.listening.get(inode) ?? []));
  const directories = directoriesOf(unit, look, own, mainCommand);
  const enabled = (unit.get('UnitFileState') ?? '').startsWith('enabled') || (unit.get('WantedBy') ?? '') !== '';
  return [
    {
      unit: id,
      description: unit.get('Description') ?? '',
      product: product?.name ?? null,
      active: ['active', 'activating', 'reloading'].includes(unit.get('ActiveState') ?? ''),
      enabled,
      listeners: widest(listeners),
      directories,
    },
  ];
}

/** As the kernel writes them: hexadecimal, each word in the order of the machine. */
function placeOf(address: string): Listener['at'] {
  if (/^0+$/.test(address)) return 'everywhere';
  // 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104.
  return /^[\dA-F]{6}7F$/i.test(address) ||
    /^0{24}01000000$/.test(address) ||
    /^0{16}FFFF0000[\dA-F]{6}7F$/i.test(address)
    ? 'loopback'
    : 'one-address';
}

function listeningOf(lines: readonly string[]): Map<string, Listener> {
  return new Map(
    lines.flatMap((line): [string, Listener][] => {
      const [local = '', inode = ''] = line.split(' ');
      const [address = '', digits = ''] = local.split(':');
      const port = Number.parseInt(digits, 16);
      return Number.isNaN(port) || inode === '' ? [] : [[inode, { port, at: placeOf(address) }]];
    }),
  );
}

const byWidth: readonly Listener['at'][] = ['everywhere', 'loopback', 'one-address'];

/** Each port once, as far as it is heard: a database listens on 127.0.0.1 and ::1 with two sockets. */
function widest(listeners: readonly Listener[]): Listener[] {
  const sorted = [...listeners].sort((a, b) => a.port - b.port || byWidth.indexOf(a.at) - byWidth.indexOf(b.at));
  return sorted.filter(({ port }, index) => port !== sorted[index - 1]?.port);
}

/** Null: the answer was cut short. */
export function parseServices(output: string): Found[] | null {
  const sections = sectionsOf(output);
  if (!sections.has('end')) return null;
  const look: Look = {
    processes: processesOf(sections),
    commands: commandsOf(sections),
    listening: listeningOf(sections.get('tcp') ?? []),
    present: sections.get('directories') ?? [],
    clusters: new Map(
      (sections.get('postgresql') ?? []).flatMap((line): [string, string][] => {
        const [name = '', directory = ''] = line.split(' ');
        return directory === '' ? [] : [[name, directory]];
      }),
    ),
  };
  const found = unitsOf(sections.get('show') ?? []).flatMap((unit) => foundOf(unit, look));
  const instances = found.some(({ unit }) => /^postgresql@.+\.service$/.test(unit));
  // Debian's umbrella starts the instances; they are what is protected.
  return found.filter(({ unit }) => !(instances && unit === 'postgresql.service'));
}

function rank(service: DetectedService): number {
  const active = service.on.some((one) => one.active);
  return (
    (service.product === null ? 8 : 0) +
    (active ? 0 : 4) +
    (service.directories.length === 0 ? 2 : 0) +
    (service.ports.length === 0 ? 1 : 0)
  );
}

/** Of both servers, applications first. */
export function mergeServices(
  nodes: readonly {
    readonly node: string;
    readonly found: readonly Found[];
    readonly bytes: ReadonlyMap<string, number>;
  }[],
): DetectedService[] {
  const units = [...new Set(nodes.flatMap(({ found }) => found.map(({ unit }) => unit)))];
  const services = units.map((unit): DetectedService => {
    const seen = nodes.flatMap(({ node, found, bytes }) =>
      found.filter((one) => one.unit === unit).map((one) => ({ node, bytes, ...one })),
    );
    // Where it runs it tells more.
    const best = [...seen].sort((a, b) => Number(b.active) - Number(a.active));
    const listeners = widest(seen.flatMap((one) => one.listeners));
    const paths = chosen(best.flatMap(({ directories }) => directories));
    return {
      unit,
      description: best.find(({ description }) => description !== '')?.description ?? unit,
      product: best.find(({ product }) => product !== null)?.product ?? null,
      on: seen.map(({ node, active, enabled }) => ({ node, active, enabled })),
      ports: listeners.map(({ port }) => port),
      listeners,
      directories: paths.map((path) => ({
        path,
        bytes: best.map((one) => one.bytes.get(path)).find((size) => size !== undefined) ?? null,
      })),
    };
  });
  return services.sort((a, b) => rank(a) - rank(b) || (a.unit < b.unit ? -1 : 1));
}

export function parseSizes(output: string): Map<string, number> {
  return new Map(
    output.split('\n').flatMap((line): [string, number][] => {
      const [, kibibytes = '', path = ''] = /^(\d+) (\/.*)$/.exec(line) ?? [];
      return path === '' ? [] : [[path, Number(kibibytes) * 1024]];
    }),
  );
}
