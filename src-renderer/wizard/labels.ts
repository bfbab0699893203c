/** What an answer is called on its screen, by its place in the answers. Pure. */
import type { Messages } from '../messages/messages.ts';
import { stepOfPath } from './steps.ts';

export function labelOfPath(words: Messages['wizard'], path: string): string {
  const [first = '', second = '', third = ''] = path.split('.');
  const index = Number(second);
  switch (first) {
    case 'cluster':
      return words.clusterName;
    case 'nodes':
      return third === 'name'
        ? `${words.serverNumber[index === 0 ? 0 : 1]}, ${words.nodeName}`
        : words.serverNumber[index === 0 ? 0 : 1];
    case 'application':
      switch (second) {
        case 'name':
          return words.application.name;
        case 'directories':
          return words.application.directory(Number(third) + 1);
        case 'start':
          return words.application.start;
        case 'stop':
          return words.application.stop;
        default:
          return words.steps.application;
      }
    case 'checkers':
      return words.checkers.number(index + 1);
    case 'vip':
      return words.address.which;
    case 'interface':
      return words.address.interface;
    case 'witness':
      return path === 'witness.ping' ? words.safety.pingAddress : words.safety.machine;
    default:
      return words.steps[stepOfPath(path)];
  }
}
