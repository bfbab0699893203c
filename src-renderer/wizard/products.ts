/** Proper names: the same in every language. */
export const productNames: Readonly<Record<string, string>> = {
  postgresql: 'PostgreSQL',
  mariadb: 'MariaDB',
  mysql: 'MySQL',
  mongodb: 'MongoDB',
  redis: 'Redis',
  influxdb: 'InfluxDB',
  firebird: 'Firebird',
  apache: 'Apache',
  nginx: 'NGINX',
  mssql: 'Microsoft SQL Server',
  oracle: 'Oracle',
  k3s: 'K3s',
  docker: 'Docker',
  podman: 'Podman',
  samba: 'Samba',
};
