/** How far the boot of this machine is. */
import { spawnSync } from 'node:child_process';

const timeoutMs = 5000;

/** What systemd prints of the instant at which a unit was reached: microseconds, 0 as long as it never was. */
export function isStillBooting(answer: string): boolean {
  return answer.trim() === '0';
}

/**
 * Until basic.target is reached nothing ordinary has been started (see holdfast-replicator.service, which stands before it). A replicator that has failed
 * does not hold it up: one that comes later finds it reached. False also where nobody can say.
 */
export function machineIsBooting(): boolean {
  const { stdout, status } = spawnSync(
    'systemctl',
    ['show', 'basic.target', '--property=ActiveEnterTimestampMonotonic', '--value'],
    {
      encoding: 'utf8',
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return status === 0 && isStillBooting(stdout);
}
