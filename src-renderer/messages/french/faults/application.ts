import type { Messages } from '../../messages.ts';
import { fact, type FaultDetails, type FaultText } from '../../fault-words.ts';
import type { application as english } from '../../english/faults/application.ts';

const configuration = (d: FaultDetails, wrong: string): FaultText => ({
  what: `${fact(d, 'file', 'La configuration')}, ligne ${fact(d, 'line', '1')} : ${wrong}.`,
  remedy: 'Corrigez le fichier ; le détail technique donne chaque endroit et ce qu’il faut écrire.',
});
const ownMistake = {
  cause: 'C’est une erreur de Holdfast, pas de ce que vous avez fait.',
  remedy: 'Réessayez. Si cela se répète, transmettez le détail technique à votre support.',
};

export const application: Pick<Messages['faults'], keyof typeof english> = {
  aborted: () => ({ what: 'Annulé.' }),
  internal: () => ({ what: 'Holdfast a rencontré une situation qu’il ne prévoit pas.', ...ownMistake }),
  'invariant-broken': () => ({ what: 'Par précaution, Holdfast a arrêté ce qu’il faisait.', ...ownMistake }),
  'message-invalid': () => ({ what: 'Une réponse n’avait pas la forme attendue.', ...ownMistake }),
  'message-too-long': () => ({ what: 'Une réponse était trop longue.', ...ownMistake }),
  'bad-parameters': () => ({ what: 'L’écran a demandé quelque chose qui n’existe pas.', ...ownMistake }),
  'wrong-interface': () => ({ what: 'Une autre partie de Holdfast a répondu que celle interrogée.', ...ownMistake }),
  'unknown-method': () => ({
    what: 'L’autre côté ne connaît pas encore cet ordre.',
    cause: 'Il utilise une version plus ancienne de Holdfast.',
    remedy: 'Réappliquez la configuration : elle amène les deux serveurs à la version de ce portable.',
  }),
  'not-in-this-version': () => ({ what: 'Cela n’existe pas dans cette version de Holdfast.' }),
  'app-stopped': () => ({
    what: 'L’application derrière cette page s’est arrêtée.',
    cause: 'Elle a été fermée, ou le portable a redémarré.',
    remedy:
      'Relancez-la et ouvrez le lien qu’elle affiche. Si seul le chemin vers elle était coupé, la page se reconnecte seule.',
  }),
  'preferences-not-saved': (d) => ({
    what: `Impossible d’enregistrer votre choix dans ${fact(d, 'file', 'le dossier de Holdfast')}.`,
    cause: 'Le disque de ce portable est plein, ou le dossier est protégé.',
    remedy: 'Il dure le temps de cette page.',
  }),
  'no-cluster-known': () => ({
    what: 'Ce portable ne connaît pas ce cluster.',
    cause: 'Il a été oublié, ou n’a jamais servi ici.',
    remedy: 'Revenez à l’accueil ; ouvrez son fichier de configuration pour l’ajouter.',
  }),
  'terminal-unavailable': (d) => ({
    what: 'Aucun terminal ne peut être ouvert sur ce portable.',
    cause: fact(d, 'reason', 'Le module qui les ouvre n’a pas pu être chargé.'),
    remedy: 'Les shells sur les serveurs fonctionnent sans lui.',
  }),
  'too-many-terminals': (d) => ({
    what: `${fact(d, 'terminalsMax', 'Trop de')} terminaux sont ouverts.`,
    remedy: 'Fermez-en un.',
  }),
  'cluster-unknown': () => ({
    what: 'Ce portable ne connaît plus ce cluster.',
    cause: 'Il a été oublié ici ; les serveurs continuent.',
    remedy: 'Ajoutez-le de nouveau par son fichier de configuration.',
  }),
  'practice-impossible': () => ({ what: 'Un cluster d’entraînement est impossible sur cette machine.' }),
  'practice-busy': () => ({
    what: 'Le cluster d’entraînement est en cours de création ou de suppression.',
    remedy: 'Attendez la fin.',
  }),
  'practice-made-elsewhere': () => ({
    what: 'Un autre Holdfast de cette machine crée le cluster d’entraînement.',
    remedy: 'Attendez qu’il soit prêt, ou fermez cet autre Holdfast.',
  }),
  'practice-none': () => ({
    what: 'Il n’y a pas de cluster d’entraînement.',
    remedy: 'Créez-le depuis l’écran d’accueil.',
  }),
  'practice-lab-failed': (d) => ({
    what: 'Les serveurs d’entraînement ne font pas ce qui leur est demandé.',
    cause: fact(d, 'reason', 'Ils ont été arrêtés de l’extérieur.'),
    remedy: 'Corrigez ce qui est indiqué, puis recréez le cluster d’entraînement.',
  }),
  'practice-not-removed': (d) => ({
    what: 'Les serveurs d’entraînement n’ont pu être ni créés, ni supprimés.',
    remedy: `Supprimez-les à la main : sudo npm run lab -- down --name ${fact(d, 'lab', 'practice')}.`,
  }),
  'no-such-host': (d) => ({
    what: `Le cluster d’entraînement n’a pas de serveur ${fact(d, 'host', 'de ce nom')}.`,
  }),
  'configuration-unreadable': (d) => ({
    what: `${fact(d, 'file', 'Le fichier de configuration')} est illisible.`,
    cause: 'Il a été déplacé, ou vous n’avez pas le droit de le lire.',
    remedy: 'Donnez le chemin du fichier de configuration.',
  }),
  'configuration-not-text': (d) => configuration(d, 'ce n’est pas un fichier de configuration'),
  'configuration-syntax': (d) => configuration(d, 'ce n’est pas du YAML'),
  'configuration-tab': (d) => configuration(d, 'une tabulation remplace des espaces'),
  'configuration-duplicate-key': (d) => configuration(d, 'une clé figure deux fois au même endroit'),
  'configuration-unknown-key': (d) => configuration(d, 'une clé est inconnue ici'),
  'configuration-missing-key': (d) => configuration(d, 'il manque une clé'),
  'configuration-wrong-value': (d) => configuration(d, 'une valeur est incorrecte'),
};
