/** Shells that answer every line with itself, so that a test sees what was typed arrive. */
import type { TerminalHandlers } from '../../src-main/app-api/index.ts';
import type { Screen } from '../../src-main/app.ts';
import { DemonstrationPart } from './demonstration-part.ts';

export class DemonstrationTerminals extends DemonstrationPart<TerminalHandlers> {
  #next = 1;
  readonly #owners = new Map<string, Screen>();

  /** Something that a shell prints. */
  print(terminal: string, data: string): void {
    this.#owners.get(terminal)?.emit('terminalData', { terminal, data });
  }
  end(terminal: string, code: number | null, fault: string | null = null): void {
    this.#owners.get(terminal)?.emit('terminalEnded', { terminal, code, fault });
    this.#owners.delete(terminal);
  }

  /** A shell of the page that is open, for a test that answers for it. */
  register(): string {
    const screen = [...this.screens].at(-1);
    if (screen === undefined) throw new Error('no page is open');
    return this.#register(screen);
  }
  #register(screen: Screen): string {
    const terminal = `terminal-${this.#next++}`;
    this.#owners.set(terminal, screen);
    return terminal;
  }
  /** Of all shells. */
  endAll(code: number | null, fault: string | null = null): void {
    for (const terminal of [...this.#owners.keys()]) this.end(terminal, code, fault);
  }

  protected handlers(screen: Screen): TerminalHandlers {
    const open = (prompt: string): { terminal: string } => {
      const terminal = this.#register(screen);
      // After the answer: the page knows the terminal only then.
      setImmediate(() => this.print(terminal, `${prompt} `));
      return { terminal };
    };
    return {
      openLocalTerminal: async () => open('integrator@laptop:~$'),
      openServerTerminal: async ({ server }) =>
        open(`root@${'node' in server ? server.node : server.machine.destination}:~#`),
      typeInTerminal: async ({ terminal, data }) => {
        this.print(terminal, data.replaceAll('\r', '\r\n$ '));
        return null;
      },
      resizeTerminal: async () => null,
      acknowledgeTerminal: async () => null,
      closeTerminal: async ({ terminal }) => {
        this.end(terminal, 0);
        return null;
      },
    };
  }
}
