/** What a shell on n1 shows a person who looks for a full disk. */
import type { Page } from 'playwright-core';
import { Fault } from '../../agent/contract/index.ts';
import type { Demonstration } from './demonstration-parts.ts';
import { TerminalPage } from './pages/terminal-page.ts';

const session = [
  '\u001b[1mroot@n1\u001b[0m:~# df -hT -x tmpfs -x devtmpfs -x overlay',
  'Filesystem     Type  Size  Used Avail Use% Mounted on',
  '/dev/sda2      ext4   40G   12G   26G  32% /',
  '/dev/sdb1      xfs   2.0T  1.9T  104G  \u001b[33m95%\u001b[0m /data',
  '\u001b[1mroot@n1\u001b[0m:~# ls --color /data/db/backup',
  '\u001b[34mdaily\u001b[0m  \u001b[34mweekly\u001b[0m  \u001b[31mdump-2025-12-31.tar.gz\u001b[0m  \u001b[32mrotate.sh\u001b[0m',
  '\u001b[1mroot@n1\u001b[0m:~# ',
].join('\r\n');

export async function openShell(page: Page, parts: Demonstration): Promise<void> {
  parts.terminals.answer('openServerTerminal', async () => {
    const terminal = parts.terminals.register();
    setImmediate(() => parts.terminals.print(terminal, session));
    return { terminal, user: 'root' };
  });
  const terminal = new TerminalPage(page);
  await terminal.toggle();
  await terminal.shows(/rotate\.sh/);
}

/** The other server asks for a password. */
export async function openLockedShell(page: Page, parts: Demonstration): Promise<void> {
  const details = { kind: 'ssh-password', user: 'admin', host: '10.77.0.11', wrong: false };
  parts.terminals.answer('openServerTerminal', async () => {
    throw new Fault('secret-needed', { message: 'A password is needed.' }, details);
  });
  const terminal = new TerminalPage(page);
  await terminal.toggle();
  await terminal.panel.locator('input[type=password]').waitFor();
}

/** The connection was lost in the middle. */
export async function openLostShell(page: Page, parts: Demonstration): Promise<void> {
  await openShell(page, parts);
  parts.terminals.endAll(null, 'connection-lost');
  await new TerminalPage(page).panel.getByRole('status').filter({ hasText: 'n1' }).waitFor();
}
