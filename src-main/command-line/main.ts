/** `holdfast` on the laptop. */
import {
  applyCommand,
  checkCommand,
  configCommand,
  openSession,
  uninstallCommand,
  witnessCommand,
} from './install-commands.ts';
import { runCommandLine, type Place } from './run.ts';

export const laptop: Place = {
  own: {
    apply: applyCommand,
    check: checkCommand,
    config: configCommand,
    uninstall: uninstallCommand,
    witness: witnessCommand,
  },
  access: openSession,
};

if (import.meta.main) {
  const code = await runCommandLine(process.argv.slice(2), laptop);
  // Not everything that was opened has a reason to end by itself: a proxy command, an agent socket.
  process.exit(code);
}
