/** What is asked of the service manager about the units of an application, and which units never are one. Pure. */

export const showUnitsCommand = (units: readonly string[]): readonly string[] => [
  'systemctl',
  'show',
  '--property=Id,ControlGroup,ConsistsOf',
  '--',
  ...units,
];

/** Without it a service that is to be restarted when it fails would be, at once. */
export const dismissUnitsCommand = (units: readonly string[]): readonly string[] => [
  'systemctl',
  'stop',
  '--no-block',
  '--',
  ...units,
];

export interface ShownUnit {
  /** Its name, whatever other name was asked for. */
  readonly id: string;
  /** '' while it does not run. */
  readonly controlGroup: string;
  /** What is started and stopped together with it: a `postgresql.service` is only the name for its instances. */
  readonly consistsOf: readonly string[];
}

export function parseUnits(stdout: string): readonly ShownUnit[] {
  return stdout
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1]?.trim() ?? '';
      return {
        id: value('Id'),
        controlGroup: value('ControlGroup'),
        consistsOf: value('ConsistsOf')
          .split(/\s+/)
          .filter((unit) => unit.endsWith('.service')),
      };
    });
}

/**
 * What belongs to the machine is never taken for an application, whatever a start command restarts on its way: access to it, its network, its disks, what
 * runs other machines or containers, its log and its clock.
 */
const machineNames = [
  'holdfast[\\w-]*',
  ...[
    'systemd-[\\w-]+',
    'dbus',
    'dbus-[\\w.-]+',
    'user',
    'user-runtime-dir',
    'getty',
    'serial-getty',
    'polkit',
    'udev',
  ],
  ...['sshd?', 'crond?', 'atd', 'rsyslogd?', 'syslog(-ng)?', 'auditd', 'chronyd?', 'ntpd?', 'ntpsec', 'snmpd'],
  ...['NetworkManager', 'network-manager', 'networking', 'network', 'netplan-[\\w-]+', 'dhcpcd', 'dhclient'],
  ...['wpa_supplicant', 'connman', 'resolvconf', 'firewalld', 'nftables', 'iptables', 'ip6tables', 'ufw'],
  ...['netfilter-persistent', 'fail2ban', 'wg-quick', 'openvpn[\\w-]*', 'strongswan[\\w-]*', 'ipsec', 'tailscaled'],
  ...['frr', 'bird6?', 'keepalived', 'corosync', 'pacemaker'],
  ...['iscsid?', 'iscsi[\\w-]*', 'open-iscsi', 'multipathd?', 'multipath-tools', 'lvm2-[\\w-]+', 'mdmonitor', 'drbd'],
  ...['rpcbind', 'rpc-[\\w-]+', 'nfs-[\\w-]+', 'autofs', 'ceph[\\w-]*', 'glusterd', 'zfs-[\\w-]+'],
  ...[
    'libvirtd',
    'virt[\\w-]*d',
    'docker',
    'containerd',
    'podman',
    'crio',
    'kubelet',
    'lxc[\\w-]*',
    'qemu-guest-agent',
  ],
  ...[
    'open-vm-tools',
    'vmtoolsd',
    'hv-[\\w-]+',
    'cloud-(init|config|final)[\\w-]*',
    'sssd',
    'winbind',
    'nscd',
    'nslcd',
  ],
];
const machine = new RegExp(`^(${machineNames.join('|')})(@.*)?\\.\\w+$`);

export function ofTheMachine(unit: string): boolean {
  return machine.test(unit);
}

export function applicationUnits(units: readonly string[]): readonly string[] {
  return units.filter((unit) => unit.endsWith('.service') && !ofTheMachine(unit));
}

/** Services, and what would start them again. Only what the start command names itself: it brings that back. */
export function dismissedUnits(units: readonly string[]): readonly string[] {
  return units.filter((unit) => /\.(service|socket|timer|path)$/.test(unit) && !ofTheMachine(unit));
}
