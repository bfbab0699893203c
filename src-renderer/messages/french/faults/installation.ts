import type { Messages } from '../../messages.ts';
import { fact } from '../../fault-words.ts';
import type { installation as english } from '../../english/faults/installation.ts';

const applyAgain = 'Réappliquez la configuration depuis ce portable.';

export const installation: Pick<Messages['faults'], keyof typeof english> = {
  'draft-changed-elsewhere': () => ({
    what: 'Une autre fenêtre a modifié ces réponses.',
    cause: 'L’assistant est ouvert deux fois sur ce portable.',
    remedy: 'Continuez dans une seule : cette page affiche maintenant les réponses les plus récentes.',
  }),
  'no-such-draft': () => ({
    what: 'Ces réponses n’existent plus.',
    cause: 'Elles ont été abandonnées, ou l’installation est terminée.',
    remedy: 'Revenez à l’accueil.',
  }),
  'draft-unreadable': (d) => ({
    what: `Les réponses enregistrées dans ${fact(d, 'file', 'le brouillon')} sont illisibles.`,
    cause: 'Le disque était plein, ou le fichier a été modifié à la main.',
    remedy: 'Abandonnez-les et recommencez ; cela n’a rien changé sur les serveurs.',
  }),
  'draft-not-saved': (d) => ({
    what: `Impossible d’enregistrer vos réponses dans ${fact(d, 'file', 'le dossier de Holdfast')}.`,
    cause: 'Le disque de ce portable est plein, ou le dossier est protégé.',
    remedy: 'Libérez de la place. D’ici là, les réponses durent le temps de cette page.',
  }),
  'answers-incomplete': () => ({
    what: 'Des questions sont encore sans réponse.',
    remedy: 'Revenez aux étapes signalées.',
  }),
  'installation-running': () => ({
    what: 'Cette installation est déjà en cours.',
    remedy: 'Rien à faire : ses étapes s’affichent ici.',
  }),
  'installation-running-elsewhere': (d) => ({
    what: `Un autre Holdfast modifie en ce moment ${fact(d, 'host', fact(d, 'node', 'ces serveurs'))}.`,
    cause: 'Une autre fenêtre, ou un collègue, installe ou modifie le même cluster.',
    remedy: 'Attendez qu’il ait terminé, puis réessayez.',
  }),
  'installation-interrupted': () => ({
    what: 'L’installation a été interrompue.',
    cause: 'Vous l’avez arrêtée, ou l’application s’est terminée avant elle.',
    remedy: 'Reprenez : ce qui est fait n’est pas refait.',
  }),
  'checks-failed': (d) => ({
    what: `Holdfast ne peut pas encore être installé : ${fact(d, 'hosts', 'un serveur')} ne remplit pas toutes les conditions.`,
    remedy: 'Regardez les vérifications : chacune dit comment y remédier.',
  }),
  'both-copies-have-data': (d) => ({
    what: `Les deux serveurs ont des données de ${fact(d, 'module', 'ce module')}.`,
    cause: 'Holdfast ne devine jamais quelle copie est la bonne.',
    remedy: 'Choisissez le serveur qui a les bonnes données. L’autre copie est mise de côté.',
  }),
  'good-copy-empty': (d) => ({
    what: `${fact(d, 'good', 'Le serveur choisi')} doit avoir les bonnes données de ${fact(d, 'module', 'ce module')}, mais ${fact(d, 'path', 'son répertoire')} y est vide ; ${fact(d, 'other', 'l’autre serveur')} en a.`,
    cause: 'Un disque n’est pas monté, ou des données sont arrivées depuis l’examen des serveurs.',
    remedy: 'Cherchez pourquoi il est vide, puis choisissez le serveur qui a les bonnes données.',
  }),
  'good-copy-decided': (d) => ({
    what: `Les données de ${fact(d, 'module', 'ce module')} sur ${fact(d, 'node', 'l’autre serveur')} sont déjà la bonne copie.`,
    cause: 'Une installation précédente l’a établie ; à présent, l’autre serveur est choisi.',
    remedy: `Choisissez ${fact(d, 'node', 'ce serveur')}, et ce qui est sur l’autre est mis de côté ; ou désinstallez d’abord.`,
  }),
  'no-good-copy': (d) => ({
    what: `Aucun serveur n’a de copie de ${fact(d, 'module', 'ce module')} dont on sache qu’elle est bonne.`,
    cause: `${fact(d, 'node', 'Un serveur')} ne l’a jamais reçue en entier, ou son journal est endommagé.`,
    remedy:
      'Si les données de l’autre serveur sont bonnes, choisissez-le ; sinon, rétablissez-les d’abord d’une sauvegarde.',
  }),
  'server-replaced': (d) => ({
    what: `${fact(d, 'node', 'Un serveur')} n’est plus la machine que vous avez examinée.`,
    cause: 'Le serveur a été remplacé ou réinstallé, ou son adresse est maintenant celle d’une autre machine.',
    remedy: 'Revenez aux serveurs, reconnectez-vous, et regardez à nouveau les données.',
  }),
  'no-such-node': (d) => ({
    what: `Aucun serveur de ce cluster ne s’appelle ${fact(d, 'node', 'ainsi')}.`,
    remedy: 'Choisissez l’un des deux serveurs.',
  }),
  'belongs-to-another-cluster': (d) => ({
    what: `${fact(d, 'node', 'Ce serveur')} appartient déjà au cluster ${fact(d, 'cluster', 'd’un autre')}.`,
    cause: 'Un serveur ne peut être que dans un seul cluster.',
    remedy: `Choisissez un autre serveur, ou retirez d’abord celui-ci : holdfast uninstall, avec la configuration de ${fact(d, 'cluster', 'ce cluster')}.`,
  }),
  'networks-unknown': () => ({
    what: 'On ne sait pas quel réseau relie les deux serveurs.',
    cause: 'Ils n’en partagent aucun, ou plusieurs.',
    remedy: 'Choisissez les réseaux de réplication et des signaux de vie.',
  }),
  'network-without-node': (d) => ({
    what: `${fact(d, 'node', 'Un serveur')} n’a pas d’adresse dans le réseau ${fact(d, 'network', 'choisi')}.`,
    remedy: 'Choisissez un autre réseau, ou donnez-y une adresse au serveur.',
  }),
  'witness-without-address': () => ({
    what: 'Le témoin n’a pas d’adresse que les deux serveurs puissent joindre.',
    remedy: 'Donnez-lui une adresse dans l’un des réseaux du cluster.',
  }),
  'agent-does-not-start': (d) => ({
    what: `L’agent ne démarre pas sur ${fact(d, 'host', 'le serveur')}.`,
    cause: 'Son journal dit pourquoi.',
    remedy: 'Ouvrez-y un terminal : journalctl -u holdfastd -u holdfast-replicator.',
  }),
  'runtime-does-not-run': (d) => ({
    what: `L’environnement Node ne fonctionne pas sur ${fact(d, 'host', 'le serveur')}.`,
    cause: 'Il y manque une bibliothèque ; le détail technique la nomme.',
    remedy: 'Installez libstdc++ et libgcc avec le gestionnaire de paquets du serveur.',
  }),
  'runtime-missing': (d) => ({
    what: `Ce portable n’a pas l’environnement Node pour des serveurs ${fact(d, 'architecture', 'de ce type')}.`,
    cause: 'Cette copie de Holdfast a été installée sans lui.',
    remedy: 'Connectez une fois le portable à internet et lancez Holdfast, ou prenez l’installeur complet.',
  }),
  'runtime-unusable': () => ({
    what: 'L’environnement Node de ce portable ne peut pas être préparé pour des serveurs.',
    cause: 'Le fichier est endommagé.',
    remedy: 'Réinstallez Holdfast.',
  }),
  'agent-missing': () => ({
    what: 'Cette copie de Holdfast ne contient pas d’agent à installer.',
    remedy: 'Réinstallez Holdfast ; depuis les sources : npm run build-agent.',
  }),
  'agent-build-failed': () => ({
    what: 'L’agent n’a pas pu être construit.',
    remedy: 'Lancez npm run build-agent et lisez ce qu’il affiche.',
  }),
  'application-does-not-stop': (d) => ({
    what: `L’application ne s’arrête pas sur ${fact(d, 'node', 'le serveur')} : ${fact(d, 'said', 'sa commande d’arrêt a échoué')}.`,
    cause:
      'Personne ne doit utiliser son répertoire pendant que la réplication prend place. L’application tourne comme avant.',
    remedy: `Essayez ${fact(d, 'command', 'la commande d’arrêt')} dans un terminal sur ce serveur et corrigez-la dans l’assistant.`,
  }),
  'directory-in-use': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} est utilisé par ${fact(d, 'holders', 'un programme')}.`,
    cause: 'L’application tourne encore, ou démarre avec le serveur. Désormais, c’est Holdfast qui la démarre.',
    remedy: 'Arrêtez-la et désactivez son démarrage (systemctl disable --now), puis réessayez.',
  }),
  'directory-seen-elsewhere': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} pourrait être modifié à côté de sa protection par ${fact(d, 'holders', 'un conteneur ou un service')}.`,
    cause: 'Un conteneur ou un service a ses propres montages, qui ne suivent pas ceux du serveur.',
    remedy: `Arrêtez-le, ou donnez-lui le répertoire avec rslave : docker run -v ${fact(d, 'path', 'RÉP')}:${fact(d, 'path', 'RÉP')}:rslave.`,
  }),
  'directory-not-empty': (d) => ({
    what: `Sur l’autre serveur, ${fact(d, 'path', 'le répertoire')} n’est pas vide.`,
    remedy: 'Confirmez que son contenu est mis de côté, ou choisissez cette copie comme la bonne.',
  }),
  'directory-missing': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} n’existe pas.`,
    cause: 'Le chemin est faux, ou le disque qui le porte n’est pas monté.',
    remedy: 'Créez-le, ou corrigez le chemin.',
  }),
  'not-a-directory': (d) => ({
    what: `${fact(d, 'path', 'Le chemin')} n’est pas un répertoire.`,
    remedy: 'Choisissez le répertoire qui le contient.',
  }),
  'directory-not-readable': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} ne peut pas être ouvert.`,
    remedy: 'Ouvrez-y un terminal, regardez ses droits et son disque.',
  }),
  'path-is-mount-point': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} est un point de montage.`,
    cause: 'Si son disque n’était pas monté un jour, un répertoire vide passerait pour les données.',
    remedy: `Déplacez les données dans un sous-répertoire, par exemple ${fact(d, 'path', '/data')}/data.`,
  }),
  'mount-below-path': (d) => ({
    what: `D’autres systèmes de fichiers sont montés sous ${fact(d, 'path', 'le répertoire')} : ${fact(d, 'mounts', 'voir le détail')}.`,
    remedy: 'Démontez-les, ou choisissez un autre répertoire.',
  }),
  'filesystem-not-supported': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} est sur ${fact(d, 'type', 'un système de fichiers')}, qui ne peut pas être répliqué.`,
    remedy: 'Déplacez les données sur un disque local en ext4 ou XFS.',
  }),
  'already-initialised': (d) => ({
    what: `${fact(d, 'path', fact(d, 'volume', 'Le répertoire'))} est déjà préparé.`,
    remedy: 'Dites quelle copie est la bonne, et que l’autre enregistrement peut être remplacé.',
  }),
  'volumes-nested': (d) => ({
    what: `${fact(d, 'inner', 'Un répertoire')} se trouve dans ${fact(d, 'outer', 'un autre')}.`,
    cause: 'Un répertoire ne peut être répliqué qu’une fois.',
    remedy: 'Ne répliquez que celui qui contient l’autre.',
  }),
  'mount-failed': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} ne peut pas être recouvert par un montage.`,
    cause: 'Le noyau du serveur le refuse ; le détail technique dit comment.',
    remedy: 'Vérifiez que FUSE y fonctionne : modprobe fuse.',
  }),
  'mount-copy-failed': (d) => ({
    what: `Le montage au-dessus de ${fact(d, 'path', 'ce répertoire')} est inutilisable.`,
    cause: 'L’agent n’a pas le droit de monter, comme dans un conteneur restreint.',
    remedy: 'Prenez un serveur ou une machine virtuelle, ou donnez ce droit au conteneur.',
  }),
  'unmount-failed': (d) => ({
    what: `${fact(d, 'path', 'Le répertoire')} ne peut pas être découvert.`,
    cause: 'Un programme l’utilise encore.',
    remedy: 'Arrêtez ce qui l’utilise (fuser -vm le montre), puis réessayez.',
  }),
  'fuse-missing': () => ({
    what: 'Le serveur n’a pas FUSE.',
    cause: 'Les répertoires répliqués passent par lui.',
    remedy: 'Chargez le module du noyau (modprobe fuse) ; dans un conteneur, donnez-lui /dev/fuse.',
  }),
  'program-missing': (d) => ({
    what: `${fact(d, 'program', 'Un programme')} n’est pas installé sur le serveur.`,
    remedy: `Installez le paquet qui contient ${fact(d, 'program', 'ce programme')}.`,
  }),
  'vip-no-interface': (d) => ({
    what: `Aucune interface du serveur n’est dans le réseau de ${fact(d, 'address', 'l’adresse IP virtuelle')}.`,
    remedy: 'Choisissez une adresse d’un réseau commun aux deux serveurs, ou nommez l’interface.',
  }),
  'vip-already-used': (d) => ({
    what: `Une autre machine (${fact(d, 'answeredBy', 'inconnue')}) répond déjà à l’adresse IP virtuelle ${fact(d, 'address', 'choisie')}.`,
    cause: 'Deux machines à la même adresse se coupent l’une l’autre.',
    remedy: 'Choisissez une adresse libre, ou retirez-la de cette machine.',
  }),
  'cannot-listen': (d) => ({
    what: `Le serveur ne peut pas écouter sur ${fact(d, 'address', 'son adresse')}, port ${fact(d, 'port', '7411')}.`,
    cause: 'L’adresse n’est pas montée, ou un autre programme utilise le port.',
    remedy: 'Regardez-y ss -ltnp.',
  }),
  'node-unnamed': () => ({ what: 'Ce serveur n’a pas encore de nom dans un cluster.', remedy: applyAgain }),
  'node-not-in-cluster': (d) => ({
    what: `La configuration ne nomme pas le serveur ${fact(d, 'node', 'interrogé')}.`,
    remedy: applyAgain,
  }),
  'revision-too-old': () => ({
    what: 'Les serveurs ont une configuration plus récente que celle-ci.',
    cause: 'Quelqu’un a modifié le cluster depuis un autre portable.',
    remedy: 'Prenez le fichier de configuration actuel.',
  }),
  'certificate-unusable': () => ({ what: 'Un certificat des serveurs est inutilisable.', remedy: applyAgain }),
  'secret-too-short': () => ({ what: 'Le secret du cluster est endommagé.', remedy: applyAgain }),
};
