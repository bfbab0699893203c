/** A peer beside us on the same servers: keepalived with its defaults moves an address of its own, in front of the same trivial application. */
import { until, type Host } from '../lab/index.ts';
import { namePort } from './name-server.ts';
import type { VipWatch } from './vip-watch.ts';

export const keepalivedLayer = 'keepalived';
export const keepalivedAddress = '10.77.0.60';

/** `nopreempt`: as ours, it does not move back when the lost server returns. */
const configuration = `global_defs { router_id bench
}
vrrp_instance bench {
  state BACKUP
  interface eth0
  virtual_router_id 60
  priority 100
  advert_int 1
  nopreempt
  virtual_ipaddress { ${keepalivedAddress}/24 }
}
`;

/** Its application always runs on both servers. */
export async function installKeepalived(host: Host): Promise<void> {
  await host.writeFile('/etc/keepalived/keepalived.conf', configuration);
  const unit = `[Service]
ExecStart=/usr/local/bin/say-name ${namePort} ${keepalivedAddress}
Restart=always
RestartSec=100ms
[Install]
WantedBy=multi-user.target
`;
  await host.writeFile('/etc/systemd/system/app-always.service', unit);
  await host.must('systemctl daemon-reload && systemctl enable --now app-always');
}

export async function startKeepalived(host: Host): Promise<void> {
  await host.must('systemctl enable --now keepalived');
}

/** Both products have their address on the same server: whoever loses it, loses both. */
export async function moveKeepalivedTo(watch: VipWatch, wanted: Host, other: Host): Promise<void> {
  if (watch.lastAnswer(keepalivedAddress)?.by !== wanted.name) await other.must('systemctl restart keepalived');
  await until(`keepalived on ${wanted.name}`, 30_000, () => watch.lastAnswer(keepalivedAddress)?.by === wanted.name);
}
