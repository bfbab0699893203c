/** When a node that could not be read is asked again. Pure. */

/** Only a person can mend these on the server, and each further attempt may lock an account. Asked again when somebody wants it. */
const forPerson = ['sudo-password-wrong', 'no-sudo', 'destination-invalid'];

/** Mended elsewhere: a secret that is given, an installation that is gone on with. Who connects does not knock again for each question. */
const forSomebodyElse = [
  'secret-needed',
  'login-refused',
  'sudo-needs-password',
  'host-key-unknown',
  'host-key-changed',
  'host-key-revoked',
  'version-skew',
  'not-configured',
];
const slowMs = 15_000;

const firstDelayMs = 500;

/**
 * `failures`: in a row, at least 1. `letIn`: this node has let us in before, so that a refusal is no wrong password but a server that is
 * starting. Null: not by itself.
 */
export function retryDelayMs(code: string, failures: number, letIn: boolean, paceMs: number): number | null {
  if (forPerson.includes(code)) return letIn ? slowMs : null;
  if (forSomebodyElse.includes(code)) return slowMs;
  const longest = Math.max(3 * paceMs, 3000);
  return Math.min(firstDelayMs * 2 ** (failures - 1), longest);
}
