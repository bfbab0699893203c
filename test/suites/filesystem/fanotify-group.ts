/** What an on-access scanner is to the kernel: a permission group with a mark on a mount. `node fanotify-group.ts PATH`; prints `marked`, then stays. */
import { systemCall } from '../../../agent/sys/library.ts';
import { Memory } from '../../../agent/sys/linux.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('PATH');
const [init, mark] = process.arch === 'arm64' ? [262n, 263n] : [300n, 301n];
const contentClass = 4n;
const [add, wholeMount] = [1n, 0x10n];
/** FAN_OPEN_EXEC_PERM: nobody starts a program on the disk of a test, so nobody waits for an answer that never comes. */
const openToRun = 0x40000n;
const workingDirectory = -100n;

const fd = systemCall(init, contentClass, 0n);
const text = new Memory(4096);
text.bytes.write(`${path}\0`);
const status =
  fd < 0 ? fd : systemCall(mark, BigInt(fd), add | wholeMount, openToRun, workingDirectory, text.address());
if (status < 0) throw new Error(`fanotify: ${status}`);
console.log('marked');
setInterval(() => undefined, 60_000);
