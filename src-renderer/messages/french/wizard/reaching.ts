import type { reaching as english } from '../../english/wizard/reaching.ts';

export const reaching: typeof english = {
  serverNumber: ['Premier serveur', 'Second serveur'],
  destination: 'Utilisateur et adresse',
  destinationHint:
    'Par exemple root@10.0.0.11, ou un nom de votre configuration SSH. Un utilisateur autorisé à sudo suffit.',
  port: 'Numéro de port',
  identity: 'Clé',
  identityUsual: 'Les clés de ce portable, dans l’ordre habituel',
  identityOther: 'Un autre fichier …',
  identityFile: 'Fichier de la clé privée',
  portAndKeyOf: (port, key) => `Port ${port}, ${key}`,
  usualKeys: 'clés habituelles',
  connect: 'Connecter',
  find: 'Chercher …',
  foundQuick: 'Connus de ce portable :',
  connecting: (server) => `Connexion à ${server} …`,
  answersNext: 'Il répond. La question suivante compare son empreinte.',
  asRoot: (user) => `connecté en tant que ${user}`,
  asRootBySudo: (user) => `connecté en tant que ${user}, root par sudo`,
  cores: (count) => (count === 1 ? '1 cœur' : `${count} cœurs`),
  memory: (size) => `${size} de mémoire`,
  firstContact: (time) => `a répondu en ${time}`,
  nodeName: 'Nom dans le cluster',
  clusterName: 'Nom du cluster',
  clusterNameHint: 'Tel qu’il apparaîtra sur ce portable, par exemple le client et le site : dupont-lyon.',
  nameHint: 'Minuscules, chiffres et traits d’union.',
  secret: {
    'ssh-password': (user, host) => `Mot de passe de ${user} sur ${host}`,
    'sudo-password': (user, host) => `Mot de passe de ${user} pour sudo sur ${host}`,
    'key-passphrase': (file) => `Phrase secrète de la clé ${file}`,
  },
  secretHint: {
    'ssh-password':
      'Aucune clé de ce portable n’a été acceptée. Le mot de passe reste en mémoire jusqu’à la fermeture de l’application.',
    'sudo-password': 'L’agent s’installe en tant que root. C’est souvent le mot de passe de la connexion.',
    'key-passphrase': 'Le serveur accepte cette clé, mais elle est chiffrée.',
  },
  secretWrong: {
    'ssh-password': (user) =>
      `Le serveur refuse ce mot de passe de ${user}. Saisissez-le de nouveau, ou corrigez l’utilisateur.`,
    'sudo-password': (user) => `sudo refuse ce mot de passe de ${user}. Il peut différer de celui de la connexion.`,
    'key-passphrase': 'Ce n’est pas la phrase secrète de cette clé. Saisissez-la de nouveau.',
  },
  remember: 'Le retenir sur ce portable',
  rememberHint: 'Dans le trousseau de votre système, pas dans le brouillon.',
  logIn: 'Se connecter',
  connectAgain: 'Reconnecter',
  sameMachine: 'Les deux entrées mènent à la même machine.',
  sameMachineCause: 'Deux adresses ou deux noms d’un même serveur.',
  sameMachineRemedy: 'Un serveur ne survit pas à sa propre perte : indiquez-en un autre.',
  inCluster: (server, cluster) => `${server} appartient déjà au cluster ${cluster}.`,
  inClusterCause: 'Un serveur ne fait partie que d’un cluster.',
  inClusterRemedy: (cluster) =>
    `Choisissez un autre serveur, ou retirez-le d’abord de ${cluster}, par « holdfast uninstall » avec la configuration de ce cluster.`,
  ownCluster: (server, cluster) => `${server} porte déjà ${cluster} : le déploiement de ce brouillon y a commencé.`,
  finder: {
    title: 'Chercher un serveur',
    filter: 'Filtrer',
    none: 'Ni la configuration SSH ni les hôtes connus de ce portable ne citent de serveur. Explorez le réseau, ou saisissez l’adresse.',
    noMatch: 'Aucun ne correspond.',
    more: (count) => `${count} de plus : saisissez une partie du nom.`,
    source: {
      'ssh-config': 'configuration de SSH',
      'known-hosts': 'hôtes connus',
      scan: 'répond sur le réseau',
      lab: 'laboratoire',
    },
    answers: 'répond',
    silent: 'muet',
    scanTitle: 'Explorer le réseau',
    subnet: 'Sous-réseau',
    subnetHint: 'Par exemple 10.0.0.0/24. Chaque adresse est interrogée une fois sur le port 22.',
    scan: 'Explorer',
    scanning: (found) => `Exploration … ${found} ${found > 1 ? 'trouvés' : 'trouvé'}`,
    scanned: (found) =>
      found === 0
        ? 'Personne n’y répond sur le port 22.'
        : `${found} ${found > 1 ? 'répondent' : 'répond'} sur le port 22.`,
    stop: 'Arrêter',
    noSubnets: 'Ce portable n’est dans aucun réseau assez petit pour être exploré. Saisissez le sous-réseau.',
  },
  fingerprint: {
    of: (host, type) => (type === '' ? `Empreinte de ${host}` : `Empreinte de ${host} (${type})`),
    howTitle: 'Comment comparer',
    how: 'À la console du serveur, ou par une liaison de confiance, saisissez ceci. L’empreinte affichée doit être celle ci-dessus, au caractère près. Si elle diffère, une autre machine répond : n’allez pas plus loin.',
    same: 'C’est la même',
    known: 'Connue : cette clé est enregistrée sur ce portable.',
    compared: 'Comparée par vous. Elle est maintenant enregistrée.',
    waiting: 'L’empreinte arrive avec la connexion.',
    intro:
      'Ce portable n’a encore jamais rencontré ces serveurs. Comparez chaque empreinte à celle que le serveur affiche lui-même.',
    introKnown: 'Les deux serveurs présentent la clé enregistrée sur ce portable. Il n’y a rien à comparer.',
  },
  changed: {
    title: (host) => `${host} présente une autre clé qu’avant.`,
    expected: 'Enregistrée',
    got: 'Présentée',
    explanations: 'Il y a deux explications.',
    reinstalled:
      'Le serveur a été réinstallé ou remplacé. Alors celui qui l’a fait peut vous donner la nouvelle empreinte.',
    impostor:
      'Une autre machine répond à cette adresse : un câble mal branché, une adresse en double, ou quelqu’un au milieu qui lirait votre mot de passe.',
    whatToDo: 'Ne saisissez aucun mot de passe. Comparez d’abord la nouvelle empreinte à la console du serveur.',
    confirm: 'L’empreinte à la console est bien celle présentée maintenant',
    accept: 'Remplacer la clé enregistrée',
  },
};
