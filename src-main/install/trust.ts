/** What SELinux and fapolicyd have to be told before our files may run. Plain shell, for hosts that have neither. */
import { layout, runtimeProgram } from './layout.ts';

/** Own file of ours, so that an uninstall takes away exactly what an installation has added. */
const trustFile = 'holdfast';

/** In the directory of what was just unpacked: labels by the policy of the server, and one that may run where the policy says nothing of /opt. */
export const labelScript = `if [ -e /sys/fs/selinux/enforce ]; then
  if command -v restorecon >/dev/null 2>&1; then restorecon -R "$PWD" || true; fi
  if [ -f ${runtimeProgram} ]; then case $(stat -c %C ${runtimeProgram}) in *:bin_t|*:bin_t:*) ;; *) chcon -t bin_t ${runtimeProgram} || true ;; esac; fi
fi`;

const whereTrusted = 'command -v fapolicyd-cli >/dev/null 2>&1 && systemctl is-active --quiet fapolicyd';

/** fapolicyd starts only files whose size and sum it was told. Older ones know no trust file of one's own. `path`: a directory ends with a slash. */
export function trustScript(path: string): string {
  return `if ${whereTrusted}; then
  fapolicyd-cli --file delete ${path} >/dev/null 2>&1 || true
  fapolicyd-cli --file add ${path} --trust-file ${trustFile} >/dev/null 2>&1 || fapolicyd-cli --file add ${path}
  fapolicyd-cli --update >/dev/null
fi`;
}

export const distrustScript = `if ${whereTrusted}; then
  for path in ${layout.home}/ ${layout.command}; do fapolicyd-cli --file delete $path >/dev/null 2>&1 || true; done
  rm -f /etc/fapolicyd/trust.d/${trustFile}
  fapolicyd-cli --update >/dev/null || true
fi`;
