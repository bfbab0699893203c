/** Standard input and output, and the person behind them when there is one. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Fault } from '../../agent/contract/fault.ts';

export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Everything else: progress, reasons, questions. */
  err(text: string): void;
  /** Somebody sits there. */
  readonly interactive: boolean;
  /** Null: nobody can be asked. */
  ask(question: string): Promise<string | null>;
  askSecret(question: string): Promise<string | null>;
}

async function readAnswer(question: string, hidden: boolean): Promise<string> {
  // readline echoes what is typed; for a secret it echoes into nothing.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  // Only now: from here on the terminal does not echo by itself.
  process.stderr.write(question);
  try {
    return await lines.question('');
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}

export function processTerminal(): Terminal {
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    interactive,
    ask: async (question) => (interactive ? readAnswer(question, false) : null),
    askSecret: async (question) => (interactive ? readAnswer(question, true) : null),
  };
}

/** Fault: cannot-ask, when nobody is there and `--yes` was not given. */
export async function confirm(terminal: Terminal, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  const answer = await terminal.ask(`${question} [y/N] `);
  if (answer === null) {
    throw new Fault('cannot-ask', {
      message: `${question} Nobody can be asked here.`,
      remedy: 'Say it beforehand: --yes',
    });
  }
  return /^\s*(y|yes)\s*$/i.test(answer);
}

/** For what may lose data: the name itself has to be typed. Fault: cannot-ask. */
export async function confirmByName(
  terminal: Terminal,
  question: string,
  name: string,
  yes: boolean,
): Promise<boolean> {
  if (yes) return true;
  const answer = await terminal.ask(`${question}\nType ${name} to go on: `);
  if (answer === null) {
    throw new Fault('cannot-ask', {
      message: `${question} Nobody can be asked here.`,
      remedy: 'Say it beforehand: --yes',
    });
  }
  return answer.trim() === name;
}
