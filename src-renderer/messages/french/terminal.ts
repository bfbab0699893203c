import type { Messages } from '../messages.ts';

const commands: Messages['terminal']['commands'] = {
  status: {
    title: 'État du cluster',
    text: 'Chaque module sur les deux serveurs, vu d’ici. Tout autre état que primaire et secondaire à jour est suivi de sa raison.',
  },
  resync: {
    title: 'Suivre une resynchronisation',
    text: 'L’état, toutes les deux secondes. Les octets copiés augmentent, le temps restant diminue ; s’ils ne bougent plus, lisez le journal du réplicateur. Ctrl C arrête.',
  },
  events: {
    title: 'Ce qui s’est passé',
    text: 'Les événements de ce serveur, le plus récent en bas, chacun avec sa raison. Remontez depuis le moment de la panne.',
  },
  units: {
    title: 'Les services Holdfast tournent-ils ?',
    text: 'Les deux affichent active (running). « failed » ou un démarrage d’il y a quelques secondes signale un arrêt brutal : lisez son journal.',
  },
  agentLog: {
    title: 'Journal de l’agent',
    text: 'Les 100 dernières lignes du service qui décide. Cherchez « fenced », « lease » et « fault ».',
  },
  replicatorLog: {
    title: 'Journal du réplicateur',
    text: 'Les 100 dernières lignes du service qui copie. Cherchez « link », « resync » et des noms de fichiers.',
  },
  restartAgent: {
    title: 'Redémarrer l’agent',
    text: 'Relance le service qui décide ; l’application et ses données continuent. S’il revient dans le délai de détection, rien ne bascule.',
  },
  mounts: {
    title: 'Répertoires répliqués',
    text: 'Une ligne par répertoire monté par Holdfast. Un répertoire absent d’ici n’est pas répliqué en ce moment.',
  },
  space: {
    title: 'Espace disque',
    text: 'Plus de 90 % (Use%) sur le disque d’un répertoire répliqué ou de /var demande d’agir ; à 100, les écritures échouent sur les deux serveurs.',
  },
  fileNumbers: {
    title: 'Nombre de fichiers restants',
    text: 'IUse% à 100 donne « no space left » alors qu’il reste de la place : trop de petits fichiers.',
  },
  diskLatency: {
    title: 'Latence des disques',
    text: 'Cinq secondes. w_await est la durée d’une écriture en ms : moins de 5 sur un SSD, moins de 20 sur un disque ; %util proche de 100 : disque à sa limite. Demande le paquet sysstat.',
  },
  pressure: {
    title: 'Ce que le serveur attend',
    text: 'Cinq secondes. « wa » au-delà de 20 : il attend les disques ; « st » au-delà de 10 : machine virtuelle à court de processeur ; « si » et « so » non nuls : la mémoire manque.',
  },
  users: {
    title: 'Qui utilise les répertoires répliqués',
    text: 'Chaque processus qui y a un fichier ouvert. Sur le secondaire il n’y en a aucun ; s’il y en a un, il retarde un arrêt. Demande le paquet psmisc.',
  },
  trimJournal: {
    title: 'Faire de la place : raccourcir le journal',
    text: 'Supprime les journaux système les plus anciens jusqu’à 200 Mo. Enregistrez avant ceux dont vous avez encore besoin.',
  },
  reach: {
    title: 'Tout le monde répond-il ?',
    text: 'Trois pings vers chaque adresse du cluster. 0% packet loss et moins de 2 ms : bien ; des pertes : un câble, un commutateur ou un pare-feu.',
  },
  peerLink: {
    title: 'Lien de réplication',
    text: 'Les connexions entre les réplicateurs. ESTAB avec un petit rtt : bien ; un Send-Q qui grandit : réseau lent, ou disque lent en face ; aucune ligne : pas de lien.',
  },
  ports: {
    title: 'Ports ouverts',
    text: 'Qui écoute où. L’application n’est ici que sur le primaire ; la réplication écoute sur 7411.',
  },
  addresses: {
    title: 'Adresses',
    text: 'Les interfaces et leurs adresses. L’adresse IP virtuelle n’est ici que sur un seul serveur ; DOWN : un câble ou un commutateur.',
  },
  neighbours: {
    title: 'Voisins',
    text: 'Quelle adresse matérielle répond pour quelle IP. FAILED : personne ; une adresse matérielle inattendue : une deuxième machine avec la même IP.',
  },
  fence: {
    title: 'Isolement de l’adresse IP virtuelle',
    text: 'Ce que le noyau laisse passer. Une adresse de « managed » ne fonctionne que tant qu’elle est dans « leased », avec les secondes restantes.',
  },
  time: {
    title: 'Horloge',
    text: 'Tout va bien quand « System clock synchronized » dit yes. Holdfast ne décide rien d’après l’heure, mais les heures des journaux ne se comparent que si elles concordent.',
  },
  kernel: {
    title: 'Avertissements du noyau',
    text: 'Les 50 derniers. « I/O error » : un disque qui meurt ; « link is down » : un câble ; « Out of memory » : un processus tué faute de mémoire.',
  },
  load: {
    title: 'Ce qui occupe le serveur',
    text: 'Les processus par processeur. Une charge (load average) bien au-dessus du nombre de cœurs retarde tout, signaux de vie compris.',
  },
  memory: {
    title: 'Mémoire',
    text: 'C’est « available » qui compte. Proche de 0 avec du swap utilisé, le serveur va se figer.',
  },
  restarts: {
    title: 'Derniers démarrages',
    text: 'Quand le serveur a démarré et s’est arrêté. Un « reboot » sans « shutdown » avant : coupure de courant ou plantage.',
  },
  syncClock: {
    title: 'Activer la synchronisation de l’horloge',
    text: 'Le système suit désormais un serveur de temps. L’heure peut sauter une fois.',
  },
};

export const terminal: Messages['terminal'] = {
  title: 'Terminal',
  show: 'Terminal',
  key: 'Ctrl ²',
  local: 'Cet ordinateur',
  numbered: (name, number) => `${name} (${number})`,
  witness: 'Témoin',
  openOn: (name) => `Ouvrir un terminal sur ${name}`,
  openOnWitness: 'Ouvrir un terminal sur le témoin',
  openLocal: 'Ouvrir un terminal sur cet ordinateur',
  add: 'Nouveau terminal',
  tabs: 'Terminaux ouverts',
  closeTab: (name) => `Fermer le terminal ${name}`,
  hide: 'Masquer le terminal',
  maximise: 'Agrandir',
  restore: 'Rétablir la taille',
  resize: 'Hauteur du terminal',
  shortcuts: { copy: 'Ctrl Maj C', paste: 'Ctrl Maj V', find: 'Ctrl Maj F' },
  keys: 'Touches',
  menu: 'Options du terminal',
  screenReader: 'Mode lecteur d’écran',
  screenReaderText: 'Lit à voix haute ce qu’affiche une commande. Les longues sorties ralentissent.',
  hint: 'Ctrl Maj C copie, Ctrl Maj V colle, Ctrl Maj F cherche.',
  opening: (name) => `Connexion à ${name}`,
  openingLocal: 'Démarrage du shell',
  loading: 'Chargement du terminal',
  failedToLoad: 'Le terminal n’a pas pu être chargé. Rechargez la page.',
  again: 'Se reconnecter',
  openAgain: 'Rouvrir',
  tryAgain: 'Réessayer',
  close: 'Fermer',
  lost: (name, time) => `La connexion à ${name} a été perdue à ${time}.`,
  endedSignal: (time) => `Le shell a été arrêté par un signal à ${time}.`,
  ended: (code, time) =>
    code === 0 ? `Le shell s’est terminé à ${time}.` : `Le shell s’est terminé à ${time} avec le code ${code}.`,
  endedWithApp: (time) => `Le shell s’est terminé avec l’application à ${time}.`,
  secret: {
    password: (user, host) => `Mot de passe de ${user} sur ${host}`,
    sudo: (user, host) => `Mot de passe avec lequel ${user} devient root sur ${host}`,
    passphrase: (file) => `Phrase secrète de la clé ${file}`,
    wrong: 'Ce n’était pas le bon.',
    connect: 'Se connecter',
  },
  hostKey: {
    accept: 'C’est la même : accepter et se connecter',
    acceptChanged: 'Je sais pourquoi elle a changé : accepter la nouvelle',
  },
  copy: 'Copier',
  paste: 'Coller',
  selectAll: 'Tout sélectionner',
  find: 'Chercher',
  clear: 'Effacer',
  pasteByKey: 'Appuyez sur Ctrl Maj V : ce navigateur ne laisse personne d’autre coller.',
  copyFailed: 'Copie impossible : ce navigateur ne l’autorise pas.',
  pasteSeveral: (lines) => `Coller ${lines} lignes ?`,
  pasteWarning: (name) => `Chaque ligne est exécutée sur ${name} comme si vous l’aviez tapée puis validée avec Entrée.`,
  pasteText: 'Texte à coller',
  pasteNow: 'Coller et exécuter',
  pasteOneLine: 'Coller sur une seule ligne',
  cancel: 'Annuler',
  search: {
    label: 'Chercher dans le terminal',
    next: 'Suivant',
    previous: 'Précédent',
    close: 'Fermer la recherche',
    none: 'Introuvable',
    found: (at, total) => `${at} sur ${total}`,
  },
  list: {
    title: 'Trouver la panne',
    show: 'Afficher les commandes',
    hide: 'Masquer les commandes',
    search: 'Chercher une commande',
    none: 'Aucune commande à ce sujet.',
    runsOn: (name) => `sur ${name}`,
    noServer: 'Ouvrez un cluster : ces commandes sont pour ses serveurs.',
    looks: 'S’exécute aussitôt : elle ne fait que regarder.',
    changes: 'Modifie quelque chose : elle est tapée, c’est vous qui validez avec Entrée.',
    changesShort: 'modifie quelque chose',
    run: (title, name) => `${title}, ${name}`,
  },
  groups: {
    holdfast: 'Holdfast',
    data: 'Disques et données',
    network: 'Réseau',
    system: 'Serveur',
  },
  commands,
};
