import type { Messages } from '../messages.ts';
import { listed, numberOf, type Facts } from '../wizard-words.ts';

const mebibytes = (facts: Facts, key: string): string => `${Math.ceil(numberOf(facts, key) / 1024 / 1024)} Mio`;
const missingTools = (facts: Facts): string => listed(facts, 'missing');

/** How far a clock is off, seen from this computer. */
function clockOff(facts: Facts): string {
  const seconds = numberOf(facts, 'seconds');
  return seconds < 0
    ? `${Math.abs(seconds)} s de retard sur cet ordinateur`
    : `${seconds} s d’avance sur cet ordinateur`;
}

const directoryTitle = (facts: Facts): string => `Répertoire ${listed(facts, 'path')}`;
const vipTitle = (facts: Facts): string => `Adresse IP virtuelle ${listed(facts, 'address')}`;
const networkTitle = (facts: Facts): string => `Réseau ${listed(facts, 'network')}`;
const openPorts = (facts: Facts): string =>
  listed(facts, 'command') === ''
    ? 'Laissez passer ces ports dans le pare-feu de ce serveur, et dans ceux qui sont entre les serveurs.'
    : 'Ouvrez les ports sur place :';
function passage(facts: Facts): string {
  const tried =
    facts['tcp'] === 'ok' || facts['udp'] === 'ok' ? 'joint' : 'répond ; les ports n’ont pas pu être essayés';
  const ping = facts['pingMs'];
  return `depuis ${listed(facts, 'from')} : ${tried}${typeof ping === 'number' ? `, ${ping} ms` : ''}`;
}
const wholeDirectory = 'Des répertoires entiers sont répliqués.';
const clockWhy = 'Aucune décision ne dépend de l’horloge, mais les heures de la chronologie seraient fausses.';

export const checks: Messages['checks'] = {
  'operating-system': (f) => ({
    title: 'Système d’exploitation',
    what: listed(f, 'name') === '' ? listed(f, 'system') : listed(f, 'name'),
    why: 'L’agent fonctionne sous Linux.',
    remedy: 'Prenez un serveur Linux.',
  }),
  kernel: (f) => ({
    title: 'Noyau',
    what: `Linux ${listed(f, 'kernel')}`,
    why: `La réplication et l’isolement ont besoin de ce que Linux ${listed(f, 'needed')} a apporté.`,
    remedy: `Passez le serveur au noyau ${listed(f, 'needed')} ou plus récent.`,
  }),
  architecture: (f) => ({
    title: 'Processeur',
    what: listed(f, 'architecture'),
    why: 'L’agent existe pour x86-64 et arm64.',
    remedy: 'Prenez un serveur avec l’un de ces processeurs.',
  }),
  libc: (f) => ({
    title: 'Bibliothèque C',
    what: listed(f, 'libc') === '' ? 'introuvable' : listed(f, 'libc'),
    why: `L’agent a besoin de glibc ${listed(f, 'needed')}.`,
    remedy: 'Prenez RHEL 8, Debian 11, Ubuntu 20.04, SLES 15 ou plus récent.',
  }),
  systemd: (f) => ({
    title: 'Présence de systemd',
    what: f['runs'] === false ? 'ne tourne pas' : 'tourne',
    why: 'systemd démarre l’agent et le maintient en marche.',
    remedy: 'Prenez un serveur qui démarre avec systemd.',
  }),
  tools: (f) => ({
    title: 'Commandes de base',
    what: missingTools(f) === '' ? 'présentes' : `manquantes : ${missingTools(f)}`,
    why: 'Le déploiement les utilise.',
    remedy: `Installez ${missingTools(f)} avec le gestionnaire de paquets du serveur.`,
  }),
  'disk-space': (f) => ({
    title: 'Espace disque',
    what: `${mebibytes(f, 'freeBytes')} libres pour ${listed(f, 'path')}, ${mebibytes(f, 'neededBytes')} nécessaires`,
    why: 'L’agent et son environnement y sont décompressés.',
    remedy: 'Faites de la place sur ce système de fichiers.',
  }),
  writable: (f) => ({
    title: 'Système inscriptible',
    what: listed(f, 'readOnly') === '' ? 'oui' : `en lecture seule : ${listed(f, 'readOnly')}`,
    why: 'L’agent s’y installe.',
    remedy: 'Montez le système de fichiers en écriture.',
  }),
  memory: (f) => ({
    title: 'Mémoire',
    what: mebibytes(f, 'memoryBytes'),
    why: 'L’agent prend environ 250 Mio ; l’application vit avec le reste.',
    remedy: 'Donnez plus de mémoire au serveur.',
  }),
  fuse: (f, check) => ({
    title: 'Accès à FUSE',
    what: check.ok ? 'utilisable' : listed(f, 'said'),
    why: 'Les répertoires répliqués passent par FUSE.',
    remedy: 'Chargez le module du noyau (modprobe fuse) ; dans un conteneur, transmettez-lui /dev/fuse.',
  }),
  'network-tools': (f, check) => ({
    title: 'Commandes ip et nft',
    what: check.ok ? 'présentes' : missingTools(f) === '' ? listed(f, 'said') : `manquantes : ${missingTools(f)}`,
    why: 'La commande ip pose l’adresse IP virtuelle, et nftables la coupe quand ce serveur perd le droit de l’avoir.',
    remedy: 'Installez les paquets iproute2 et nftables.',
  }),
  'application-fence': () => ({
    title: 'Isolement',
    what: 'le noyau ne sait pas couper une application entière',
    why: 'Quand ce serveur se fige, l’adresse IP virtuelle et les fichiers sont coupés à temps ; les connexions que l’application a ouvertes elle-même, et les clients sur d’autres adresses de ce serveur, seulement quand il repart.',
    remedy: 'Linux 5.13 avec les groupes de contrôle version 2 et nft 0.9.9 ou plus récent savent le faire.',
  }),
  'kill-at-once': () => ({
    title: 'Isolement',
    what: 'le noyau ne sait pas terminer d’un coup tous les processus d’une application',
    why: 'Ils sont terminés l’un après l’autre, ce qui dure plus longtemps quand une application en lance sans cesse de nouveaux.',
    remedy: 'Linux 5.14 avec les groupes de contrôle version 2 sait le faire.',
  }),
  ports: (f) => ({
    title: 'Ports réseau',
    what: `libres : ${listed(f, 'ports')}`,
  }),
  'port-taken': (f) => ({
    title: 'Ports réseau',
    what: `${listed(f, 'program') === '' ? 'un autre programme' : listed(f, 'program')} écoute déjà sur le port ${listed(f, 'protocol')} ${listed(f, 'port')}`,
    why: 'Les serveurs se parlent sur ce port.',
    remedy: `Arrêtez ce programme, ou donnez-lui un autre port. Pour voir : ss -lnp 'sport = :${listed(f, 'port')}'`,
  }),
  selinux: (f) => ({
    title: 'Contrôle SELinux',
    what: `${f['enforcing'] === true ? 'actif' : 'permissif'} ; l’agent tourne comme service non confiné, et les répertoires répliqués gardent leur étiquette`,
  }),
  'selinux-execmem': (f) => ({
    title: 'Contrôle SELinux',
    what: 'la politique ne laisse aucun service exécuter du code qu’il a fabriqué lui-même (execmem)',
    why: 'L’environnement de l’agent traduit son programme pendant qu’il tourne ; sinon le noyau le termine.',
    remedy: listed(f, 'command'),
  }),
  'selinux-label': (f) => ({
    title: directoryTitle(f),
    what: `${listed(f, 'path')} porte l’étiquette ${listed(f, 'label')}, et la politique du serveur lui donnerait ${listed(f, 'byPolicy')}`,
    why: 'Quand le serveur sera réétiqueté, le répertoire perdra cette étiquette, et l’application ses données.',
    remedy: listed(f, 'command'),
  }),
  'selinux-labels-differ': (f) => ({
    title: directoryTitle(f),
    what: `${listed(f, 'path')} porte l’étiquette ${listed(f, 'label')}, et ${listed(f, 'otherLabel')} sur ${listed(f, 'other')}`,
    why: 'Une application confinée qui peut s’en servir sur un serveur ne le peut pas sur l’autre.',
    remedy: `Sur le serveur où elle est fausse, par exemple : ${listed(f, 'command')}`,
  }),
  'directory-holds-mounts': (f) => ({
    title: directoryTitle(f),
    what: `d’autres systèmes de fichiers sont montés sous ${listed(f, 'path')} : ${listed(f, 'mounts')}`,
    why: 'Ce qu’ils contiennent ne serait ni répliqué ni visible.',
    remedy: 'Démontez-les et retirez-les de /etc/fstab, ou répliquez un répertoire qui n’en contient pas.',
  }),
  'directory-read-only': (f) => ({
    title: directoryTitle(f),
    what: `le système de fichiers de ${listed(f, 'path')} est monté en lecture seule`,
    why: 'La réplication y écrit. Un système de fichiers passé de lui-même en lecture seule a un disque abîmé.',
    remedy: `Regardez dmesg ; puis mount -o remount,rw "$(df -P ${listed(f, 'path')} | awk 'NR == 2 { print $6 }')", et corrigez sa ligne dans /etc/fstab.`,
  }),
  'virsh-missing': (f) => ({
    title: 'Machines virtuelles',
    what: `virsh manque, par lequel le contrôle de ${listed(f, 'domains')} interroge libvirt`,
    why: 'Ce serveur ne pourrait pas voir si la machine virtuelle est bloquée : le contrôle n’y compterait pour rien.',
    remedy:
      'Installez-le : apt-get install libvirt-clients (RHEL : dnf install libvirt-client ; SUSE : zypper install libvirt-client).',
  }),
  'mount-noexec': (f) => ({
    title: 'Programmes autorisés',
    what: `le système de fichiers de ${listed(f, 'path')} est monté avec noexec`,
    why: 'L’agent et sa commande démarrent de là.',
    remedy: `mount -o remount,exec "$(df -P $(dirname ${listed(f, 'path')}) | awk 'NR == 2 { print $6 }')", et retirez noexec de sa ligne dans /etc/fstab.`,
  }),
  fapolicyd: () => ({
    title: 'Contrôle fapolicyd',
    what: 'tourne ; le déploiement lui fait connaître les fichiers de l’agent. Vos propres scripts : fapolicyd-cli --file add SCRIPT && fapolicyd-cli --update',
  }),
  'fapolicyd-command-missing': () => ({
    title: 'Contrôle fapolicyd',
    what: 'fapolicyd tourne, et sa commande fapolicyd-cli manque',
    why: 'Il faut lui faire connaître les fichiers de l’agent, sinon il ne les laisse pas démarrer.',
    remedy: 'Installez fapolicyd-cli (du paquet fapolicyd), ou arrêtez fapolicyd : systemctl stop fapolicyd',
  }),
  'on-access-scanner': (f) => ({
    title: 'Analyse à l’accès',
    what: `${listed(f, 'programs')} peut regarder dans chaque fichier qui s’ouvre`,
    why: 'Il attend des fichiers que Holdfast sert, et Holdfast attend sa permission pour ouvrir ce qui est dessous : les deux attendraient sans fin.',
    remedy: `Excluez ${listed(f, 'directories')} et le processus /opt/holdfast/node/node de l’analyse à l’accès : ${listed(f, 'remedies')}`,
  }),
  'container-without-rslave': (f) => ({
    title: directoryTitle(f),
    what: `${listed(f, 'containers')} voit ${listed(f, 'path')} par des montages qui ne suivent pas ceux du serveur`,
    why: 'Il continuerait d’écrire sous le répertoire répliqué : sans que l’autre serveur le sache, et dans une copie qui doit rester telle quelle.',
    remedy: `Arrêtez-le pour le déploiement, et donnez-lui le répertoire avec rslave : docker run -v ${listed(f, 'path')}:${listed(f, 'path')}:rslave (dans un fichier compose, la propagation rslave du montage).`,
  }),
  'container-propagation': (f) => ({
    title: `Démarrage de ${listed(f, 'module')}`,
    what: `${listed(f, 'module')} démarre avec ${listed(f, 'tool')}, sans qu’on y voie ${listed(f, 'directories')} avec rslave`,
    why: 'Un conteneur qui ne s’arrête pas avec le module continuerait de voir un répertoire qui n’est plus servi.',
    remedy: `Ajoutez :rslave au montage de ${listed(f, 'directories')}, et --restart=no : c’est le module qui décide où il tourne.`,
  }),
  'kernel-without-sync-errors': (f) => ({
    title: 'Noyau',
    what: `Linux ${listed(f, 'kernel')} ne dit pas quand des données n’ont pas pu être écrites sur un disque`,
    why: 'Après chaque absence de l’autre serveur, toutes les données sont comparées, au lieu de ce qui a changé entre-temps.',
    remedy: `Linux ${listed(f, 'needed')} ou plus récent le dit.`,
  }),
  'login-shell': (f) => ({
    title: 'Interpréteur de connexion',
    what: `${listed(f, 'shell')} ; les commandes passent par /bin/sh, quel que soit l’interpréteur`,
  }),
  'other-cluster-software': (f) => ({
    title: 'Autre logiciel de cluster',
    what: `${listed(f, 'programs')} tourne ici`,
    why: 'Deux programmes qui déplacent la même adresse ou la même application se gênent.',
    remedy: `Arrêtez ce qui ne sert plus : systemctl disable --now ${listed(f, 'programs').replaceAll(',', '')}`,
  }),
  'agent-newer': (f) => ({
    title: 'Version de l’agent',
    what: `l’agent installé est en ${listed(f, 'installed')}, ce programme apporte ${listed(f, 'brought')}`,
    why: 'L’ancien agent ne connaît peut-être pas ce que le nouveau a enregistré.',
    remedy: `Utilisez Holdfast ${listed(f, 'installed')} ou plus récent sur cet ordinateur.`,
  }),
  clock: (f, check) => ({
    title: 'Horloge',
    what: check.attention ? clockOff(f) : 'juste',
    why: clockWhy,
    remedy: 'Réglez l’horloge, de préférence par un serveur de temps.',
  }),
  'clock-of-this-computer': (f) => ({
    title: 'Horloge',
    what: `les serveurs sont d’accord, avec ${clockOff(f)}`,
    why: clockWhy,
    remedy: 'Réglez l’horloge de cet ordinateur.',
  }),
  'same-server-twice': (f) => ({
    title: 'Serveurs différents',
    what: `${listed(f, 'one')} et ${listed(f, 'other')} sont le même serveur`,
    why: 'Un serveur ne survit pas à sa propre perte.',
    remedy: 'Indiquez les adresses de machines différentes.',
  }),
  'belongs-to-another-cluster': (f) => ({
    title: 'Appartenance',
    what: `${listed(f, 'node')} appartient déjà au cluster ${listed(f, 'cluster')}`,
    why: 'Un serveur ne fait partie que d’un cluster.',
    remedy: `Retirez-le d’abord : holdfast uninstall, avec la configuration de ${listed(f, 'cluster')}.`,
  }),
  'network-without-node': (f) => ({
    title: 'Réseaux',
    what: `${listed(f, 'node')} n’a pas d’adresse dans le réseau ${listed(f, 'network')} (${listed(f, 'subnet')}) ; il a ${listed(f, 'addresses')}`,
    why: 'Les signaux de vie et la réplication passent par chaque réseau indiqué.',
    remedy: 'Corrigez les réseaux, ou donnez une adresse au serveur.',
  }),
  'networks-unknown': () => ({
    title: 'Réseaux',
    what: 'le réseau qui relie les deux serveurs n’est pas clair',
    why: 'SSH est arrivé sur une adresse que le serveur ne connaît pas comme la sienne.',
    remedy: 'Choisissez les réseaux vous-même.',
  }),
  'vip-in-use': (f) => ({
    title: vipTitle(f),
    what:
      listed(f, 'by') === ''
        ? `quelqu’un répond déjà à ${listed(f, 'address')}`
        : `${listed(f, 'address')} est déjà une adresse de ${listed(f, 'by')}`,
    why: 'Deux machines à la même adresse se coupent mutuellement du réseau.',
    remedy: 'Choisissez une adresse libre, ou retirez celle-ci à la machine qui l’utilise.',
  }),
  'vip-free': (f) => ({
    title: vipTitle(f),
    what: f['ours'] === true ? 'appartient à ce cluster' : 'personne n’y répond',
  }),
  'vip-network': (f, check) => ({
    title: vipTitle(f),
    what: `${check.host ?? ''} n’a aucune carte dans le réseau de ${listed(f, 'address')}`,
    why: 'L’adresse n’y serait pas joignable.',
    remedy: 'Choisissez une adresse d’un réseau où se trouvent les deux serveurs, ou indiquez la carte réseau.',
  }),
  'vip-interface': (f, check) => ({
    title: vipTitle(f),
    what: `${check.host ?? ''} n’a pas de carte ${listed(f, 'interface')} avec une adresse IPv4`,
    why: 'L’adresse IP virtuelle doit y être posée.',
    remedy: `Choisissez parmi : ${listed(f, 'interfaces')}.`,
  }),
  directory: (f) => ({
    title: directoryTitle(f),
    what: listed(f, 'filesystem') === '' ? 'sur un système de fichiers local' : `sur ${listed(f, 'filesystem')}`,
  }),
  'directory-copies-on-write': (f) => ({
    title: directoryTitle(f),
    what: `${listed(f, 'filesystem')} a besoin d’espace libre pour chaque modification, même de ce qui existe déjà`,
    why: 'Quand il est plein, Holdfast ne peut plus y noter ce que vaut la copie : l’application reçoit des erreurs et peut passer sur l’autre serveur.',
    remedy: `Ne laissez jamais le système de fichiers de ${listed(f, 'path')} se remplir : surveillez son espace libre, ou donnez un quota aux autres répertoires qu’il contient. ext4, XFS et btrfs n’ont pas cette limite.`,
  }),
  'application-running': (f) => ({
    title: directoryTitle(f),
    what: `en cours d’utilisation par ${listed(f, 'programs')}`,
    why: 'Aucun fichier n’y doit être ouvert au moment où la réplication se met en place.',
    remedy:
      'Le déploiement exécute la commande d’arrêt à ce moment-là ; ensuite, c’est le module qui démarre l’application.',
  }),
  'directory-is-symlink': (f) => ({
    title: directoryTitle(f),
    what: 'c’est un lien symbolique',
    why: 'Le montage se fait sur le répertoire lui-même ; un lien mène ailleurs.',
    remedy: 'Indiquez le chemin vers lequel pointe le lien.',
  }),
  'directory-is-file': (f) => ({
    title: directoryTitle(f),
    what: 'ce n’est pas un répertoire',
    why: wholeDirectory,
    remedy: 'Indiquez le répertoire qui le contient.',
  }),
  'directory-is-mount-point': (f) => ({
    title: directoryTitle(f),
    what: 'c’est un point de montage',
    why: 'Si son système de fichiers n’était pas monté un jour, un répertoire vide passerait pour les données.',
    remedy: `Placez les données dans un répertoire en dessous, par exemple ${listed(f, 'path')}/data.`,
  }),
  'directory-filesystem': (f) => ({
    title: directoryTitle(f),
    what: `sur ${listed(f, 'filesystem')}`,
    why: 'La réplication demande un système de fichiers local capable de retrouver ses fichiers, comme ext4 ou XFS.',
    remedy: 'Déplacez les données sur un disque local en ext4 ou XFS.',
  }),
  'directory-missing': (f) => ({
    title: directoryTitle(f),
    what: 'absent des deux serveurs',
    why: 'Holdfast réplique un répertoire existant ; un chemin faux ne protégerait rien.',
    remedy: `Créez-le sur le serveur qui fera tourner ${listed(f, 'module')} en premier, ou corrigez le chemin.`,
  }),
  'directory-parent-missing': (f) => ({
    title: directoryTitle(f),
    what: 'ni lui ni le répertoire au-dessus n’existent',
    why: 'Le disque qui doit contenir les données n’est peut-être pas monté.',
    remedy: 'Montez le disque, ou créez le répertoire au-dessus.',
  }),
  'filesystems-differ': (f) => ({
    title: directoryTitle(f),
    what: `systèmes de fichiers différents : ${listed(f, 'filesystems')}`,
    why: 'Les deux copies doivent garder les mêmes noms, attributs et limites.',
    remedy: 'Utilisez le même système de fichiers sur les deux serveurs.',
  }),
  'owner-differs': (f) => ({
    title: directoryTitle(f),
    what: `l’utilisateur ${listed(f, 'user')} a le numéro ${listed(f, 'number')}, et ${listed(f, 'otherNumber')} sur ${listed(f, 'other')}`,
    why: 'Les fichiers gardent le numéro de leur propriétaire : après un basculement, l’application ne pourrait pas lire ses données.',
    remedy: `Donnez à ${listed(f, 'user')} le même numéro des deux côtés, application arrêtée : usermod -u ${listed(f, 'otherNumber')} ${listed(f, 'user')}`,
  }),
  'data-space': (f, check) => ({
    title: `Place pour ${listed(f, 'path')}`,
    what: `${mebibytes(f, 'freeBytes')} libres, ${f['atLeast'] === true ? 'au moins ' : ''}${mebibytes(f, 'neededBytes')} nécessaires`,
    why: `La copie de ${listed(f, 'good')} doit s’y trouver, à côté de ce qui y est aujourd’hui.`,
    remedy: check.ok
      ? 'Il y a trop de fichiers pour les compter vite : comparez par du -sh sur les deux serveurs.'
      : 'Faites de la place sur ce système de fichiers, ou agrandissez-le.',
  }),
  'runtime-missing': (f) => ({
    title: 'Environnement d’exécution',
    what: `ce portable n’en a pas pour ${listed(f, 'architecture')}`,
    why: 'L’agent apporte le sien.',
  }),
  'good-copy-empty': (f) => ({
    title: directoryTitle(f),
    what: `${listed(f, 'good')} est choisi pour les bonnes données, mais son répertoire est vide ; ${listed(f, 'other')} en a`,
    why: 'Le répertoire vide remplacerait les données.',
    remedy: `Choisissez ${listed(f, 'other')}.`,
  }),
  'peer-unreachable': (f, check) => ({
    title: networkTitle(f),
    what: `${listed(f, 'from')} ne joint pas ${check.host ?? ''} à ${listed(f, 'address')}`,
    why: 'Les signaux de vie et la réplication passent par là.',
    remedy: 'Vérifiez le câble, le commutateur et les pare-feu entre les deux, ou n’utilisez pas ce réseau.',
  }),
  'peer-ports-blocked': (f, check) => ({
    title: networkTitle(f),
    what: `bloqué de ${listed(f, 'from')} vers ${check.host ?? ''} (${listed(f, 'address')}) : ${listed(f, 'blocked')}`,
    why: 'La réplication et les signaux de vie utilisent ces ports.',
    remedy: openPorts(f),
  }),
  'peer-slow': (f) => ({
    title: networkTitle(f),
    what: passage(f),
    why: 'Chaque modification que l’application rend durable attend un aller-retour.',
    remedy: 'Mettez un réseau plus rapide en premier.',
  }),
  'peer-link': (f) => ({ title: networkTitle(f), what: passage(f) }),
  'ping-witness': (f, check) => ({
    title: 'Témoin par ping',
    what: `${listed(f, 'address')} répond à ${check.host ?? ''} en ${listed(f, 'pingMs')} ms`,
  }),
  'ping-witness-unanswered': (f, check) => ({
    title: 'Témoin par ping',
    what: `${listed(f, 'address')} ne répond pas aux pings de ${check.host ?? ''}`,
    why: 'Un serveur qui ne joint ni lui ni l’autre serveur ne démarre rien et arrête ce qu’il exécute.',
    remedy: 'Autorisez-le à répondre aux pings (ICMP echo), ou nommez une autre adresse qui répond toujours.',
  }),
  'ping-witness-own': (f, check) => ({
    title: 'Témoin par ping',
    what: `${listed(f, 'address')} est une adresse de ${check.host ?? ''} lui-même`,
    why: 'Un serveur répond toujours à ses propres pings : il ne remarquerait jamais qu’il est coupé.',
    remedy: 'Nommez ce qu’aucun des deux serveurs n’est et que les deux joignent : le routeur du réseau des clients.',
  }),
  'witness-unreachable': (f) => ({
    title: 'Chemin vers le témoin',
    what: `${listed(f, 'from')} ne joint pas le témoin à ${listed(f, 'address')}`,
    why: 'Les serveurs demandent au témoin lequel peut être primaire.',
    remedy: 'Vérifiez le câble, le commutateur et les pare-feu entre les deux.',
  }),
  'witness-port-blocked': (f) => ({
    title: 'Chemin vers le témoin',
    what: `bloqué de ${listed(f, 'from')} vers le témoin (${listed(f, 'address')}) : ${listed(f, 'blocked')}`,
    why: 'Les serveurs interrogent le témoin sur ce port.',
    remedy: openPorts(f),
  }),
  'witness-link': (f) => ({ title: 'Chemin vers le témoin', what: passage(f) }),
  unit: (f) => ({
    title: listed(f, 'unit'),
    what: 'ne démarre que par le module',
  }),
  'unit-shared': (f) => ({
    title: listed(f, 'unit'),
    what: `plusieurs modules démarrent ${listed(f, 'unit')} : ${listed(f, 'modules')}`,
    why: 'Ce service n’est ni coupé du réseau ni terminé de force avec l’un d’eux, car cela toucherait les autres.',
    remedy: 'Donnez à chaque module son propre service, ou réunissez dans un même module ce qui va ensemble.',
  }),
  'unit-missing': (f, check) => ({
    title: listed(f, 'unit'),
    what: `${check.host ?? ''} n’a pas ${listed(f, 'unit')}`,
    why: `Après un basculement, ${listed(f, 'module')} n’y pourrait pas démarrer.`,
    remedy:
      'Installez l’application sur les deux serveurs, dans la même version, ou corrigez la commande de démarrage.',
  }),
  'unit-starts-by-itself': (f, check) => ({
    title: listed(f, 'unit'),
    what: `démarre seul quand ${check.host ?? 'le serveur'} démarre`,
    why: 'Désormais, c’est le module qui décide où tourne l’application ; un démarrage automatique échoue, ou se fait avant que les données soient là.',
    remedy: 'Laissez le démarrage au module :',
  }),
};
