import type { answering as english } from '../../english/wizard/answering.ts';

export const answering: typeof english = {
  checkList: {
    intro: 'Regarder ne modifie rien sur les serveurs.',
    running: 'Examen des serveurs …',
    again: 'Vérifier de nouveau',
    allPassed: (count) => `Les ${count} vérifications sont réussies.`,
    passedButWorthKnowing: (count) =>
      count === 1
        ? 'Toutes les vérifications sont réussies. Un point est à connaître.'
        : `Toutes les vérifications sont réussies. ${count} points sont à connaître.`,
    failed: (count) => (count === 1 ? 'Un point est à corriger d’abord.' : `${count} points sont à corriger d’abord.`),
    check: 'Vérification',
    both: 'Ensemble',
    passed: 'réussie',
    worthKnowing: 'à savoir',
    notPassed: 'non réussie',
    passedOnes: (count) => `Ce qui a été regardé : ${count} vérifications`,
  },
  application: {
    which: 'Ce qui tourne sur les serveurs',
    looking: 'Recherche de ce qui tourne sur les serveurs …',
    nothing: 'Aucun service gardant des données n’a été reconnu. Décrivez l’application à la main.',
    byHand: 'À la main',
    byHandText: 'Toute application qu’une commande peut démarrer et arrêter.',
    more: (count) => (count === 1 ? 'Montrer un autre service' : `Montrer ${count} autres services`),
    fewer: 'En montrer moins',
    runsOn: (nodes) => `tourne sur ${nodes}`,
    stoppedOn: (nodes) => `arrêté sur ${nodes}`,
    missingOn: (nodes) => `pas installé sur ${nodes}`,
    portsText: (ports) => `écoute sur ${ports}`,
    suggested: 'Choisi parce qu’il tourne et garde des données. Un autre choix convient aussi.',
    name: 'Nom du module',
    nameHint: 'Un module est une application protégée. Minuscules, chiffres et traits d’union.',
    directories: 'Répertoires à répliquer',
    directoriesHint: 'Tout ce que l’application écrit et qui doit survivre, y compris sa configuration si elle change.',
    directory: (number) => `Répertoire ${number}`,
    addDirectory: 'Ajouter un répertoire',
    removeDirectory: (path) => `Ne pas répliquer ${path}`,
    browse: 'Parcourir …',
    systemDirectory: (path) =>
      `${path} appartient au système et ne peut pas être répliqué. Indiquez en dessous le répertoire qui contient les données.`,
    size: (size, node) => `${size} sur ${node}`,
    notThere: (node) => `absent de ${node}`,
    suggestedDirectories: 'Il semble aussi garder des données dans :',
    start: 'Commande de démarrage',
    stop: 'Commande d’arrêt',
    commandHint:
      'S’exécute en tant que root sur le serveur qui reçoit l’application. Le code de sortie 0 signifie réussi.',
    timeouts: (start, stop) => `Temps accordé : démarrage ${start}, arrêt ${stop}`,
    startTimeout: 'Secondes accordées au démarrage',
    stopTimeout: 'Secondes accordées à l’arrêt',
    timeoutHint: 'Un démarrage plus long a échoué ; un arrêt plus long est forcé.',
  },
  browser: {
    title: (node) => `Répertoires de ${node}`,
    onNode: 'Serveur',
    here: 'Vous êtes dans',
    up: 'Remonter d’un niveau',
    empty: 'Aucun répertoire sous celui-ci.',
    reading: 'Lecture …',
    entries: (count) => (count > 1 ? `${count} entrées` : `${count} entrée`),
    open: (path) => `Ouvrir ${path}`,
    take: (path) => `Prendre ${path}`,
  },
  data: {
    looking: 'Examen des répertoires sur les deux serveurs …',
    stillCounting: 'Les grands répertoires demandent un moment.',
    size: 'Taille',
    files: 'Fichiers',
    newest: 'Dernière modification',
    version: 'Version des données',
    none: 'absent',
    empty: 'vide',
    atLeast: (text) => `au moins ${text}`,
    choose: 'Les bonnes données sont sur',
    good: (node) => `Les données de ${node} sont les bonnes`,
    replaces: (other) =>
      `Elles sont copiées vers ${other}. Ce qui se trouve sur ${other} est remplacé, et mis de côté sur place dans un répertoire voisin.`,
    copiesTo: (other) => `Elles sont copiées vers ${other}, où il n’y a encore rien.`,
    emptyGood: (node, other) =>
      `Il n’y a rien sur ${node}. Le choisir remplacerait les données de ${other} par du vide.`,
    bothHaveData:
      'Les deux serveurs ont des données, vous seul savez lesquelles sont les bonnes. Rien n’est choisi à votre place.',
    oneHasData: (node) => `Seul ${node} a des données : c’est la bonne copie.`,
    noneHasData: (node) =>
      `Aucun serveur n’a encore de données. ${node} commence, et tout ce qui y sera écrit sera répliqué.`,
    newer: (node) =>
      `La modification la plus récente est sur ${node}. Une horloge peut être fausse, et plus récent ne veut pas toujours dire meilleur.`,
    versionsDiffer: 'Les versions diffèrent. L’autre serveur doit avoir la version des bonnes données.',
  },
  address: {
    which: 'Adresse IP virtuelle',
    suggestedText: 'Libre au moment de l’examen, dans le réseau que les deux serveurs partagent.',
    other: 'Une autre adresse',
    otherText: 'Une adresse libre dans un réseau où se trouvent les deux serveurs.',
    none: 'Pas d’adresse IP virtuelle',
    noneText:
      'Les utilisateurs doivent trouver eux-mêmes le serveur actif, par exemple avec la liste des deux adresses. Holdfast redémarre tout de même l’application sur le serveur survivant.',
    field: 'Adresse avec longueur de préfixe',
    interface: 'Carte réseau',
    interfaceAutomatic: 'Celle du réseau de l’adresse',
    interfaceHint: 'Seulement si un même réseau se trouve sur plusieurs cartes.',
    checking: (address) => `Quelqu’un répond-il à ${address} …`,
    free: (address) => `Personne ne répond à ${address}.`,
    inUse: (address) => `Quelqu’un répond déjà à ${address}.`,
    inUseBy: (address, by) => `${address} est déjà prise : ${by}.`,
    inUseCause: 'Deux machines à la même adresse se coupent mutuellement du réseau.',
    inUseRemedy: 'Choisissez une adresse libre, ou retirez celle-ci à la machine qui l’utilise.',
    noSuggestion:
      'Aucune adresse libre n’a été trouvée automatiquement. Demandez-en une hors DHCP à la personne qui gère le réseau.',
  },
  networks: {
    which: 'Réseaux où se trouvent les deux serveurs',
    looking: 'Recherche des réseaux communs …',
    name: 'Nom',
    first: 'Réplication et signaux de vie',
    next: 'Signaux de vie ; réplication si le précédent est coupé',
    unused: 'Inutilisé',
    sshHere: 'votre connexion passe par là',
    up: (name) => `Monter ${name}`,
    down: (name) => `Descendre ${name}`,
    onlyOne:
      'Les serveurs partagent un seul réseau. Un second, par exemple un câble de serveur à serveur, leur permettrait de se voir quand un commutateur tombe en panne.',
    dedicated: (name) => `${name} vient en premier : la copie n’y gêne pas les utilisateurs.`,
    noneFound: 'Les serveurs n’ont aucun réseau en commun.',
    noneFoundRemedy:
      'Reliez-les par un câble ou un commutateur, donnez à chacun une adresse, puis cherchez de nouveau.',
    again: 'Chercher de nouveau',
  },
  safety: {
    which: 'Une troisième machine comme témoin',
    witness: 'Avec un témoin',
    witnessText:
      'Un petit programme sur une troisième machine Linux, de préférence dans une autre pièce. Les deux serveurs ne peuvent alors jamais faire tourner l’application en même temps, et celui qui est coupé s’arrête seul.',
    ping: 'Seulement une adresse qui répond aux pings',
    pingText:
      'Un routeur que les deux serveurs joignent. Il ne vote pas : un serveur qui ne joint ni lui ni l’autre s’arrête. Il n’aide pas quand seul le lien entre les deux est coupé.',
    pingAddress: 'Adresse qui répond aux pings',
    pingHint: 'Le routeur du réseau des clients ; ni l’un des deux serveurs, ni l’adresse IP virtuelle.',
    pingPolicyTexts: {
      'prefer-one-copy':
        'Rien n’est repris sans une personne, et un serveur coupé de tous s’arrête. Les données ne peuvent jamais être modifiées des deux côtés.',
      'prefer-availability':
        'Le serveur qui joint encore cette adresse prend la relève ; celui qui est coupé s’arrête. Si seul le lien entre les deux est coupé, les deux la joignent et l’application tourne des deux côtés, et quelqu’un devra ensuite choisir entre deux copies modifiées.',
    },
    none: 'Sans témoin',
    noneText: 'Vous choisissez alors ce que fait un serveur qui n’entend plus l’autre et ne sait pas pourquoi.',
    machine: 'Troisième machine',
    isNode: 'C’est l’un des deux serveurs.',
    isNodeRemedy: 'Un témoin doit voir ce que les deux serveurs ne voient pas : indiquez une troisième machine.',
    policy: 'Quand un serveur n’entend plus l’autre',
    policies: {
      'prefer-one-copy': 'Il attend',
      'prefer-availability': 'Il continue',
    },
    policyTexts: {
      'prefer-one-copy':
        'L’application s’arrête jusqu’à ce que l’autre serveur soit de nouveau visible ou qu’une personne en donne l’ordre. Les données ne peuvent jamais être modifiées des deux côtés.',
      'prefer-availability':
        'L’application continue. Si les deux serveurs sont vivants et que seul le câble est coupé, elle tourne des deux côtés, et quelqu’un devra ensuite choisir entre deux copies modifiées.',
    },
    suggestedPolicy: 'L’attente est proposée parce qu’elle se répare ; deux copies modifiées ne se fusionnent pas.',
    detection: 'Silence au bout duquel un serveur est tenu pour perdu',
    detectionText: (ms) =>
      ms <= 1000
        ? 'Le basculement le plus rapide. Réservé à des serveurs sur un réseau calme et dédié ; une machine virtuelle chargée peut se taire une seconde.'
        : ms <= 3000
          ? 'Assez court pour passer presque inaperçu, assez long pour qu’un serveur chargé ne passe pas pour perdu.'
          : 'Pour des machines virtuelles mises en pause par les sauvegardes ou déplacées d’un hôte à l’autre. Après une perte, les utilisateurs attendent d’autant plus.',
  },
  preferred: {
    which: 'Serveur préféré',
    nodeText: 'L’application démarre ici quand les deux serveurs vont bien.',
    nodeIsGood: 'L’application démarre ici quand les deux serveurs vont bien. Les bonnes données s’y trouvent.',
    none: 'Aucune préférence',
    noneText: 'L’application reste où elle est. À choisir quand les deux serveurs se valent.',
    failback: 'Après un basculement, quand le serveur préféré revient',
    manual: 'Rester, jusqu’à une bascule planifiée',
    manualText: 'Pas de seconde interruption imposée. Vous revenez d’un seul bouton, au moment qui convient à tous.',
    automatic: 'Revenir automatiquement',
    automaticText:
      'Dès que ses données sont de nouveau à jour. L’application est interrompue une fois de plus, à un moment que personne ne choisit.',
  },
};
