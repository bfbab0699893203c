import type { Messages } from '../../messages.ts';

export const orders: Messages['cluster']['orders'] = {
  menu: (module) => `Ordres pour ${module}`,
  given: (module) => `L’ordre pour ${module} a été donné.`,
  names: {
    start: 'Démarrer',
    stop: 'Arrêter sur les deux serveurs',
    restart: 'Redémarrer l’application',
    swap: 'Basculer',
    'maintenance-on': 'Commencer la maintenance',
    'maintenance-off': 'Terminer la maintenance',
    promote: (node) => `Promouvoir ${node}`,
  },
  obstacles: {
    runsAlready: 'Il tourne déjà.',
    runsNowhere: 'L’application ne tourne sur aucun serveur.',
    stoppedAlready: 'Il est arrêté sur les deux serveurs.',
    partnerNotReady: 'L’autre serveur n’est pas un secondaire à jour.',
    somebodyRuns: (node) => `${node} exécute l’application.`,
    notReachable: (node) => `${node} est injoignable d’ici.`,
  },
  start: {
    title: (module) => `Démarrer ${module}`,
    what: 'L’application démarre sur le serveur qui a la copie la plus récente ; l’autre le suit.',
    confirm: 'Démarrer',
  },
  stop: {
    title: (module) => `Arrêter ${module} sur les deux serveurs`,
    what: (module) =>
      `${module} s’arrête sur les deux serveurs. Son adresse IP virtuelle disparaît et plus personne ne peut utiliser l’application.`,
    data: 'Les données restent telles quelles sur les deux serveurs. Rien ne redémarre avant un nouvel ordre.',
    confirm: 'Arrêter l’application sur les deux serveurs',
  },
  restart: {
    title: (module) => `Redémarrer l’application de ${module}`,
    what: (node) => `L’application s’arrête et redémarre sur ${node}. Elle ne répond pas pendant ce temps.`,
    data: 'Aucune donnée n’est perdue. Rien ne passe sur l’autre serveur.',
    confirm: 'Redémarrer l’application',
  },
  swap: {
    title: (module, node) => `Basculer ${module} vers ${node}`,
    what: (from, to) => `L’application s’arrête sur ${from} et démarre sur ${to}. L’adresse IP virtuelle suit.`,
    data: 'Aucune donnée n’est perdue. Les connexions sont coupées une fois, le temps de l’arrêt et du démarrage.',
    confirm: (node) => `Basculer vers ${node}`,
  },
  'maintenance-on': {
    title: (module) => `Commencer la maintenance de ${module}`,
    what: 'Dès lors, rien ne bascule seul : si le serveur qui exécute l’application tombe en panne, elle reste arrêtée.',
    data: 'Les données restent répliquées. L’écran rappelle que la protection est suspendue jusqu’à la fin de la maintenance.',
    confirm: 'Commencer la maintenance',
  },
  'maintenance-off': {
    title: (module) => `Terminer la maintenance de ${module}`,
    what: 'Holdfast bascule de nouveau l’application de lui-même quand un serveur tombe en panne.',
    confirm: 'Terminer la maintenance',
  },
  promote: {
    title: (module, node) => `Promouvoir ${node} pour ${module}`,
    what: (node) => `${node} démarre l’application avec sa propre copie, même si elle est plus ancienne.`,
    loss: (node, peer) =>
      `Toute modification que ${peer} a confirmée à ses utilisateurs et que ${node} n’a pas reçue manque désormais. Si ${peer} a continué seul, les deux copies sont gardées à son retour et vous choisissez.`,
    only: (peer) =>
      `Ne le faites que si ${peer} est arrêté pour de bon ou si son disque est perdu. Sinon, faites revenir ${peer}.`,
    typed: (module) => `Tapez ${module} pour confirmer`,
    wrong: (module) => `Tapez exactement ${module}.`,
    confirm: (node) => `Promouvoir ${node} et accepter la perte`,
  },
};
