/** How far the boot of this machine is. */
import { spawnSync } from 'node:child_process';

const timeoutMs = 5000;

/** What systemd prints of the instant at which the boot was complete: microseconds, 0 as long as it is not. */
export function isStillBooting(answer: string): boolean {
  return answer.trim() === '0';
}

/**
 * Until the first boot is complete the order of the units holds: nothing ordinary has been started before the covers lie there (see
 * holdfast-replicator.service). False also where nobody can say.
 */
export function machineIsBooting(): boolean {
  const { stdout, status } = spawnSync('systemctl', ['show', '--property=FinishTimestampMonotonic', '--value'], {
    encoding: 'utf8',
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 && isStillBooting(stdout);
}
