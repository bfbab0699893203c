/** Which systemd units a script starts or stops. Pure. */

const orders = 'start|restart|stop|reload-or-restart|try-restart';
/** What systemd takes in a unit name; anything else is a variable or a pattern, which only the shell knows. */
const unitName = /^[\w@:.\\-]+$/;
const suffix = /\.(service|socket|target|timer|path|mount|slice|scope)$/;

/** 'systemctl start app db@1' → app.service, db@1.service. What cannot be read with certainty is left out. */
export function unitsIn(command: string): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (unitName.test(name)) found.add(suffix.test(name) ? name : `${name}.service`);
  };
  for (const part of command.split(/[\n;&|]+/)) {
    const systemctl = new RegExp(`\\bsystemctl\\s+((?:-\\S+\\s+)*)(?:${orders})\\s+(.*)$`).exec(part);
    for (const word of systemctl?.[2]?.trim().split(/\s+/) ?? []) {
      const plain = word.replace(/^(["'])(.*)\1$/, '$2');
      if (plain !== '' && !plain.startsWith('-')) add(plain);
    }
    const service = /(?:^|\s)(?:\/\S*\/)?service\s+(\S+)\s+(?:start|restart|stop)\b/.exec(part);
    if (service?.[1] !== undefined) add(service[1]);
  }
  return [...found];
}
