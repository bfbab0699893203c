/** When a node that could not be read is asked again. Pure. */
import type { Fault } from '../../agent/contract/index.ts';

/** Only a person can mend these, and sudo counts each further attempt until it locks the account. Asked again when somebody wants it. */
const forPerson = ['sudo-password-wrong', 'sudo-needs-password', 'no-sudo', 'destination-invalid'];

/** Mended elsewhere: a secret that is given, an installation that is gone on with. Who connects does not knock again for each question. */
const forSomebodyElse = [
  'secret-needed',
  'login-refused',
  'host-key-unknown',
  'host-key-changed',
  'host-key-revoked',
  'version-skew',
  'not-configured',
];
const slowMs = 15_000;

const firstDelayMs = 500;

/** `failures`: in a row, at least 1. Null: not by itself. */
export function retryDelayMs(fault: Fault, failures: number, paceMs: number): number | null {
  const wantsSudo = fault.code === 'secret-needed' && fault.details['kind'] === 'sudo-password';
  if (wantsSudo || forPerson.includes(fault.code)) return null;
  if (forSomebodyElse.includes(fault.code)) return slowMs;
  const longest = Math.max(3 * paceMs, 3000);
  return Math.min(firstDelayMs * 2 ** (failures - 1), longest);
}
