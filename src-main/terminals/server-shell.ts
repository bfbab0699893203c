/** A shell on a server: it needs sshd there, and nothing of ours. */
import { StringDecoder } from 'node:string_decoder';
import type { MachineLike, ServerAccess } from '../servers/index.ts';
import type { Shell } from '../ssh/index.ts';
import { EarlyText, type ShellEnd, type ShellProcess, type ShellSize } from './shell-process.ts';

class ServerShell implements ShellProcess {
  readonly #shell: Shell;
  readonly #text = new EarlyText();
  readonly #decoder = new StringDecoder('utf8');
  readonly user: string;
  readonly ended: Promise<ShellEnd>;
  #closedHere = false;
  #isOver = false;

  constructor(shell: Shell, user: string, giveBack: () => void) {
    this.#shell = shell;
    this.user = user;
    shell.output.on('data', (chunk: Buffer) => this.#text.push(this.#decoder.write(chunk)));
    this.ended = shell.ended.then(({ code, signal, fault }) => {
      this.#isOver = true;
      this.#text.push(this.#decoder.end());
      giveBack();
      if (code !== null || this.#closedHere) return { code, fault: null };
      return { code: null, fault: signal !== null && fault === null ? 'ended-by-signal' : 'connection-lost' };
    });
  }
  onText(listener: (text: string) => void): void {
    this.#text.listen(listener);
  }
  type(text: string): void {
    if (!this.#isOver) this.#shell.input.write(text);
  }
  resize(size: ShellSize): void {
    if (!this.#isOver) this.#shell.resize(size);
  }
  pause(): void {
    this.#shell.output.pause();
  }
  resume(): void {
    this.#shell.output.resume();
  }
  close(): void {
    this.#closedHere = true;
    this.#shell.close();
  }
}

/** Faults: those of ServerAccess.transport, ssh-channel-refused. */
export async function openServerShell(
  access: ServerAccess,
  machine: MachineLike,
  size: ShellSize,
  signal: AbortSignal,
): Promise<ShellProcess> {
  const transport = await access.transport(machine, signal);
  try {
    const shell = await transport.openShell(size, signal);
    return new ServerShell(shell, transport.user, () => transport.close());
  } catch (error) {
    transport.close();
    throw error;
  }
}
