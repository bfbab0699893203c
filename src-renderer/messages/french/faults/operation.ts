import type { Messages } from '../../messages.ts';
import { fact } from '../../fault-words.ts';
import type { operation as english } from '../../english/faults/operation.ts';

const readReplicatorJournal = 'Ouvrez-y un terminal : journalctl -u holdfast-replicator.';
const lookAtDisk =
  'Ouvrez-y un terminal et cherchez des erreurs de disque : dmesg. L’application devrait continuer sur l’autre serveur.';
const giveCertificates = 'Réappliquez la configuration : elle donne à chaque serveur le certificat de l’autre.';

export const operation: Pick<Messages['faults'], keyof typeof english> = {
  'agent-not-answering': (d) => ({
    what: `SSH vers ${fact(d, 'host', fact(d, 'node', 'le serveur'))} fonctionne, mais l’agent n’y répond pas.`,
    cause: 'Il a été arrêté, ou il ne démarre pas.',
    remedy:
      'Ouvrez-y un terminal : systemctl status holdfastd. Réappliquer la configuration répare une installation interrompue.',
  }),
  'agents-not-answering': () => ({
    what: 'SSH fonctionne, mais l’agent ne répond sur aucun des deux serveurs.',
    cause: 'Ils ont été arrêtés tous les deux, ou une installation a été interrompue.',
    remedy: 'Ouvrez un terminal : systemctl status holdfastd. Après une installation interrompue, reprenez-la.',
  }),
  'not-answered-yet': (d) => ({
    what: `${fact(d, 'node', 'Le serveur')} n’a pas encore répondu.`,
    remedy: 'Rien à faire : la question est posée.',
  }),
  'agent-down': () => ({
    what: 'L’agent de ce serveur ne répond pas.',
    remedy: 'Ouvrez-y un terminal : systemctl status holdfastd.',
  }),
  'not-running': () => ({
    what: 'Un service Holdfast de ce serveur ne tourne pas.',
    remedy: 'Ouvrez-y un terminal : systemctl status holdfastd holdfast-replicator.',
  }),
  'servers-unreachable': () => ({
    what: 'Aucun des deux serveurs n’est joignable d’ici.',
    cause: 'Ils sont éteints tous les deux, ou ce portable est sur un autre réseau.',
    remedy: 'Vérifiez d’abord le câble du portable, puis l’alimentation des serveurs.',
  }),
  'version-skew': (d) => ({
    what: `L’autre côté utilise Holdfast ${fact(d, 'theirs', 'dans une autre version')}, qui ne s’entend pas avec celle-ci.`,
    cause: 'Une mise à jour n’a atteint qu’un côté.',
    remedy:
      'Réappliquez la configuration avec la version la plus récente : elle y amène les deux serveurs, l’un après l’autre.',
  }),
  'not-holdfast': () => ({
    what: 'Ce qui répond là n’est pas Holdfast.',
    cause: 'Le shell de connexion affiche quelque chose de lui-même, ou aucun agent n’est installé.',
    remedy: 'Ouvrez-y un terminal et regardez ce que le shell affiche d’abord.',
  }),
  'confirmation-wrong': (d) => ({
    what: `Ce qui a été saisi n’est pas ${fact(d, 'module', 'le nom du module')}.`,
    remedy: 'Saisissez le nom exact du module, ou renoncez.',
  }),
  'order-incomplete': (d) => ({
    what: `${fact(d, 'told', 'Un serveur')} a reçu l’ordre, pas ${fact(d, 'notTold', 'l’autre serveur')}.`,
    cause: 'Il tourne mais n’a pas pu être prévenu ; il peut continuer ou prendre le relais.',
    remedy: 'Redonnez l’ordre quand la connexion est revenue.',
  }),
  'no-such-module': (d) => ({
    what: `Il n’y a pas de module ${fact(d, 'module', 'de ce nom')} sur ce serveur.`,
    cause: 'La configuration a changé, ou n’est pas arrivée sur ce serveur.',
    remedy: 'Relisez le cluster.',
  }),
  'no-primary': (d) => ({
    what: `${fact(d, 'module', 'Le module')} ne tourne sur aucun serveur joignable.`,
    remedy: 'Démarrez-le, ou faites revenir le serveur qui le portait.',
  }),
  'not-primary': () => ({
    what: 'Ce serveur ne porte pas l’application et ne peut donc pas suivre cet ordre.',
    cause: 'L’application s’est déplacée entre-temps.',
    remedy: 'Relisez le cluster, puis redonnez l’ordre.',
  }),
  'already-primary': () => ({
    what: 'Ce serveur porte déjà l’application, ou va le faire.',
    remedy: 'Rien à faire.',
  }),
  'module-needed': () => ({
    what: 'Un autre module en marche dépend de celui-ci.',
    cause: 'Son application perdrait ce dont elle a besoin.',
    remedy: 'Arrêtez d’abord l’autre module.',
  }),
  'peer-not-ready': () => ({
    what: 'L’autre serveur ne peut pas prendre le relais maintenant.',
    cause: 'Sa copie n’est pas à jour.',
    remedy: 'Attendez que le module soit protégé, puis basculez.',
  }),
  'peer-active': () => ({
    what: 'L’autre serveur porte l’application en ce moment.',
    remedy: 'Basculez, ou arrêtez le module, au lieu de promouvoir.',
  }),
  'peer-has-newer-data': () => ({
    what: 'L’autre serveur est là, et sa copie contient ce qui manque à celle-ci.',
    cause: 'Les deux attendent un autre module dont celui-ci dépend.',
    remedy: 'Démarrez cet autre module. Si cette copie doit servir malgré tout, arrêtez d’abord ce module.',
  }),
  'no-data': () => ({
    what: 'Ce serveur n’a jamais eu les données de ce module.',
    remedy: 'Promouvez l’autre serveur.',
  }),
  'replicator-down': () => ({
    what: 'Le processus de réplication de ce serveur ne répond pas.',
    remedy: readReplicatorJournal,
  }),
  'not-configured': () => ({
    what: 'Ce serveur n’appartient encore à aucun cluster.',
    remedy: 'Appliquez la configuration depuis ce portable.',
  }),
  'state-unreadable': (d) => ({
    what: `Ce que le serveur a noté sur ${fact(d, 'module', 'ses voix')} est illisible.`,
    cause: 'Son disque était plein ou défaille.',
    remedy: 'Restaurez le fichier que nomme le détail technique, ou réinstallez ce serveur à partir de l’autre.',
  }),
  'logs-unavailable': () => ({
    what: 'Le journal de ce serveur est illisible.',
    remedy: 'Ouvrez-y un terminal : journalctl -u holdfastd.',
  }),
  'script-timed-out': (d) => ({
    what: `Le script ${fact(d, 'script', 'start')} ne s’est pas terminé à temps.`,
    remedy: `Lisez ce qu’il a affiché : ${fact(d, 'outputFile', 'voir le détail')}.`,
  }),
  'script-failed': (d) => ({
    what: `Le script ${fact(d, 'script', 'start')} a échoué (code ${fact(d, 'exitCode', 'inconnu : arrêté par un signal')}).`,
    remedy: `Lisez ce qu’il a affiché : ${fact(d, 'outputFile', 'voir le détail')}.`,
  }),
  'copy-stale': () => ({
    what: 'La copie de ce serveur est périmée : il lui manque ce qui a été écrit sur l’autre.',
    remedy: 'Démarrez d’abord l’autre serveur. Ne promouvez celui-ci que si les autres données sont perdues.',
  }),
  forked: () => ({
    what: 'Les deux serveurs ont modifié les données sans se voir. Rien n’a été effacé.',
    remedy: 'Choisissez la version à garder : holdfast fork keep MODULE --node NODE. L’autre est mise de côté.',
  }),
  'peer-is-newer': (d) => ({
    what: `${fact(d, 'peer', 'L’autre serveur')} a des données plus récentes.`,
    remedy: 'Arrêtez le module ici et laissez l’autre serveur le porter.',
  }),
  'not-the-same-data': () => ({
    what: 'Les deux copies n’ont jamais été les mêmes données.',
    cause: 'L’autre serveur a été préparé pour un autre cluster ou une autre application.',
    remedy: 'Choisissez la bonne copie et préparez de nouveau l’autre serveur.',
  }),
  'not-initialised': () => ({
    what: 'Les données de ce module ne sont pas préparées sur ce serveur.',
    remedy: 'Appliquez la configuration.',
  }),
  'volume-busy': () => ({ what: 'Le module tourne encore sur ce serveur.', remedy: 'Arrêtez-le d’abord.' }),
  'record-too-new': () => ({
    what: 'L’enregistrement de cette copie vient d’une version plus récente de Holdfast.',
    remedy: 'Appliquez la configuration avec cette version : elle y amène aussi ce serveur.',
  }),
  'not-this-volume': () => ({
    what: 'Ce répertoire contient les données répliquées d’autre chose.',
    remedy: 'Donnez le bon répertoire, ou préparez celui-ci de nouveau ; son contenu est mis de côté.',
  }),
  'record-damaged': () => ({
    what: 'L’enregistrement de ce qui manque à cette copie est endommagé.',
    cause: 'Le disque de ce serveur défaille.',
    remedy: 'Contrôlez le disque, puis préparez de nouveau ce serveur à partir de l’autre.',
  }),
  'disk-failed': () => ({ what: 'Le disque de ce serveur défaille.', remedy: lookAtDisk }),
  'copies-differ': () => ({
    what: 'La copie du secondaire diffère de celle du primaire. Rien n’est écrasé sans votre ordre.',
    remedy: 'Regardez ce qui diffère, puis rendez-la identique à celle du primaire : holdfast verify MODULE --repair.',
  }),
  'set-aside-unfinished': () => ({
    what: 'Le contenu du répertoire était en train d’être mis de côté lors d’une interruption ; rien n’est perdu.',
    remedy: 'Redonnez l’ordre de garder la version d’un serveur : holdfast fork keep MODULE --node SERVEUR.',
  }),
  'no-such-kept-copy': () => ({
    what: 'Rien de ce nom n’a été mis de côté sur ce serveur.',
    remedy: 'Regardez ce qui est gardé : holdfast fork list MODULE.',
  }),
  'path-not-usable': () => ({
    what: 'Ce chemin mène hors de l’endroit permis.',
    remedy: 'Écrivez-le comme holdfast fork show l’affiche, et avec --to un répertoire hors des données répliquées.',
  }),
  'not-forked': () => ({
    what: 'Les deux copies n’ont pas divergé.',
    remedy: 'Regardez holdfast status ; holdfast verify MODULE compare des copies connectées.',
  }),
  'no-room': () => ({
    what: 'Le disque n’a pas la place pour la copie de l’autre serveur à côté de celle qui est mise de côté.',
    remedy: 'Faites de la place, ou donnez-lui un disque plus grand.',
  }),
  'verify-not-possible': () => ({
    what: 'Les copies ne peuvent pas être comparées maintenant.',
    cause: 'Il faut que les deux serveurs soient connectés, à jour, et dans la même version de Holdfast.',
    remedy: 'Attendez que l’autre serveur soit à jour, puis recommencez.',
  }),
  'source-unreadable': () => ({
    what: 'Un fichier est illisible, l’autre copie ne peut pas être complétée.',
    remedy: lookAtDisk,
  }),
  'disk-silent': () => ({ what: 'Le disque de ce serveur ne répond pas.', remedy: lookAtDisk }),
  'apply-failed': () => ({
    what: 'Le secondaire n’a pas pu faire une modification et s’est retiré.',
    cause: 'Son disque défaille ou refuse.',
    remedy: 'Ouvrez-y un terminal et cherchez des erreurs de disque : dmesg. Il revient seul.',
  }),
  'lane-hangs': () => ({
    what: 'La réplication de ce serveur est bloquée.',
    cause: 'Très probablement, son disque ne répond pas.',
    remedy:
      'Cherchez des erreurs de disque (dmesg) ; redémarrez holdfast-replicator quand le disque fonctionne de nouveau.',
  }),
  'mount-lost': () => ({
    what: 'Le répertoire répliqué a été démonté par quelqu’un d’autre.',
    remedy: 'Redémarrez le module. Laissez ce montage à Holdfast.',
  }),
  'mount-busy': (d) => ({
    what: `Le répertoire répliqué est encore utilisé par ${fact(d, 'holders', 'un programme')}.`,
    cause: 'Le script d’arrêt laisse quelque chose tourner.',
    remedy: 'Le script d’arrêt doit terminer tout ce qui utilise le répertoire.',
  }),
  'stop-unfinished': () => ({
    what: 'Un programme de l’application n’a pas pu être terminé.',
    cause:
      'Il est bloqué dans le noyau, le plus souvent par un disque ou un système de fichiers réseau qui ne répond pas.',
    remedy: 'Cherchez des processus dans l’état D (ps) et regardez dmesg ; Holdfast continue d’essayer.',
  }),
  'application-returns': () => ({
    what: 'L’application est relancée chaque fois qu’elle est terminée.',
    cause: 'Quelque chose d’autre que Holdfast la lance : une unité socket ou timer, un superviseur, cron.',
    remedy: 'Retirez-la de ce qui la lance ; d’ici là, elle reste coupée du réseau.',
  }),
  'reset-refused': () => ({
    what: 'L’application n’a pas pu être terminée, et ce serveur n’a pas été réinitialisé.',
    cause: 'Il fait tourner un autre module, ou il n’a pas le droit de se réinitialiser (conteneur).',
    remedy:
      'Déplacez les autres modules et redémarrez ce serveur à la main ; d’ici là, l’application reste coupée du réseau.',
  }),
  'unmount-hangs': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire répliqué')} n’a pas pu être démonté à temps.`,
    cause: 'Un programme y est bloqué.',
    remedy: 'Regardez ce qui l’utilise : fuser -vm.',
  }),
  'peer-unreachable': (d) => ({
    what: `${fact(d, 'peer', 'L’autre serveur')} ne répond pas sur le réseau de réplication.`,
    remedy: 'Vérifiez le réseau entre les deux serveurs.',
  }),
  'peer-silent': (d) => ({
    what: `${fact(d, 'peer', 'L’autre serveur')} ne répond plus.`,
    remedy: 'Rien à faire : il se resynchronisera seul à son retour.',
  }),
  'peer-closed': (d) => ({
    what: `${fact(d, 'peer', 'L’autre serveur')} a fermé le lien de réplication avant qu’il soit établi.`,
    cause: 'Il ne connaît peut-être pas le certificat de ce serveur.',
    remedy: giveCertificates,
  }),
  'peer-unknown-certificate': (d) => ({
    what: `${fact(d, 'peer', 'L’autre serveur')} présente un autre certificat que celui qui est enregistré.`,
    cause: 'Il a été réinstallé, ou une autre machine répond à son adresse.',
    remedy: giveCertificates,
  }),
  'peer-speaks-garbage': (d) => ({
    what: `${fact(d, 'peer', 'Ce qui répond sur le port de réplication')} ne parle pas le protocole de Holdfast.`,
    cause: 'Un autre programme utilise le port 7411 de cette adresse.',
    remedy: 'Regardez ss -ltnp sur ce serveur.',
  }),
  'peer-expelled': () => ({
    what: 'L’autre serveur n’a pas confirmé une modification à temps et n’est plus attendu.',
    remedy: 'Il revient seul. Si cela se répète, regardez son disque et le réseau.',
  }),
  'vip-not-dropped': (d) => ({
    what: `${fact(d, 'address', 'L’adresse IP virtuelle')} n’a pas pu être retirée de ce serveur.`,
    remedy: 'Regardez le journal de holdfastd. Le noyau coupe l’adresse de lui-même à la fin du bail.',
  }),
  preempted: () => ({
    what: 'L’ordre a été abandonné pour un plus urgent.',
    remedy: 'Regardez ce qui s’est passé, puis redonnez-le si vous le voulez encore.',
  }),
};
