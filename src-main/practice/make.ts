/** Makes the practice servers, complete or not at all: two bare servers and a witness, PostgreSQL on both, its database on n1. */
import { Fault } from '../../agent/contract/index.ts';
import { labHosts } from './configuration.ts';
import type { PracticeLab } from './lab.ts';
import { installScript } from './postgres.ts';

export interface Progress {
  /** kebab-case; the screen words it from here. */
  readonly code: string;
  /** English, for a terminal. */
  readonly message: string;
}

/** What the launcher and the lab say while they work → what it means for a person. The first match counts. */
const meanings: readonly { readonly pattern: RegExp; readonly progress: Progress }[] = [
  {
    pattern: /^Installing the Debian packages /,
    progress: {
      code: 'packages',
      message: 'Installing the Debian packages that practice servers are made with, once.',
    },
  },
  {
    pattern: /^lab: building the bare server root/,
    progress: { code: 'root', message: 'Building the Debian that the servers boot, once (one to two minutes).' },
  },
  {
    pattern: /^lab: building the layer/,
    progress: { code: 'layer', message: 'Adding the packages of PostgreSQL, once (about half a minute).' },
  },
  {
    pattern: /^lab: starting /,
    progress: { code: 'boot', message: 'Starting n1, n2 and the witness.' },
  },
];

export function meaningOf(line: string): Progress | null {
  return meanings.find(({ pattern }) => pattern.test(line))?.progress ?? null;
}

async function installPostgres(lab: PracticeLab, host: 'n1' | 'n2', signal: AbortSignal): Promise<void> {
  const input = installScript(host === 'n1');
  await lab.run(['exec', labHosts[host], '--', 'sh'], { input, signal });
}

/** Whatever was there before is replaced. A failure or a cancellation leaves nothing. Faults: practice-lab-failed. */
export async function makeServers(
  lab: PracticeLab,
  tell: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    tell({ code: 'begin', message: 'Making two servers and a witness on this machine.' });
    await lab.run(['up', '--nodes', '2', '--witness', '--layer', 'postgresql', '--json'], {
      signal,
      onLine: (line) => {
        const progress = meaningOf(line);
        if (progress !== null) tell(progress);
      },
    });
    tell({ code: 'postgresql', message: 'Installing PostgreSQL on both servers; the database is made on n1.' });
    const installed = await Promise.allSettled([
      installPostgres(lab, 'n1', signal),
      installPostgres(lab, 'n2', signal),
    ]);
    const failed = installed.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  } catch (error) {
    try {
      await lab.down();
    } catch (leftOver) {
      throw new Fault(
        'practice-not-removed',
        {
          message: `The practice servers could not be made (${Fault.from(error).message}), and not be taken away either: ${Fault.from(leftOver).message}`,
          remedy: `Take them away: npm run lab -- down --name ${lab.name}`,
        },
        { lab: lab.name },
        error,
      );
    }
    throw error;
  }
}
