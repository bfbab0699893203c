/** PostgreSQL with its defaults in the directory under measurement; it is made once per place and started for each round. */
import type { Host } from '../../lab/index.ts';

const programs = '/usr/lib/postgresql/15/bin';
const seconds = 5;
const scale = 5;

/** @returns transactions per second, without the time that connecting takes. */
export async function transactionsPerSecond(host: Host, directory: string, clients: number): Promise<number> {
  const data = `${directory}/postgres`;
  const socket = '/run/bench-postgres';
  await host.must(`install -d -o postgres -g postgres -m 0700 ${data} && install -d -o postgres ${socket}`);
  const asPostgres = async (command: string): Promise<string> =>
    host.must(command, { user: 'postgres', timeoutMs: 300_000 });
  const options = `-c listen_addresses='' -c unix_socket_directories=${socket}`;
  const isNew = (await host.exec(`test -e ${data}/PG_VERSION`)).code !== 0;
  if (isNew) await asPostgres(`${programs}/initdb -D ${data} --auth=trust --no-instructions -N >/dev/null`);
  await asPostgres(`${programs}/pg_ctl -D ${data} -w -s -l ${socket}/log -o "${options}" start`);
  try {
    if (isNew) await asPostgres(`${programs}/pgbench -h ${socket} -i -q -s ${scale} postgres >/dev/null 2>&1`);
    await asPostgres(`${programs}/psql -h ${socket} -q -c checkpoint postgres`);
    const said = await asPostgres(
      `${programs}/pgbench -h ${socket} -n -c ${clients} -j ${Math.min(clients, 2)} -T ${seconds} postgres`,
    );
    const rate = /tps = ([\d.]+) \(without initial connection time\)/.exec(said)?.[1];
    if (rate === undefined) throw new Error(`pgbench said: ${said}`);
    return Number(rate);
  } finally {
    await asPostgres(`${programs}/pg_ctl -D ${data} -w -s -m fast stop`);
  }
}
