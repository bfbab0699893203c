/** What a volume says of its disk and of its peer, each with what a person can do. */
import { Fault } from '../contract/index.ts';

interface Named {
  readonly id: string;
  readonly path: string;
}

/** As source of a resync. */
export function unreadable({ path }: Named, errno: number): Fault {
  return new Fault(
    'source-unreadable',
    {
      message: `A file below ${path} cannot be read, so the copy of the other node cannot be completed.`,
      remedy: 'Look at the kernel log. Remove the damaged file, or restore it from a backup.',
    },
    { errno },
  );
}

/** @param call that failed, with `errno`. */
export function diskFailed({ path }: Named, call: string, errno: number): Fault {
  return new Fault(
    'disk-failed',
    {
      message: `The disk of ${path} failed (${call}).`,
      remedy: 'Look at the kernel log. The application should go on on the other node.',
    },
    { call, errno },
  );
}

export function errorsLost({ path }: Named): Fault {
  return new Fault(
    'disk-failed',
    {
      message: `What the disk of ${path} has failed to write is not known: the replication process was told of an error, or was ended each time that it asked. Nothing is called synced.`,
      remedy: 'The application should go on on the other node. Where there is none, restart the application.',
    },
    { path },
  );
}

export function silent({ path }: Named): Fault {
  return new Fault('disk-silent', { message: `The disk of ${path} does not answer.` });
}

export function silentSince({ path }: Named, silentMs: number): Fault {
  const since = new Date(Date.now() - silentMs).toISOString().slice(11, 19);
  return new Fault(
    'disk-silent',
    {
      message: `The disk of ${path} has not answered since ${since} UTC.`,
      remedy: 'Look at the kernel log for disk errors.',
    },
    { path, silentMs: Math.round(silentMs) },
  );
}

export function expelled({ id }: Named, timeoutMs: number): Fault {
  return new Fault(
    'peer-expelled',
    {
      message: `The other node did not acknowledge a change of ${id} within ${timeoutMs} ms and was expelled.`,
      remedy: 'It comes back by itself. When this repeats, look at its disk and at the network.',
    },
    { timeoutMs },
  );
}
