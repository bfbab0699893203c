import type { installing as english } from '../../english/wizard/installing.ts';
import { listed } from '../../wizard-words.ts';

/** A node by its name. */
const place = (host: string | null): string => (host === 'witness' ? 'la machine témoin' : (host ?? ''));

export const installing: typeof english = {
  review: {
    asSteps: 'Étapes',
    asFile: 'Fichier de configuration',
    views: 'Présentation du plan',
    composing: 'Composition de la configuration …',
    planning: 'Examen de ce qui reste à faire …',
    incomplete: (count) =>
      count === 1 ? 'Une réponse manque ou est fausse.' : `${count} réponses manquent ou sont fausses.`,
    mendAt: (step) => `Aller à « ${step} »`,
    nothing: 'Il n’y a plus rien à faire : les serveurs correspondent aux réponses.',
    steps: (count) => (count > 1 ? `${count} étapes` : `${count} étape`),
    onHost: (host) => `Sur ${host}`,
    onWitness: 'Sur le témoin',
    onCluster: 'Pour le cluster',
    fileLabel: 'Fichier de configuration du cluster',
    fileHint: 'La ligne de commande peut déployer la même chose :',
    checksFailed: 'Une vérification échoue désormais.',
  },
  installSteps: {
    'upload-runtime': ({ host }) => `Envoyer Node à ${place(host)}`,
    'upload-agent': ({ host, facts }) => `Envoyer l’agent ${listed(facts, 'version')} à ${place(host)}`,
    'make-keys': ({ host }) => `Créer la clé et le certificat de ${place(host)}`,
    'create-directory': ({ host, facts }) => `Créer ${listed(facts, 'path')} sur ${place(host)}`,
    'join-cluster': ({ host, facts }) =>
      `Donner à ${place(host)} son nom, le secret du cluster et le certificat de ${listed(facts, 'peer')}`,
    'admit-cluster': () => 'Donner au témoin le secret du cluster',
    'switch-version': ({ host, facts }) => `Mettre l’agent ${listed(facts, 'version')} en service sur ${place(host)}`,
    'write-units': ({ host }) => `Écrire les unités systemd de ${place(host)}`,
    'start-units': ({ host }) => `Démarrer l’agent sur ${place(host)}`,
    'stop-application': ({ host, facts }) =>
      `Arrêter ${listed(facts, 'module')} sur ${place(host)}, le temps du déploiement`,
    'remember-choice': ({ facts }) => `Noter où sont les bonnes données : ${listed(facts, 'nodes')}`,
    configure: ({ host }) => `Donner la configuration à ${place(host)}`,
    initialise: ({ host, facts }) =>
      facts['as'] === 'good'
        ? `Prendre les données de ${listed(facts, 'module')} sur ${place(host)} comme bonne copie`
        : `Préparer ${place(host)} à recevoir les données de ${listed(facts, 'module')}${
            facts['keepsAside'] === true ? ' ; ce qui s’y trouve est mis de côté' : ''
          }`,
    start: ({ host, facts }) => `Démarrer ${listed(facts, 'module')} sur ${place(host)}`,
  },
  install: {
    notBegun: 'Rien n’a encore été déployé.',
    begin: 'Déployer maintenant',
    running: (done, all) => (done > 1 ? `${done} étapes faites sur ${all}` : `${done} étape faite sur ${all}`),
    overall: 'Avancement',
    stop: 'Arrêter après cette étape',
    stopping: 'S’arrêtera à la fin de cette étape …',
    done: 'Les deux serveurs sont équipés. L’application tourne, la première synchronisation a commencé.',
    failed: 'Le déploiement s’est arrêté.',
    goOn: 'Réessayer',
    goOnHint: 'Il reprend où il en était ; ce qui est fait n’est pas refait.',
    interrupted: 'Le déploiement a été interrompu.',
    interruptedCause: 'Holdfast a été fermé, ou vous l’avez arrêté. Les serveurs sont dans l’état que montre la liste.',
    resume: 'Reprendre',
    state: {
      waiting: 'en attente',
      next: 'attend les autres',
      running: 'en cours',
      done: 'fait',
      failed: 'échoué',
    },
    count: (done, all) => `${done} / ${all}`,
    allSteps: (count) => `Les ${count} étapes`,
    bytes: (done, total) => `${done} sur ${total}`,
    keptAside: 'Mis de côté',
    keptAsideText:
      'Ce qui se trouvait dans les répertoires de l’autre serveur. Supprimez-le quand vous êtes sûr de ne plus en avoir besoin.',
  },
  sync: {
    reading: 'Lecture du cluster …',
    notYet: 'Première lecture des serveurs.',
    protected: 'Protégé.',
    protectedText: 'Les deux serveurs ont les mêmes données. La perte de l’un ou de l’autre ne perd rien.',
    copying: (from, to) => `Copie de ${from} vers ${to}`,
    amount: (done, total) => `${done} sur ${total}`,
    amountUnknown: (done) => `${done} pour l’instant`,
    left: (time) => `encore ${time}`,
    waiting: 'La copie n’a pas encore commencé.',
    unreadable: 'Le cluster est illisible d’ici pour le moment. La copie continue sans ce portable.',
    leave: 'Vous pouvez partir : la copie continue sans cette application.',
  },
};
