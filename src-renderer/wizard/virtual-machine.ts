/** The virtual machine that a start command starts, where it says how that can be asked. Pure. */

export interface VirtualMachine {
  /** Name in libvirt, or the socket of the monitor. */
  readonly target: string;
  readonly guestAgent: string;
}

const libvirtStart =
  /(?:^|[\s;&|(/])virsh\s+(?:-\S+\s+(?:qemu\S*\s+)?)*start\s+(?:--domain\s+)?("[^"]+"|'[^']+'|[^\s;&|"'$]+)/;
const monitorSocket = /\s-qmp\s+["']?unix:(\/[^,\s"'$]+)/;

/** `socket,id=a,path=/run/a` of every such argument. */
function argumentsOf(command: string, option: string): ReadonlyMap<string, string>[] {
  return [...command.matchAll(new RegExp(`\\s-${option}\\s+["']?([^\\s"']+)`, 'g'))].map(
    ([, text = '']) =>
      new Map(text.split(',').map((part): [string, string] => [part.split('=')[0] ?? '', part.split('=')[1] ?? ''])),
  );
}

function agentSocket(command: string): string {
  const port = argumentsOf(command, 'device').find((one) => one.get('name') === 'org.qemu.guest_agent.0');
  const line = argumentsOf(command, 'chardev').find((one) => one.get('id') === port?.get('chardev'));
  const path = port === undefined ? '' : (line?.get('path') ?? '');
  return /^\/[^$]+$/.test(path) ? path : '';
}

export function virtualMachineIn(command: string): VirtualMachine | null {
  const domain = libvirtStart.exec(command)?.[1]?.replace(/^["']|["']$/g, '') ?? '';
  // As the file takes it; one that starts with a dash is an option.
  if (/^(?!-)(?!\d+$)[^/$]+$/.test(domain)) return { target: domain, guestAgent: '' };
  const monitor = /qemu-(system-|kvm)/.test(command) ? monitorSocket.exec(command)?.[1] : undefined;
  return monitor === undefined ? null : { target: monitor, guestAgent: agentSocket(command) };
}
