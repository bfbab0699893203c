import type { obstacles as english } from '../../english/wizard/obstacles.ts';

export const obstacles: typeof english = {
  'server-missing': (o) =>
    o.count === 1 ? 'Indiquez l’adresse du premier serveur.' : 'Indiquez l’adresse du second serveur.',
  'answer-wrong': (o) =>
    (o.count ?? 0) === 1 ? 'Une réponse est à corriger.' : `${o.count ?? 0} réponses sont à corriger.`,
  'not-connected': (o) => `Connectez-vous d’abord à ${o.server ?? ''}.`,
  connecting: (o) => `Connexion à ${o.server ?? ''} …`,
  'secret-missing': (o) => `${o.server ?? ''} attend un mot de passe.`,
  'login-failed': (o) => `${o.server ?? ''} n’est pas encore joignable.`,
  'host-key-changed': (o) => `La clé de ${o.server ?? ''} a changé.`,
  'host-key-open': (o) => `Comparez l’empreinte de ${o.server ?? ''}.`,
  'same-machine': () => 'Il faut deux serveurs différents.',
  'in-other-cluster': (o) => `${o.server ?? ''} appartient à un autre cluster.`,
  'cluster-name-missing': () => 'Donnez un nom au cluster.',
  'node-name-missing': (o) => `Donnez un nom à ${o.server ?? ''}.`,
  asking: () => 'En attente des serveurs …',
  'not-asked': () => 'Les serveurs n’ont pas pu être interrogés. Réessayez ci-dessus.',
  'checks-failed': (o) =>
    (o.count ?? 0) === 1 ? 'Une vérification échoue.' : `${o.count ?? 0} vérifications échouent.`,
  'application-missing': () => 'Choisissez l’application.',
  'application-name-missing': () => 'Donnez un nom au module.',
  'directory-missing': () => 'Indiquez au moins un répertoire.',
  'start-missing': () => 'Indiquez comment démarrer l’application.',
  'stop-missing': () => 'Indiquez comment arrêter l’application.',
  'good-copy-missing': () => 'Choisissez les bonnes données.',
  'good-copy-empty': (o) => `Il n’y a pas de données sur ${o.server ?? ''}.`,
  'address-missing': () => 'Donnez l’adresse IP virtuelle, ou choisissez de ne pas en avoir.',
  'address-in-use': () => 'Cette adresse est déjà prise.',
  'checker-target-missing': () => 'Dites ce que chaque contrôle regarde, ou retirez-le.',
  'network-missing': () => 'Il faut au moins un réseau.',
  'witness-missing': () => 'Indiquez l’adresse de la troisième machine.',
  'ping-witness-missing': () => 'Indiquez l’adresse qui répond aux pings.',
  'witness-is-node': () => 'Le témoin doit être une troisième machine.',
  'configuration-incomplete': (o) =>
    (o.count ?? 0) === 1 ? 'Une réponse manque ou est fausse.' : `${o.count ?? 0} réponses manquent ou sont fausses.`,
  'not-installed': () => 'Le déploiement n’est pas terminé.',
  installing: () => 'Le déploiement est en cours.',
};
