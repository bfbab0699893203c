/** Applications that are known by their unit or their program, and where they usually keep their data. */

interface Product {
  readonly name: string;
  /** As systemd matches them. */
  readonly units: readonly string[];
  readonly programs: readonly string[];
  readonly directories: readonly string[];
  /** Keeps its data in one place that its processes stand in or have open: other open files say nothing more. */
  readonly database: boolean;
}

export const products: readonly Product[] = [
  {
    name: 'postgresql',
    units: ['postgresql.service', 'postgresql-*.service', 'postgresql@*.service'],
    programs: ['postgres', 'postmaster', 'pg_ctl', 'pg_ctlcluster'],
    directories: ['/var/lib/pgsql/data'],
    database: true,
  },
  {
    name: 'mariadb',
    units: ['mariadb.service', 'mariadb@*.service'],
    programs: ['mariadbd', 'mariadbd-safe'],
    directories: ['/var/lib/mysql'],
    database: true,
  },
  {
    name: 'mysql',
    units: ['mysql.service', 'mysqld.service', 'mysqld@*.service'],
    programs: ['mysqld', 'mysqld_safe'],
    directories: ['/var/lib/mysql'],
    database: true,
  },
  {
    name: 'mssql',
    units: ['mssql-server.service'],
    programs: ['sqlservr'],
    directories: ['/var/opt/mssql'],
    database: true,
  },
  {
    name: 'oracle',
    units: ['oracle*.service', 'dbora.service'],
    programs: ['dbstart', 'tnslsnr'],
    directories: ['/opt/oracle/oradata', '/u01/app/oracle/oradata'],
    database: true,
  },
  {
    name: 'firebird',
    units: ['firebird*.service'],
    programs: ['firebird', 'fbguard'],
    directories: ['/var/lib/firebird'],
    database: true,
  },
  {
    name: 'mongodb',
    units: ['mongod.service', 'mongodb.service'],
    programs: ['mongod'],
    directories: ['/var/lib/mongodb', '/var/lib/mongo'],
    database: true,
  },
  {
    name: 'redis',
    units: ['redis.service', 'redis-server.service', 'redis@*.service', 'valkey.service'],
    programs: ['redis-server', 'valkey-server'],
    directories: ['/var/lib/redis', '/var/lib/valkey'],
    database: true,
  },
  {
    name: 'apache',
    units: ['apache2.service', 'httpd.service'],
    programs: ['apache2', 'httpd', 'httpd-prefork', 'apachectl', 'start_apache2'],
    directories: ['/srv/www/htdocs', '/var/www'],
    database: false,
  },
  {
    name: 'nginx',
    units: ['nginx.service'],
    programs: ['nginx'],
    directories: ['/srv/www/htdocs', '/var/www'],
    database: false,
  },
  {
    name: 'docker',
    units: ['docker.service'],
    programs: ['dockerd'],
    directories: ['/var/lib/docker'],
    database: false,
  },
  {
    name: 'k3s',
    units: ['k3s.service'],
    programs: ['k3s'],
    directories: ['/var/lib/rancher/k3s'],
    database: false,
  },
];

/** Looked for also where they do not run. */
export const productUnits = products.flatMap(({ units }) => units);
export const knownDirectories = [...new Set(products.flatMap(({ directories }) => directories))];

function matches(pattern: string, unit: string): boolean {
  const [head = '', tail] = pattern.split('*');
  return tail === undefined ? unit === pattern : unit.startsWith(head) && unit.endsWith(tail);
}

/** By its program, which tells more than a name that anybody may give; else by the name of the unit. */
export function productOf(unit: string, program: string): Product | null {
  const name = program.split('/').at(-1)?.replace(/:$/, '') ?? '';
  return (
    products.find((product) => product.programs.includes(name)) ??
    products.find((product) => product.units.some((pattern) => matches(pattern, unit))) ??
    null
  );
}

/** Of the system itself: nobody makes these highly available. */
const noise = new RegExp(
  `^(${[
    'systemd-.*|user@.*|user-runtime-dir@.*|(serial-|console-|container-)?getty@?.*|autovt@.*|emergency|rescue|initrd-.*|dracut-.*|plymouth.*|kmod.*|modprobe@.*',
    'holdfast.*|ssh|sshd|ssh@.*|sshd@.*|sshd-.*|rsshd|dropbear.*|telnet.*',
    'dbus|dbus-.*|polkit|accounts-daemon|rtkit-daemon|udisks2|upower|colord|bluetooth|ModemManager|avahi-daemon|cups.*|alsa-.*|acpid|gdm|lightdm|sddm|display-manager',
    'cron|crond|atd|anacron|rsyslog|syslog.*|auditd|logrotate|man-db.*|sysstat.*|smartd|smartmontools|mcelog|rasdaemon|irqbalance|tuned|ksm|ksmtuned|thermald|power-profiles-daemon|cpupower',
    'chrony.*|ntp.*|ntpd|ntpsec.*|openntpd|timesyncd',
    'NetworkManager.*|networking|network|wicked.*|wpa_supplicant.*|dhcpcd.*|dhclient.*|ifup@.*|resolvconf|nscd|unscd|nslcd|sssd.*|oddjobd|winbind|gssproxy|rpc.*|nfs-.*|nfs-client|iscsi.*|open-iscsi|multipath.*|lldpd',
    'firewalld|ufw|nftables|iptables|ip6tables|fail2ban|apparmor.*|selinux.*|restorecond|rngd|rng-tools.*|haveged',
    'lvm2-.*|dm-event|blk-availability|mdmonitor.*|mdadm.*|e2scrub.*|fstrim|btrfs.*|zfs-.*|quotaon|keyboard-setup|console-setup|setvtrgb|systemd.*|ldconfig|hwclock.*',
    'qemu-guest-agent|qemu-ga|open-vm-tools|vmtoolsd|vgauthd?|vboxadd.*|hv-.*|hyperv-.*|waagent|walinuxagent|cloud-.*|google-.*|amazon-.*|ec2-.*|xe-.*',
    'apt-.*|dpkg-.*|unattended-upgrades|packagekit.*|snapd.*|dnf-.*|dnf.*|yum.*|zypp.*|fwupd.*|rhsm.*|insights-.*|subscription.*|apport.*|whoopsie|kerneloops|ua-.*|ubuntu-.*|esm-.*|pollinate|motd-.*|issue-generator|purge-kernels|ca-certificates.*|kdump.*|makedumpfile|pmcd|pmlogger|cockpit.*|setroubleshootd|abrt.*',
    'containerd|docker-.*|crio|postgresql-setup.*|x11-common|sudo|procps|rc-local|halt-local|grub.*|boot-.*|import-state|loadmodules|low-memory-monitor|nvmefc.*|nvmf-.*|ostree.*',
  ].join('|')})\\.service$`,
);

export function isNoise(unit: string): boolean {
  return noise.test(unit);
}
