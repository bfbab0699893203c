/** An installation as lines of text; on a terminal with the bytes of running uploads. */
import type { InstallEvent } from '../install/index.ts';
import type { Terminal } from './terminal.ts';
import { bytesText } from './text.ts';

const redrawIntervalMs = 200;

export function progressText(terminal: Terminal): (event: InstallEvent) => void {
  const uploads = new Map<string, string>();
  let drawnAtMs = 0;
  let drawn = false;
  const clear = (): void => {
    if (drawn) terminal.err('\r\u001B[K');
    drawn = false;
  };
  return (event) => {
    switch (event.kind) {
      case 'phase':
        clear();
        terminal.err(`${event.title}\n`);
        return;
      case 'step-bytes': {
        if (!terminal.interactive) return;
        uploads.set(
          event.step.host ?? '',
          `${event.step.host ?? ''} ${bytesText(event.doneBytes)} of ${bytesText(event.totalBytes)}`,
        );
        if (performance.now() - drawnAtMs < redrawIntervalMs) return;
        drawnAtMs = performance.now();
        clear();
        terminal.err(`  ${[...uploads.values()].join('   ')}`);
        drawn = true;
        return;
      }
      case 'step-done':
        uploads.delete(event.step.host ?? '');
        clear();
        terminal.err(`  ${event.step.title}${event.note === undefined ? '' : `. ${event.note}`}\n`);
        return;
      case 'checked':
        for (const check of event.checks) {
          if (check.attention) terminal.err(`  ${check.host ?? ''}: ${check.what}. ${check.why} ${check.remedy}\n`);
        }
        return;
      case 'planned':
      case 'step-started':
      case 'step-failed':
        return;
    }
  };
}
