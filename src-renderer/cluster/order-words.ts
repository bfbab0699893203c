/** Orders and actions as a button or a menu calls them. Pure. */
import type { Messages } from '../messages/messages.ts';
import type { Obstacle, OfferedOrder } from './orders.ts';
import type { PrimaryAction } from './primary-action.ts';

/** In the menu of a module, so without its name. */
export function orderName(words: Messages, order: OfferedOrder): string {
  const { names } = words.cluster.orders;
  return order.kind === 'promote' ? names.promote(order.node) : names[order.kind];
}

/** Standing alone: with the name of the module. */
export function orderTitle(words: Messages, order: OfferedOrder): string {
  const { orders } = words.cluster;
  switch (order.kind) {
    case 'swap':
      return orders.swap.title(order.module, order.to);
    case 'promote':
      return orders.promote.title(order.module, order.node);
    default:
      return orders[order.kind].title(order.module);
  }
}

export function obstacleText(words: Messages, obstacle: Obstacle): string {
  const { obstacles } = words.cluster.orders;
  return obstacle.kind === 'somebodyRuns' || obstacle.kind === 'notReachable'
    ? obstacles[obstacle.kind](obstacle.node)
    : obstacles[obstacle.kind];
}

export function actionTitle(words: Messages, action: PrimaryAction): string {
  const { actions } = words.cluster;
  switch (action.kind) {
    case 'order':
      if (action.order.kind === 'maintenance-off') return actions.endMaintenance;
      return action.order.kind === 'swap' ? actions.swap(action.order.module) : actions.start(action.order.module);
    case 'login':
      return actions.login(action.node);
    case 'compare':
      return actions.compare;
    case 'terminal':
      return actions.terminal(action.node);
    case 'continue-installation':
      return actions.continueInstallation;
    case 'choose-copy':
      return actions.chooseCopy;
    case 'compare-copies':
      return words.cluster.comparison.lookAtDifferences;
    case 'read-again':
      return actions.readAgain;
  }
}
