/**
 * `npm start -- --practice`: the rehearsal, then the app on its cluster. Ctrl-C before the app is ready takes the servers away again;
 * afterwards they stay.
 */
import { Fault } from '../agent/contract/index.ts';
import {
  labCommandOf,
  practiceLabName,
  practiceObstacle,
  rehearse,
  rootLine,
  thisMachine,
} from '../src-main/practice/index.ts';
import { buildRenderer } from './build-app.ts';
import { repositoryRoot } from './tools.ts';

export interface PracticeStart {
  /** The client goes on writing while the app is open. */
  readonly keepTraffic: boolean;
  /** Opens the app at this place and returns when it has ended. */
  readonly run: (hash: string) => Promise<void>;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const npmCommand = 'npm start -- --practice';

function sayFault(error: unknown): void {
  const { message, remedy } = Fault.from(error);
  console.error(message);
  if (remedy !== '') console.error(remedy);
}

/** Returns the exit code: 2 when this machine or this user cannot, 130 after Ctrl-C. */
export async function startPractice({ keepTraffic, run }: PracticeStart): Promise<number> {
  const machine = thisMachine();
  const labCommand = labCommandOf(repositoryRoot);
  const obstacle = practiceObstacle(machine, labCommand, npmCommand);
  if (obstacle !== null || labCommand === null) {
    if (obstacle !== null) sayFault(new Fault(obstacle.code, obstacle));
    return 2;
  }
  const labName = practiceLabName();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Fault('aborted', { message: 'Cancelled.' }));
  // `on`, not `once`: a second Ctrl-C must not end the clean-up half way.
  for (const signal of signals) process.on(signal, interrupt);
  // npm may be gone first, and its pipes with it: that must not end the clean-up either.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    await buildRenderer();
    const { cluster, traffic } = await rehearse({
      labCommand,
      labName,
      say: (line) => console.log(line),
      signal: interrupted.signal,
    });
    {
      await using client = traffic;
      if (!keepTraffic) await client[Symbol.asyncDispose]();
      for (const signal of signals) process.off(signal, interrupt);
      console.log(
        `The practice cluster is yours: pull plugs in the app${keepTraffic ? ', while the client goes on writing' : ''}.`,
      );
      await run(`#/cluster/${encodeURIComponent(cluster)}`);
    }
    console.log(
      `The practice servers stay; ${rootLine('npm start', machine)} finds them again. Take them away: ` +
        `${rootLine('npm run lab -- down', machine)} --name ${labName}`,
    );
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) {
      sayFault(error);
      return 1;
    }
    console.log('Cancelled: nothing of the practice cluster is left.');
    return 130;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
