import type { Messages } from '../../messages.ts';

export const comparison: Messages['cluster']['comparison'] = {
  name: 'Comparer les copies',
  title: (module) => `Comparer les copies de ${module}`,
  reading: 'Interrogation des serveurs …',
  stages: {
    'not-compared': ({ module, primary }) => ({
      what: `Les copies n’ont pas été comparées depuis que ${module} tourne sur ${primary}.`,
      cause:
        'Chaque écriture confirmée est sur les deux serveurs : elles devraient être identiques. Une comparaison lit les deux copies et trouve ce qu’un disque a perdu ou ce qu’une personne a modifié sans passer par Holdfast.',
      remedy:
        'Comparez après la réparation d’un disque, et de temps en temps. La comparaison se fait à côté de l’application et lui cède la place.',
    }),
    running: ({ secondary, willRepair, isProtected }) => ({
      what: willRepair
        ? `Comparaison des copies en cours ; celle de ${secondary} sera ensuite rendue identique.`
        : 'Comparaison des copies en cours.',
      cause: isProtected
        ? 'Les données restent protégées et l’application fonctionne pendant ce temps.'
        : `Non protégé : la copie de ${secondary} n’est pas utilisée, à cause de ce qui a déjà été trouvé.`,
      remedy: 'Rien à faire. La comparaison continue quand cette fenêtre est fermée.',
    }),
    equal: ({ primary, secondary, minor }) => ({
      what: `La copie de ${secondary} est identique à celle de ${primary}.`,
      cause:
        minor > 0
          ? `Chaque fichier a été lu sur les deux serveurs ; ${minor} ne diffèrent que par une date ou un trou, ce qui est sans conséquence.`
          : 'Chaque fichier a été lu sur les deux serveurs.',
      remedy: 'Rien à faire.',
    }),
    different: ({ primary, secondary }) => ({
      what: `Non protégé : la copie de ${secondary} diffère de celle de ${primary}.`,
      cause: `La copie de ${secondary} n’est pas utilisée : si ${primary} tombe, l’application s’arrête. Rien n’est écrasé sans votre ordre.`,
      remedy: `Regardez ce qui diffère. Si la copie de ${primary} est la bonne, rendez l’autre identique.`,
    }),
    unreadable: ({ primary, secondary }) => ({
      what: `Le disque de ${primary} ne lit pas toute sa copie.`,
      cause: `Cette partie n’a pas pu être comparée. Rien n’a été réparé : la copie de ${secondary} est peut-être la seule bonne.`,
      remedy: `Basculez l’application sur ${secondary}, puis réparez le disque de ${primary}.`,
    }),
    interrupted: () => ({
      what: 'La comparaison n’est pas allée à son terme.',
      cause:
        'Les serveurs ont été séparés, ou l’un d’eux a manqué de mémoire ou de descripteurs. On ne sait rien de ce qui n’avait pas encore été comparé.',
      remedy: 'Comparez de nouveau.',
    }),
    stopped: () => ({
      what: 'La comparaison a été arrêtée.',
      cause: 'On ne sait rien de ce qui n’avait pas encore été comparé.',
      remedy: 'Comparez de nouveau quand il y aura le temps.',
    }),
    repairing: ({ primary, secondary }) => ({
      what: `Pas encore protégé : la copie de ${secondary} est en train d’être rendue identique à celle de ${primary}.`,
      cause: 'Seul ce qui diffère est envoyé, et l’application fonctionne pendant ce temps.',
      remedy: 'Rien à faire.',
    }),
    repaired: ({ primary, secondary }) => ({
      what: `La copie de ${secondary} a été réparée : elle est identique à celle de ${primary}.`,
      cause: 'Un disque avait perdu des données, ou quelqu’un avait écrit sans passer par Holdfast.',
      remedy: `Cherchez lequel des deux : lisez le journal du noyau de ${secondary}, et demandez qui y travaille.`,
    }),
  },
  obstacles: {
    'runs-nowhere': ({ module }) => `${module} ne tourne sur aucun serveur qui réponde.`,
    'not-connected': ({ secondary }) =>
      `Les deux serveurs doivent être reliés : ${secondary} ne suit pas pour l’instant.`,
    'resync-runs': ({ secondary }) => `${secondary} est en cours de resynchronisation. Comparez quand elle sera finie.`,
  },
  progress: 'Comparé',
  ofAtMost: (done, total) => `${done} sur ${total} au plus`,
  files: (count) => `${count} fichiers`,
  leftAtMost: (time) => `encore ${time} au plus`,
  found: (count) => `${count} diffèrent jusqu’ici`,
  nothingFound: 'rien ne diffère jusqu’ici',
  last: (time, result, files) => `Dernière comparaison : ${time}, ${files} fichiers, ${result}`,
  lastShort: (time, result) => `Dernière fois ${time} : ${result}`,
  outcomes: { equal: 'identiques', different: 'différentes', repaired: 'différentes, puis réparées' },
  never: 'Aucune comparaison n’est encore allée à son terme.',
  differences: 'Ce qui diffère',
  path: 'Fichier ou répertoire',
  how: 'En quoi',
  firstOf: (shown, all) => `Les ${shown} premiers sur ${all} sont affichés.`,
  notListed: 'Les serveurs n’ont plus en mémoire ce qui a été trouvé. Une nouvelle comparaison l’affichera.',
  wholeDirectory: 'le répertoire lui-même',
  inBytes: (kind, bytes) => `${kind} (${bytes})`,
  kinds: {
    'only-on-primary': ({ primary }) => `seulement sur ${primary}`,
    'only-on-secondary': ({ secondary }) => `seulement sur ${secondary}`,
    type: () => 'un autre type de fichier',
    content: () => 'autre contenu',
    size: () => 'autre taille',
    mode: () => 'autres droits',
    owner: () => 'autre propriétaire',
    device: () => 'autre numéro de périphérique',
    links: () => 'autres liens physiques',
    'link-target': () => 'le lien mène ailleurs',
    'extended-attributes': () => 'autres attributs ou liste d’accès',
    'unreadable-on-secondary': ({ secondary }) => `le disque de ${secondary} ne le lit pas`,
    'unreadable-on-primary': ({ primary }) => `le disque de ${primary} ne le lit pas`,
    times: () => 'autre date',
    holes: () => 'des zéros au lieu d’un trou',
  },
  compareNow: 'Comparer maintenant',
  compareAgain: 'Comparer de nouveau',
  stop: 'Arrêter la comparaison',
  repair: (primary, secondary) => `Rendre la copie de ${secondary} identique à celle de ${primary}`,
  repairOverwrites: (primary, secondary) =>
    `Tout ce qui diffère sur ${secondary} est écrasé par ce qu’a ${primary}, et ce que seul ${secondary} possède est supprimé. Rien de cela ne pourra être récupéré.`,
  repairReads: (secondary) =>
    `Les deux copies sont lues en entier pour cela. Jusqu’à la fin, l’application ne peut pas basculer sur ${secondary}.`,
  repairAtOnce: (secondary) =>
    `La réparation commence dès que ${secondary} est relié. Jusqu’à la fin, l’application ne peut pas y basculer.`,
  repairOther: (module, primary, secondary) =>
    `La copie de ${secondary} est-elle la bonne, parce que c’est ${primary} qui a perdu ou abîmé des données ? Alors ne l’écrasez pas : arrêtez ${module}, puis promouvez ${secondary}. La copie de ${primary} est mise de côté.`,
  repairDo: (secondary) => `Écraser la copie de ${secondary}`,
  back: 'Retour',
  lookAtDifferences: 'Voir ce qui diffère',
};
