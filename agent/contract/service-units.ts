/** Which systemd units a script starts or stops. Pure. */

const anyOrder = 'start|restart|stop|reload-or-restart|try-restart';
const startOrder = 'start|restart';
/** What systemd takes in a unit name; anything else is a variable or a pattern, which only the shell knows. */
const unitName = /^[\w@:.\\-]+$/;
const suffix = /\.(service|socket|target|timer|path|mount|slice|scope)$/;

/** 'systemctl start app db@1' → app.service, db@1.service. What cannot be read with certainty is left out. */
export function unitsIn(command: string): string[] {
  return unitsOf(command, anyOrder, 'start|restart|stop');
}

/**
 * What makes a unit a part of the application: the command brings it up. One that it only reloads, or restarts where it runs anyway, serves others as
 * well, and is neither cut off nor ended with this application.
 */
export function startedUnits(command: string): string[] {
  return unitsOf(command, startOrder, startOrder);
}

function unitsOf(command: string, orders: string, serviceOrders: string): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (unitName.test(name)) found.add(suffix.test(name) ? name : `${name}.service`);
  };
  const systemctlOrder = new RegExp(`\\bsystemctl\\s+((?:-\\S+\\s+)*)(?:${orders})\\s+(.*)$`);
  const serviceOrder = new RegExp(`(?:^|\\s)(?:/\\S*/)?service\\s+(\\S+)\\s+(?:${serviceOrders})\\b`);
  for (const part of command.split(/[\n;&|]+/)) {
    const systemctl = systemctlOrder.exec(part);
    for (const word of systemctl?.[2]?.trim().split(/\s+/) ?? []) {
      const plain = word.replace(/^(["'])(.*)\1$/, '$2');
      if (plain !== '' && !plain.startsWith('-')) add(plain);
    }
    const service = serviceOrder.exec(part);
    if (service?.[1] !== undefined) add(service[1]);
  }
  return [...found];
}
