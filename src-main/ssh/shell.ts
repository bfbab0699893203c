/**
 * Scripts for hosts whose login shell may be anything (csh, fish) and may print what it likes. A script travels base64-coded inside one
 * word that all shells read alike, and answers with a marker before its own output. No secret ever stands in a script.
 */

/** One word for /bin/sh. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Linux takes 128 KiB in one argument (MAX_ARG_STRLEN); base64 of base64 of the script must stay below. */
const scriptBytesMax = 60_000;

/** A command line without newline, `!`, backslash or inner single quote: csh, fish and sh read it alike. */
export function shellCommand(script: string): string {
  if (Buffer.byteLength(script) > scriptBytesMax) throw new RangeError('script too long');
  return `/bin/sh -c 'eval "$(echo ${Buffer.from(script).toString('base64')} | base64 -d)"'`;
}

export interface Markers {
  /** On stdout and stderr, alone on a line: what follows is the script's. */
  readonly begin: string;
  /** On stderr: sudo wants the password. */
  readonly password: string;
  /** On stderr: there is no sudo. */
  readonly noSudo: string;
}

export function makeMarkers(random: string): Markers {
  return {
    begin: `holdfast-begin-${random}`,
    password: `holdfast-password-${random}`,
    noSudo: `holdfast-no-sudo-${random}`,
  };
}

export function plainScript(script: string, markers: Markers): string {
  return `echo ${markers.begin}; echo ${markers.begin} >&2\n${script}`;
}

/** As root: directly when the login is root's, else through sudo, which reads the password from stdin when it prints the prompt. */
export function elevatedScript(script: string, markers: Markers): string {
  const inner = shellCommand(plainScript(script, markers));
  return [
    'HOLDFAST_SSH_CONNECTION=$SSH_CONNECTION; export HOLDFAST_SSH_CONNECTION',
    `if [ "$(id -u)" = 0 ]; then exec ${inner}; fi`,
    `command -v sudo >/dev/null 2>&1 || { echo ${markers.noSudo} >&2; exit 1; }`,
    'LC_ALL=C; export LC_ALL',
    `exec sudo -S -p ${markers.password} -- /usr/bin/env HOLDFAST_SSH_CONNECTION="$SSH_CONNECTION" ${inner}`,
  ].join('\n');
}
