import type { Messages } from '../messages.ts';

export const practice: Messages['practice'] = {
  title: 'Entraînement',
  making: 'Le cluster d’entraînement est en cours de création.',
  removing: 'Les serveurs d’entraînement sont en cours de suppression …',
  cancel: 'Annuler',
  tryAgain: 'Réessayer',
  steps: {
    begin: 'Chercher ce qu’il faut aux serveurs',
    packages: 'Installer les paquets Debian qui servent à créer les serveurs (une fois)',
    root: 'Construire le Debian qu’ils démarrent (une fois, une à deux minutes)',
    layer: 'Y ajouter PostgreSQL (une fois, environ trente secondes)',
    boot: 'Démarrer n1, n2 et le témoin',
    postgresql: 'Installer PostgreSQL sur les deux ; sa base est créée sur n1',
    draft: 'Se connecter aux serveurs et remplir l’assistant',
    ready: 'Les serveurs sont prêts',
  },
  stepTook: (time) => `en ${time}`,
  stepRunning: 'en cours',
  obstacles: {
    'practice-needs-linux': () => ({
      what: 'Le cluster d’entraînement demande Linux : ses serveurs partagent le noyau de cette machine.',
      remedy: 'Lancez Holdfast sur une machine Debian ou Ubuntu ; une machine virtuelle suffit.',
    }),
    'practice-needs-checkout': (line) => ({
      what: 'Le cluster d’entraînement est créé par des outils absents de l’application installée.',
      remedy: line,
    }),
    'practice-needs-debian': () => ({
      what: 'Le cluster d’entraînement demande Debian ou Ubuntu : ses serveurs sont créés avec leurs outils.',
      remedy: 'Lancez Holdfast sur une machine Debian ou Ubuntu ; une machine virtuelle suffit.',
    }),
    'practice-needs-root': (line) => ({
      what: 'Le cluster d’entraînement demande root : ses serveurs ont leurs propres interfaces réseau, disques et prises de courant.',
      remedy: line,
    }),
    'practice-needs-loop-devices': (line) => ({
      what: 'Le cluster d’entraînement demande des périphériques loop pour les disques de ses serveurs ; cette machine n’en a pas.',
      remedy: line,
    }),
  },
  server: 'Serveur',
  power: 'Courant',
  cable: 'Câble réseau',
  witness: 'témoin',
  on: 'sous tension',
  off: 'hors tension',
  connected: 'branché',
  cut: 'coupé',
  powerOff: 'Couper le courant',
  powerOffOf: (server) => `Couper le courant de ${server}`,
  powerOn: 'Rebrancher',
  powerOnOf: (server) => `Rebrancher ${server}`,
  cutCable: 'Couper le câble',
  cutCableOf: (server) => `Couper le câble de ${server}`,
  heal: 'Réparer le câble',
  healOf: (server) => `Réparer le câble de ${server}`,
  whenWhole:
    'Coupez le courant du serveur qui fait tourner la base : en cinq secondes environ, l’autre a son adresse et chaque COMMIT confirmé.',
  whenOff: (server) =>
    `${server} est sans courant, comme après une vraie panne. Rebranchez-le : il se resynchronise seul pendant que l’application continue.`,
  whenCut: (server) =>
    `${server} ne voit plus personne. Sans majorité il abandonne l’application de lui-même : il n’y a jamais deux primaires. Réparez son câble : il se resynchronise.`,
  whenWitnessGone:
    'Sans le témoin, les données restent protégées ; l’application s’arrêterait à la prochaine panne. Rendez le témoin au cluster.',
  whenBothOff:
    'Les deux serveurs ont disparu. Rendez-les dans l’ordre que vous voulez : aucun ne démarre seul sur une copie à laquelle il manquerait un COMMIT.',
  remove: 'Supprimer les serveurs d’entraînement',
  removeWhat: 'Les serveurs, leurs données et ce cluster disparaissent. Ils se recréent en moins d’une minute.',
};
