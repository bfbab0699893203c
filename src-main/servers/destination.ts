import { Fault } from '../../agent/contract/fault.ts';
import { parseDestination } from '../ssh/index.ts';

/** Fault: destination-invalid. */
export function checkDestination(destination: string): void {
  const { user, host, port } = parseDestination(destination);
  const plainHost = /^[\w](?:[\w.-]*[\w])?\.?$/.test(host);
  const ipv6 = host.includes(':') && /^[0-9a-f:.]+(?:%[\w.-]+)?$/i.test(host);
  // A user name may hold nearly anything, but nothing that looks like an option or ends the line.
  const plainUser = user === null || /^[^\s@:/\\-][^\s@:/]*$/.test(user);
  const plainPort = port === null || (port >= 1 && port <= 65_535);
  if ((plainHost || ipv6) && plainUser && plainPort && destination.length <= 512) return;
  throw new Fault(
    'destination-invalid',
    {
      message: destination.trim() === '' ? 'No server is given.' : `"${destination}" is not the address of a server.`,
      remedy: 'Write user@host, such as root@10.0.0.11 or admin@server1.example.com.',
    },
    { destination: destination.slice(0, 512) },
  );
}
