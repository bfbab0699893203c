/** PostgreSQL on the practice servers: the application that is protected there. The servers come with its packages and without a database. */

export const database = {
  directory: '/data/db',
  unit: 'postgresql-practice',
  port: 5432,
  user: 'postgres',
  name: 'postgres',
} as const;

const socketDirectory = `/run/${database.unit}`;

/**
 * Not enabled: the cluster decides where it runs. SIGINT is PostgreSQL's fast shutdown: open transactions are aborted, not awaited.
 * `$programs` is filled in by the shell.
 */
const unit = `[Unit]
Description=PostgreSQL of the practice cluster

[Service]
Type=notify
User=${database.user}
ExecStart=$programs/postgres -D ${database.directory}
KillMode=mixed
KillSignal=SIGINT
TimeoutStartSec=60
TimeoutStopSec=30
RuntimeDirectory=${database.unit}
`;

const configuration = `
listen_addresses = '*'
port = ${database.port}
unix_socket_directories = '${socketDirectory}'
max_connections = 60
shared_buffers = 32MB
jit = off
`;

/** The servers' network exists only on this machine. */
const access = `local all all trust
host all all 127.0.0.1/32 trust
host all all 10.77.0.0/24 trust
`;

/** For `sh`, as root on one of the servers; the database is made on the one that has the good data. Durable when it ends: a plug may be pulled. */
export function installScript(withData: boolean): string {
  const initialise = `su ${database.user} -s /bin/sh -c "$programs/initdb -D ${database.directory} -E UTF8 --locale=C.UTF-8 --auth=trust --no-instructions" >/dev/null
cat >>${database.directory}/postgresql.conf <<'END'
${configuration}END
cat >${database.directory}/pg_hba.conf <<'END'
${access}END
`;
  return `set -eu
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
cat >/etc/systemd/system/${database.unit}.service <<END
${unit}END
systemctl daemon-reload
install -d -o ${database.user} -g ${database.user} -m 0700 ${database.directory}
${withData ? initialise : ''}sync
`;
}
