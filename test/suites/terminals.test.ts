/** Shells as a screen gets them: of this machine and of real servers, in floods, cuts and with every agent dead. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import type { TerminalHandlers } from '../../src-main/app-api/index.ts';
import { createSecretStore } from '../../src-main/secrets/index.ts';
import { createServerAccess } from '../../src-main/servers/index.ts';
import { readConfigFile } from '../../src-main/ssh/index.ts';
import { createTerminalsPart } from '../../src-main/terminals/index.ts';
import { Lab, labObstacle } from '../lab/index.ts';
import { slowdown } from '../run/slowdown.ts';

const obstacle = labObstacle();
const noSignal = new AbortController().signal;
const size = { columns: 80, rows: 24 };
let lab: Lab;

interface End {
  readonly code: number | null;
  readonly fault: string | null;
}

/** A tab: draws nothing, remembers the end of what it was told, and acknowledges as told. */
class Tab {
  readonly #handlers: TerminalHandlers;
  readonly terminal: string;
  text = '';
  characters = 0;
  messages = 0;
  ended: End | null = null;
  acknowledges = true;

  constructor(handlers: TerminalHandlers, terminal: string) {
    this.#handlers = handlers;
    this.terminal = terminal;
  }
  receive(data: string): void {
    this.text = (this.text + data).slice(-100_000);
    this.characters += data.length;
    this.messages++;
    if (this.acknowledges) this.acknowledge(data.length);
  }
  acknowledge(characters: number): void {
    void this.#handlers.acknowledgeTerminal({ terminal: this.terminal, characters }, noSignal);
  }
  type(data: string): void {
    void this.#handlers.typeInTerminal({ terminal: this.terminal, data }, noSignal);
  }
  async resize(columns: number, rows: number): Promise<void> {
    await this.#handlers.resizeTerminal({ terminal: this.terminal, columns, rows }, noSignal);
  }
  /** Types a command and waits for what it prints. */
  async run(command: string, expected: RegExp): Promise<string> {
    this.type(`${command}\r`);
    await expect.poll(() => this.text).toMatch(expected);
    return this.text;
  }
}

interface Screen {
  readonly handlers: TerminalHandlers;
  local(): Promise<Tab>;
  server(node: string): Promise<Tab>;
  close(): void;
}

function openScreen(): Screen {
  const access = createServerAccess({
    secrets: createSecretStore(),
    hostKeysFile: '/nonexistent/known_hosts',
    logins: { identityOf: () => null, remember: () => Promise.resolve() },
    agentSocket: null,
    sshConfig: () => (obstacle === undefined ? readConfigFile(lab.sshConfigPath) : []),
  });
  const part = createTerminalsPart({
    access,
    machineOf: (_cluster, node) => Promise.resolve({ destination: node }),
    // What a person's start-up files do is theirs, and may take its time.
    environment: { ...process.env, HOME: '/nonexistent', SHELL: '/bin/bash', HOLDFAST_SSH_PASSWORD: 'Sesame' },
  });
  const tabs = new Map<string, Tab>();
  const closing: (() => void)[] = [];
  const handlers = part.serve({
    emit: (event, data) => {
      const told = data as { terminal: string; data?: string } & End;
      const tab = tabs.get(told.terminal);
      if (event === 'terminalData') tab?.receive(told.data ?? '');
      else if (tab) tab.ended = { code: told.code, fault: told.fault };
    },
    onClose: (listener) => closing.push(listener),
  });
  onTestFinished(async () => {
    await part[Symbol.asyncDispose]();
    await access[Symbol.asyncDispose]();
  });
  const add = ({ terminal }: { terminal: string }): Tab => {
    const tab = new Tab(handlers, terminal);
    tabs.set(terminal, tab);
    return tab;
  };
  return {
    handlers,
    local: async () => add(await handlers.openLocalTerminal(size, noSignal)),
    server: async (node) =>
      add(await handlers.openServerTerminal({ server: { cluster: 'c', node }, ...size }, noSignal)),
    close: () => {
      for (const listener of closing) listener();
    },
  };
}

beforeAll(async () => {
  if (obstacle === undefined) lab = await Lab.up({ name: 'terminals', nodes: 2 });
});
afterAll(async () => {
  if (obstacle === undefined) await lab.down();
});

interface Place {
  readonly name: string;
  readonly needsLab: boolean;
  open(screen: Screen): Promise<Tab>;
}
const places: readonly Place[] = [
  { name: 'this computer', needsLab: false, open: (screen) => screen.local() },
  { name: 'a server', needsLab: true, open: (screen) => screen.server('n1') },
];

describe.each(places)('a shell of $name', ({ needsLab, open }) => {
  beforeEach((context) => {
    if (needsLab && obstacle !== undefined) context.skip(obstacle.reason);
  });

  it('runs, follows the size of its window, speaks UTF-8, and ends with its screen', async () => {
    const tab = await open(openScreen());
    await tab.run('stty size; echo "$TERM"', /24 80\s+xterm-256color/);
    await tab.run("printf 'h\\303\\251llo \\342\\234\\223\\n'", /héllo ✓/);
    await tab.resize(132, 43);
    await tab.run('stty size', /43 132/);
    tab.type('echo bye; exit 3\r');
    await expect.poll(() => tab.ended).toEqual({ code: 3, fault: null });
    expect(tab.text).toMatch(/bye\s+(exit|logout)?/);
  });

  it('keeps characters whole across the borders of what arrives', async () => {
    const tab = await open(openScreen());
    await tab.run('stty -echo; echo ready', /ready\r\n/);
    await tab.run("i=0; while [ $i -lt 20000 ]; do printf 'é✓𝄞'; i=$((i+1)); done; echo; echo done-$i", /done-20000/);
    expect(tab.text).not.toContain('\ufffd');
    expect(/(?:é✓𝄞)+\r\ndone-20000/.test(tab.text)).toBe(true);
  });

  it('floods neither the memory nor the way to Ctrl C', async () => {
    const tab = await open(openScreen());
    // What a flood needs once: compiled code, buffers of sockets.
    await tab.run('yes 0123456789012345678901234567890123456789 | head -n 200000; echo ready', /\nready\r\n/);
    const flooded = tab.characters + 50_000_000;
    const before = process.memoryUsage().rss;
    let peak = before;
    const watching = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
    onTestFinished(() => clearInterval(watching));
    tab.type('yes 0123456789012345678901234567890123456789\r');
    await expect.poll(() => tab.characters, { timeout: 90_000, interval: 20 }).toBeGreaterThan(flooded);
    expect((peak - before) / 1e6).toBeLessThan(30);
    // Few large messages, not one per line.
    expect(tab.characters / tab.messages).toBeGreaterThan(4000);
    const beganAtMs = performance.now();
    tab.type('\u0003');
    await expect.poll(() => tab.text.slice(-200), { interval: 5 }).toMatch(/\^C[^]*[#$] $/);
    const answeredMs = performance.now() - beganAtMs;
    expect(answeredMs).toBeLessThan(1000 * (await slowdown()));
  });

  it('waits for a screen that draws nothing, and goes on with it', async () => {
    const tab = await open(openScreen());
    await tab.run('echo ready', /ready\r\n/);
    tab.acknowledges = false;
    tab.type('yes\r');
    await expect.poll(() => tab.characters).toBeGreaterThan(100_000);
    // It stands still, at little more than what may be unacknowledged: nothing is told for a while.
    let seen = -1;
    await expect
      .poll(
        () => {
          const standsStill = seen === tab.characters;
          seen = tab.characters;
          return standsStill;
        },
        { interval: 300 },
      )
      .toBe(true);
    expect(tab.characters).toBeLessThan(400_000);
    tab.acknowledges = true;
    tab.acknowledge(tab.characters);
    await expect.poll(() => tab.characters).toBeGreaterThan(1_000_000);
    tab.type('\u0003');
  });

  it('tells all of its last words', async () => {
    const tab = await open(openScreen());
    await tab.run('stty -echo; echo ready', /ready\r\n/);
    tab.type('seq 1 60000; exit\r');
    await expect.poll(() => tab.ended, { timeout: 30_000 }).not.toBeNull();
    expect(tab.text).toMatch(/59999\r\n60000\r\n/);
  });
});

it('ends with the screen that opened it, with what runs in it, and leaves no process', async () => {
  const screen = openScreen();
  const tab = await screen.local();
  await tab.run('sleep 987654 & echo pids=$$,$!.', /pids=\d+,\d+\./);
  const pids = /pids=(\d+),(\d+)\./.exec(tab.text)?.slice(1).map(Number) ?? [];
  screen.close();
  await expect.poll(() => pids.filter((pid) => isAlive(pid))).toEqual([]);
});

/** One that has ended and that its parent, the first process of the machine, has not asked for yet lives no more. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

it('belongs to its screen: another one cannot type into it', async () => {
  const tab = await openScreen().local();
  await tab.run('echo ready', /ready\r\n/);
  const other = openScreen();
  await other.handlers.typeInTerminal({ terminal: tab.terminal, data: 'echo intruder\r' }, noSignal);
  await tab.run('echo last', /last\r\n/);
  expect(tab.text).not.toContain('intruder');
});

it('gets no secrets of ours', async () => {
  const tab = await openScreen().local();
  await tab.run('echo "[$HOLDFAST_SSH_PASSWORD]"', /\[\]\r\n/);
});

it('there is an end to how many a screen may open', async () => {
  const screen = openScreen();
  const tabs: Tab[] = [];
  const opening = async (): Promise<void> => {
    for (;;) tabs.push(await screen.local());
  };
  const fault = await opening().catch((error: unknown) => Fault.from(error));
  expect(fault).toMatchObject({ code: 'too-many-terminals' });
  expect(tabs).toHaveLength(32);
});

describe('a server', () => {
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });

  it('that is cut off: the shell says so, and another one can be had when it is back', async () => {
    const screen = openScreen();
    const tab = await screen.server('n2');
    await tab.run('echo ready', /ready\r\n/);
    await lab.cut('client', 'n2');
    await expect.poll(() => tab.ended, { timeout: 30_000 }).toEqual({ code: null, fault: 'connection-lost' });
    const fault = await screen.server('n2').catch((error: unknown) => Fault.from(error));
    expect(fault).toMatchObject({ code: 'ssh-unreachable' });
    await lab.heal('client', 'n2');
    const again = await screen.server('n2');
    await again.run('hostname', /n2\r\n/);
  });

  it('whose user is asked for a password says so', async () => {
    const screen = openScreen();
    const machine = { destination: 'stranger@n1', port: null, identity: null };
    const opening = screen.handlers.openServerTerminal({ server: { machine }, ...size }, noSignal);
    const fault = await opening.catch((error: unknown) => Fault.from(error));
    expect(fault).toMatchObject({ code: 'secret-needed', details: { kind: 'ssh-password', user: 'stranger' } });
  });

  it('gives more shells than sshd allows on one connection', async () => {
    const screen = openScreen();
    const tabs = await Promise.all(Array.from({ length: 14 }, () => screen.server('n1')));
    for (const tab of tabs) await tab.run('hostname', /n1\r\n/);
  });
});
