/** PostgreSQL as an application under protection: hosts come with the layer `postgresql`, the service is `app`. */
import type { Host } from '../../lab/index.ts';

export const postgresLayer = 'postgresql';
export const postgresDirectory = '/data/db';
export const postgresPort = 5432;
const programs = '/usr/lib/postgresql/15/bin';

/** Not enabled: the cluster decides where it runs. Stops as a planned stop should: open transactions are aborted, not awaited. */
const unit = `[Unit]
Description=PostgreSQL on the replicated directory

[Service]
Type=notify
User=postgres
ExecStart=${programs}/postgres -D ${postgresDirectory}
KillMode=mixed
KillSignal=SIGINT
TimeoutStartSec=60
TimeoutStopSec=30
RuntimeDirectory=app
`;

const configuration = `
listen_addresses = '*'
port = ${postgresPort}
unix_socket_directories = '/run/app'
max_connections = 60
shared_buffers = 32MB
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
# The defaults of a server that has nothing else to do; ours share two processors.
autovacuum_naptime = 5min
`;

const access = `local all all trust
host all all 127.0.0.1/32 trust
host all all 10.77.0.0/24 trust
`;

/** The unit and an empty directory: what both hosts need before the cluster is configured. */
export async function installPostgres(host: Host): Promise<void> {
  await host.writeFile('/etc/systemd/system/app.service', unit);
  await host.must(`install -d -o postgres -g postgres -m 0700 ${postgresDirectory} && systemctl daemon-reload && sync`);
}

/** Makes the database, on the host whose copy is the good one. */
export async function preparePostgres(host: Host, options: { readonly fsync?: boolean } = {}): Promise<void> {
  await installPostgres(host);
  const initdb = [`${programs}/initdb`, '-D', postgresDirectory, '-E', 'UTF8', '--locale=C.UTF-8', '--auth=trust'];
  await host.must([...initdb, '--no-instructions'], { user: 'postgres' });
  const text = options.fsync === false ? configuration.replace('fsync = on', 'fsync = off') : configuration;
  await host.must(`cat >>${postgresDirectory}/postgresql.conf`, { stdin: text });
  await host.must(`cat >${postgresDirectory}/pg_hba.conf`, { stdin: access });
  await host.must('sync');
}
