/** The agent's one program. Each part is loaded only when it is asked for: the control plane must stay small. */
import { Fault } from './contract/index.ts';

const commandLine = { bundled: './command-line.mjs', source: '../src-main/command-line/on-node.ts' } as const;

/** Exit code; null: the part ends the process itself, or keeps it alive. */
async function run(argv: readonly string[]): Promise<number | null> {
  const [command, ...rest] = argv;
  if (command === 'witness' && rest[0] === 'serve') {
    const { witnessMain } = await import('./witness/index.ts');
    await witnessMain(rest.slice(1));
    return 0;
  }
  switch (command) {
    case 'daemon': {
      const { daemonMain } = await import('./runtime/index.ts');
      await daemonMain();
      return 0;
    }
    case 'replicator': {
      const { replicatorMain } = await import('./replication/index.ts');
      await replicatorMain(rest);
      return null;
    }
    case 'connect': {
      const { connectMain } = await import('./connect.ts');
      return await connectMain();
    }
    case 'keys': {
      const { runKeysCommand } = await import('./keys.ts');
      return await runKeysCommand(rest);
    }
    case 'compare-kept': {
      const { compareKeptMain } = await import('./runtime/kept-compare.ts');
      return compareKeptMain(rest);
    }
    case 'restore-kept': {
      const { restoreKeptMain } = await import('./runtime/kept-restore.ts');
      return restoreKeptMain(rest);
    }
    case 'measure-data': {
      const { measureDataMain } = await import('./runtime/kept-compare.ts');
      return measureDataMain(rest);
    }
    case '--version': {
      const { agentVersion } = await import('./version.ts');
      process.stdout.write(`${agentVersion}\n`);
      return 0;
    }
    default:
      return await runCommandLine(argv);
  }
}

/** Belongs to the app's side of the house and stands beside the bundle as a file of its own. */
async function runCommandLine(argv: readonly string[]): Promise<number> {
  const name = import.meta.url.endsWith('.ts') ? commandLine.source : commandLine.bundled;
  const { main } = (await import(new URL(name, import.meta.url).href)) as {
    main: (argv: readonly string[]) => Promise<number>;
  };
  return await main(argv);
}

try {
  const code = await run(process.argv.slice(2));
  if (code !== null) process.exitCode = code;
} catch (error) {
  const fault = Fault.from(error);
  process.stderr.write(`${fault.message}${fault.remedy === '' ? '' : ` ${fault.remedy}`}\n`);
  if (fault.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = fault.code === 'wrong-usage' ? 2 : 1;
}
