/** The shells of each screen. A screen reaches its own only, and they end with it. */
import { randomUUID } from 'node:crypto';
import { Fault } from '../../agent/contract/fault.ts';
import type { AppPart, Screen } from '../app.ts';
import type { TerminalHandlers } from '../app-api/index.ts';
import type { MachineLike, ServerAccess } from '../servers/index.ts';
import { openLocalShell } from './local-shell.ts';
import { OutputGate } from './output-gate.ts';
import { openServerShell } from './server-shell.ts';
import type { ShellProcess } from './shell-process.ts';

export interface TerminalsPartOptions {
  readonly access: ServerAccess;
  /** How a node of a known cluster is reached; `witness` is the witness. Faults: cluster-unknown, no-such-node. */
  readonly machineOf: (cluster: string, node: string) => Promise<MachineLike>;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A mistake of a screen must not fill this machine with shells. */
const terminalsMax = 32;

interface Terminal {
  readonly shell: ShellProcess;
  readonly gate: OutputGate;
}

class ScreenTerminals {
  readonly #screen: Screen;
  readonly #terminals = new Map<string, Terminal>();
  /** Being opened: counted, so that many at once are no way around the limit. */
  #opening = 0;
  #isClosed = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  async open(openShell: () => Promise<ShellProcess>): Promise<{ terminal: string; user?: string }> {
    if (this.#terminals.size + this.#opening >= terminalsMax) {
      throw new Fault(
        'too-many-terminals',
        { message: `${terminalsMax} terminals are open.`, remedy: 'Close one of them.' },
        { terminalsMax },
      );
    }
    this.#opening++;
    let shell: ShellProcess;
    try {
      shell = await openShell();
    } finally {
      this.#opening--;
    }
    if (this.#isClosed) {
      shell.close();
      throw new Fault('aborted', { message: 'The screen was closed.' });
    }
    const id = randomUUID();
    const gate = new OutputGate(shell, (data) => this.#screen.emit('terminalData', { terminal: id, data }));
    this.#terminals.set(id, { shell, gate });
    // The screen learns its name first: what a shell says before would belong to nobody.
    setImmediate(() => shell.onText((text) => gate.push(text)));
    void shell.ended.then(({ code, fault }) => {
      gate.close();
      if (!this.#terminals.delete(id)) return;
      this.#screen.emit('terminalEnded', { terminal: id, code, fault });
    });
    return { terminal: id, ...(shell.user === null ? {} : { user: shell.user }) };
  }

  /** Undefined: it has ended, and what the screen said about it came too late. */
  get(id: string): Terminal | undefined {
    return this.#terminals.get(id);
  }

  close(id: string): void {
    const terminal = this.#terminals.get(id);
    this.#terminals.delete(id);
    terminal?.gate.close();
    terminal?.shell.close();
  }

  async closeAll(): Promise<void> {
    this.#isClosed = true;
    const shells = [...this.#terminals.values()].map(({ shell }) => shell);
    for (const id of [...this.#terminals.keys()]) this.close(id);
    await Promise.all(shells.map((shell) => shell.ended));
  }
}

export function createTerminalsPart(options: TerminalsPartOptions): AppPart<TerminalHandlers> {
  const { access, machineOf, environment = process.env } = options;
  const screens = new Set<ScreenTerminals>();

  function serve(screen: Screen): TerminalHandlers {
    const terminals = new ScreenTerminals(screen);
    screens.add(terminals);
    screen.onClose(() => {
      screens.delete(terminals);
      void terminals.closeAll();
    });
    return {
      openLocalTerminal: ({ columns, rows }) => terminals.open(() => openLocalShell({ columns, rows, environment })),
      openServerTerminal: ({ server, columns, rows }, signal) =>
        terminals.open(async () => {
          const machine = 'machine' in server ? server.machine : await machineOf(server.cluster, server.node);
          return openServerShell(access, machine, { columns, rows }, signal);
        }),
      typeInTerminal({ terminal, data }) {
        terminals.get(terminal)?.shell.type(data);
        return Promise.resolve(null);
      },
      resizeTerminal({ terminal, columns, rows }) {
        terminals.get(terminal)?.shell.resize({ columns, rows });
        return Promise.resolve(null);
      },
      acknowledgeTerminal({ terminal, characters }) {
        terminals.get(terminal)?.gate.acknowledge(characters);
        return Promise.resolve(null);
      },
      closeTerminal({ terminal }) {
        terminals.close(terminal);
        return Promise.resolve(null);
      },
    };
  }
  return {
    serve,
    async [Symbol.asyncDispose]() {
      await Promise.all([...screens].map((terminals) => terminals.closeAll()));
    },
  };
}
