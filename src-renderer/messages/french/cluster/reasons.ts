import type { Messages } from '../../messages.ts';

const reseaux = (count: number): string =>
  count === 1 ? 'le réseau' : count === 2 ? 'les deux réseaux' : `les ${count} réseaux`;
const seul = 'Rien à faire : il se resynchronisera seul à son retour.';
const bientot = 'Rien à faire : cela se termine seul en quelques secondes.';
const journal = (node: string, unit: string): string =>
  `Ouvrez un terminal sur ${node} et lisez le journal : journalctl -u ${unit}`;

export const reasons: Messages['cluster']['reasons'] = {
  'stopped-by-order': (node) => ({
    what: `${node} a été arrêté sur ordre`,
    remedy: 'Démarrez le module quand le travail est terminé.',
  }),
  maintenance: (_node, peer) => ({
    what: `${peer} ne répond plus et, en maintenance, rien ne bascule seul`,
    remedy: 'Terminez la maintenance quand le travail est fini.',
  }),
  starting: (node) => ({ what: `l’application démarre sur ${node}`, remedy: bientot }),
  stopping: (node) => ({ what: `l’application s’arrête sur ${node}`, remedy: bientot }),
  'handing-over': (_node, peer) => ({ what: `${peer} prend le relais`, remedy: bientot }),
  resuming: (node) => ({ what: `l’agent de ${node} vient de redémarrer`, remedy: bientot }),
  'peer-silent': (node, peer, { state, networks }) =>
    state === 'alone' || state === 'primary'
      ? {
          what: `${peer} ne répond plus sur ${reseaux(networks)}`,
          cause: 'Il n’est peut-être plus alimenté.',
          remedy: seul,
        }
      : {
          what: `${peer} ne répond plus mais exécute peut-être encore l’application ; sans témoin, ${node} ne peut pas le savoir`,
          cause: 'L’alimentation de l’autre serveur ou le réseau entre les deux est coupé.',
          remedy: `Faites revenir ${peer}. Ne promouvez ${node} que si ${peer} est éteint à coup sûr.`,
        },
  'node-silent': (node, _peer, { networks }) => ({
    what: `${node} ne répond plus sur ${reseaux(networks)}`,
    cause: 'Il n’est peut-être plus alimenté.',
    remedy: seul,
  }),
  'node-unreachable': (node) => ({ what: `${node} est injoignable d’ici` }),
  'waiting-for-peer': (node, peer) => ({ what: `${node} attend un signe de ${peer}`, remedy: bientot }),
  'module-missing': (node) => ({
    what: `${node} attend un module dont celui-ci dépend`,
    cause: 'Il ne fonctionne sur aucun des deux serveurs.',
    remedy: 'Démarrez ce module ; celui-ci suivra de lui-même.',
  }),
  'waiting-for-primary': (node, peer) => ({ what: `${node} attend que ${peer} devienne primaire` }),
  'waiting-for-resync': (node, peer) => ({
    what: `${node} attend que ${peer} mette sa copie à jour`,
    remedy: 'Rien à faire : la resynchronisation commence dès que les deux se voient.',
  }),
  'peer-has-newer-data': (_node, peer) => ({
    what: `${peer} a des données plus récentes et il est arrêté`,
    remedy: 'Démarrez le module.',
  }),
  'peer-not-connected': (_node, peer) => ({
    what: `${peer} répond mais ne reçoit pas les modifications`,
    cause: 'Il vient de démarrer, ou le réseau de réplication est coupé.',
    remedy: 'Rien à faire pendant la première minute. Ensuite, vérifiez le réseau de réplication.',
  }),
  'peer-newer': (node, peer) => ({
    what: `${peer} exécute l’application avec des données plus récentes ; ${node} s’est retiré`,
    remedy: seul,
  }),
  'peer-active': (_node, peer) => ({
    what: `${peer} détient le bail du témoin : il tourne peut-être, bien qu’il ne réponde plus ici`,
    remedy: `Regardez ${peer} et le réseau entre les deux serveurs.`,
  }),
  deciding: (_node, peer) => ({
    what: `${peer} n’accuse plus réception ; les écritures attendent le droit de continuer seul`,
    remedy: bientot,
  }),
  'peer-expelled': (_node, peer) => ({
    what: `${peer} n’a pas confirmé une écriture à temps et n’est plus attendu`,
    cause: 'Son disque ou le réseau était trop lent.',
    remedy: 'Il revient seul. Si cela se répète, regardez son disque et le réseau.',
  }),
  'peer-left': (_node, peer) => ({ what: `${peer} s’est retiré sans dire pourquoi`, remedy: seul }),
  'peer-closed': (_node, peer) => ({
    what: `${peer} a fermé la connexion avant qu’elle soit établie`,
    cause: 'Il ne connaît peut-être pas le certificat de ce serveur.',
    remedy: 'Appliquez de nouveau la configuration : elle donne les certificats aux deux serveurs.',
  }),
  'peer-unknown-certificate': (_node, peer) => ({
    what: `${peer} présente un autre certificat que celui qui est enregistré`,
    cause: 'Il a été réinstallé.',
    remedy: 'Appliquez de nouveau la configuration : elle donne les certificats aux deux serveurs.',
  }),
  'peer-speaks-garbage': (_node, peer) => ({
    what: `ce qu’envoie ${peer} n’est pas la réplication de Holdfast`,
    remedy: 'Mettez les deux serveurs à la même version de Holdfast.',
  }),
  'peer-unreachable': (_node, peer) => ({
    what: `la réplication de ${peer} ne répond pas`,
    remedy: 'Vérifiez le réseau de réplication.',
  }),
  'version-skew': (node, peer) => ({
    what: `les versions de Holdfast de ${node} et de ${peer} ne se comprennent pas`,
    remedy: 'Appliquez de nouveau la configuration : elle met les deux serveurs à la même version.',
  }),
  'no-majority': (node, peer) => ({
    what: `${node} n’obtient pas assez de voix pour exécuter l’application`,
    cause: `Ni ${peer} ni le témoin ne lui donnent la leur.`,
    remedy: `Faites revenir ${peer} ou le témoin. Ne promouvez ${node} que si ${peer} est éteint à coup sûr.`,
  }),
  'ping-witness-silent': (node, peer) => ({
    what: `${node} ne joint ni ${peer} ni le témoin par ping, et ne démarre donc rien`,
    cause: `C’est peut-être ${node} qui est coupé, et l’application tourne peut-être sur ${peer}.`,
    remedy: `Rétablissez le réseau de ${node}. Ne promouvez ${node} que si ${peer} est éteint à coup sûr.`,
  }),
  'cut-off': (node, peer) => ({
    what: `${node} ne joignait plus ni ${peer} ni le témoin par ping et s’est arrêté`,
    cause: `Son réseau est coupé, ou bien ${peer} et le témoin par ping sont perdus en même temps.`,
    remedy: `Rétablissez le réseau de ${node} ; il reprend seul.`,
  }),
  'vote-given': (node, peer) => ({
    what: `la voix de ${node} appartient à ${peer} jusqu’à la fin de son bail`,
    remedy: bientot,
  }),
  overtaken: (node, peer) => ({
    what: `${node} a perdu au profit de ${peer} le droit d’exécuter l’application`,
    remedy: seul,
  }),
  restarted: (node) => ({
    what: `l’agent de ${node} a redémarré au milieu d’un changement ; l’application repart de zéro`,
    remedy: bientot,
  }),
  resynchronising: (node) => ({ what: `${node} se resynchronise` }),
  'peer-resynchronising': (_node, peer) => ({ what: `${peer} se resynchronise` }),
  forked: () => ({
    what: 'les deux serveurs ont modifié les données sans se voir',
    cause: 'Rien n’a été effacé.',
    remedy: 'Choisissez la copie qui continue : holdfast fork keep MODULE --node NODE. L’autre est mise de côté.',
  }),
  'copy-stale': (node, peer) => ({
    what: `rien ne garantit que la copie de ${node} soit complète`,
    cause: `${peer} a continué sans elle.`,
    remedy: `Faites revenir ${peer}. Ne promouvez ${node} que si les données de ${peer} sont perdues.`,
  }),
  'copies-torn': () => ({
    what: 'aucun serveur n’a tout : une partie des données a continué seule sur un serveur, une autre n’est peut-être complète que sur l’autre',
    cause: 'Le courant a manqué, ou un serveur a redémarré, au moment où l’un des deux allait continuer seul.',
    remedy: 'Rien n’a été effacé. Comparez les deux copies, puis promouvez le serveur dont la copie doit être gardée.',
  }),
  'memory-lost': (node, peer) => ({
    what: `${node} a perdu sa mémoire, et ${peer} peut détenir des écritures confirmées qui ne sont pas sur son disque`,
    cause:
      'Le courant a été coupé, ou le serveur réinitialisé, pendant que les deux travaillaient ensemble au niveau « received ».',
    remedy: `Faites revenir ${peer}. Ne promouvez ${node} que si les données de ${peer} sont perdues.`,
  }),
  'peer-is-newer': (node, peer) => ({
    what: `${peer} a une copie plus récente que ${node}`,
    remedy: `Démarrez d’abord le module sur ${peer}.`,
  }),
  'not-the-same-data': (node, peer) => ({
    what: `les copies de ${node} et de ${peer} n’ont jamais été les mêmes données`,
    cause: 'L’un des deux a été préparé pour autre chose, ou son disque a été remplacé.',
    remedy: 'Réinstallez le serveur qui n’a pas les bonnes données.',
  }),
  'not-initialised': (node) => ({
    what: `les données de ce module ne sont pas préparées sur ${node}`,
    cause: 'L’installation n’est pas allée au bout.',
    remedy: 'Reprenez l’installation, ou appliquez de nouveau la configuration.',
  }),
  'module-unknown': (node) => ({
    what: `${node} ne connaît pas encore ce module`,
    remedy: 'Appliquez de nouveau la configuration.',
  }),
  'record-damaged': (node) => ({
    what: `l’état enregistré de la copie de ${node} est endommagé`,
    cause: 'Son disque a perdu ce qui était écrit.',
    remedy: 'Vérifiez le disque, puis réinstallez ce serveur à partir de l’autre.',
  }),
  'start-failed': (node) => ({
    what: `l’application n’a pas démarré sur ${node}`,
    cause: 'Sa commande de démarrage a échoué ou a pris trop de temps.',
    remedy: `Lisez ce qu’elle a dit dans les journaux de ${node}, corrigez, puis redémarrez le module.`,
  }),
  'checker-failed': (node) => ({
    what: `un contrôle de l’application échoue sur ${node}`,
    remedy: `La chronologie dit lequel et ce qui suit. Si rien ne suit seul, regardez l’application sur ${node}.`,
  }),
  'checker-wait': (node) => ({
    what: `${node} ne prend pas l’application tant qu’un contrôle n’est pas bon`,
    cause: 'Il y manque quelque chose dont l’application a besoin.',
    remedy: `Réparez sur ${node} ce que le contrôle regarde ; la suite se fait seule.`,
  }),
  'restart-limit': (node, peer) => ({
    what: `l’application a échoué trop souvent sur ${node} et n’y redémarre plus seule`,
    remedy: `Trouvez la cause, puis redémarrez le module. Si ${peer} est perdu, ${node} prend le relais s’il a les bonnes données.`,
  }),
  'stop-failed': (node) => ({
    what: `l’application ne s’est pas arrêtée comme prévu sur ${node} ; elle a été arrêtée de force`,
    remedy: `Lisez ce que sa commande d’arrêt a dit dans les journaux de ${node}.`,
  }),
  'secondary-failed': (node) => ({
    what: `${node} n’a pas pu devenir secondaire ; il réessaie`,
    remedy: journal(node, 'holdfastd'),
  }),
  'replicator-down': (node) => ({
    what: `le processus de réplication de ${node} ne répond pas`,
    remedy: journal(node, 'holdfast-replicator'),
  }),
  'replicator-lost': (node) => ({
    what: `le processus de réplication de ${node} s’est arrêté et l’application a perdu ses fichiers`,
    remedy: journal(node, 'holdfast-replicator'),
  }),
  'leftover-mount': (node) => ({
    what: `un montage d’une exécution précédente est retiré sur ${node}`,
    remedy: bientot,
  }),
  'mount-lost': (node) => ({
    what: `quelqu’un d’autre a démonté le répertoire répliqué sur ${node}`,
    remedy: 'Rien à faire : il est remonté. Cherchez qui l’a démonté.',
  }),
  'disk-full': (node, peer, { state }) => ({
    what: `le disque de ${state === 'alone' || state === 'primary' ? peer : node} est plein`,
    cause: 'Il n’a pas pu prendre une modification et s’est retiré.',
    remedy: 'Libérez de la place sur le disque du répertoire répliqué ; il revient seul.',
  }),
  'apply-failed': (node, peer, { state }) => ({
    what: `${state === 'alone' || state === 'primary' ? peer : node} n’a pas pu écrire une modification sur son disque`,
    remedy: 'Cherchez les erreurs de disque dans son journal du noyau : dmesg',
  }),
  'disk-failed': (node, peer, { state }) => ({
    what: `le disque de ${node} est en panne`,
    remedy:
      state === 'primary'
        ? `${peer} prend l’application de lui-même dès qu’il a tout et peut la faire tourner (pas pendant la maintenance). Lisez le journal du noyau (dmesg) et remplacez le disque.`
        : 'Lisez son journal du noyau : dmesg. Réparez ou remplacez le disque pendant que l’autre serveur travaille, puis démarrez le module : la copie est remise à jour.',
  }),
  'copies-differ': (node, peer, { state }) => ({
    what: `la copie de ${state === 'alone' || state === 'primary' ? peer : node} diffère de l’autre`,
    cause:
      'Une comparaison l’a constaté. L’application n’y va pas tant que la copie n’est pas réparée, et rien n’est écrasé sans un ordre.',
    remedy:
      'Regardez ce qui diffère et décidez quelle copie est la bonne : « Comparer les copies » dans le menu du module.',
  }),
  'source-unreadable': (node, peer) => ({
    what: `un fichier de ${node} est illisible, la copie de ${peer} ne peut pas être complétée`,
    cause: 'Le disque a un endroit endommagé.',
    remedy:
      'Son journal du noyau nomme le disque : dmesg. Supprimez le fichier endommagé, ou restaurez-le d’une sauvegarde.',
  }),
  'disk-silent': (node) => ({
    what: `le disque de ${node} ne répond pas`,
    remedy: 'Lisez son journal du noyau : dmesg',
  }),
  'lane-hangs': (node) => ({
    what: `la réplication de ${node} est bloquée`,
    cause: 'Le plus souvent, son disque ne répond plus.',
    remedy: 'Lisez son journal du noyau : dmesg. Redémarrez holdfast-replicator quand le disque fonctionne de nouveau.',
  }),
};
