import type { TimelineEvent } from '../../../../agent/contract/index.ts';
import type { ReasonWordings } from '../../cluster-words.ts';
import type { Messages } from '../../messages.ts';
import { reasons } from './reasons.ts';

const silence = (peer: string, event: { readonly evidence: Readonly<Record<string, unknown>> }): string => {
  const { networks, silentMs } = event.evidence;
  const where =
    networks === 2
      ? ' sur les deux réseaux'
      : typeof networks === 'number' && networks > 2
        ? ` sur les ${networks} réseaux`
        : '';
  return typeof silentMs === 'number'
    ? `${peer} ne répond plus depuis ${(silentMs / 1000).toFixed(0)} s${where}.`
    : `${peer} ne répond plus${where}.`;
};
const seconds = (milliseconds: number): string =>
  new Intl.NumberFormat('fr-FR', { maximumFractionDigits: 1 }).format(milliseconds / 1000);

const purposes: Readonly<Record<string, (node: string, peer: string) => string>> = {
  takeover: (_node, peer) => `${peer} ne répond plus`,
  handover: (_node, peer) => `${peer} la lui passe`,
  start: () => 'le module doit tourner et sa copie est la plus récente connue',
  order: () => 'c’est l’ordre donné, en acceptant que des données puissent manquer',
};

const checker = (event: TimelineEvent): string => String(event.evidence['checker'] ?? '');

const decisions: Readonly<Record<string, (node: string, peer: string) => string>> = {
  tell: () => 'rien ne suit, comme configuré',
  restart: (node) => `l’application est redémarrée sur ${node}`,
  'stop-start': (node) => `le module est arrêté puis redémarré sur ${node}`,
  failover: (_node, peer) => `l’application passe sur ${peer}`,
  wait: (node) => `${node} attend qu’il soit de nouveau bon`,
  'keep-running': (node, peer) => `${peer} ne peut pas prendre le relais, l’application reste telle quelle sur ${node}`,
  stop: () => 'les deux serveurs ont échoué trop souvent, l’application est arrêtée et attend une personne',
};
function checkerSentence(event: TimelineEvent, peer: string): string {
  const { failures, decision, restarts, limit } = event.evidence;
  const failed =
    failures === 1
      ? `Le contrôle « ${checker(event)} » a échoué sur ${event.node}`
      : `Le contrôle « ${checker(event)} » a échoué ${String(failures ?? '')} fois de suite sur ${event.node}`;
  const follows = decisions[String(decision)]?.(event.node, peer);
  const acts = decision === 'restart' || decision === 'stop-start';
  const count = acts && typeof restarts === 'number' ? ` (${restarts} sur ${String(limit)} au plus)` : '';
  return follows === undefined ? `${failed}.` : `${failed} : ${follows}${count}.`;
}

const orderEnds: Readonly<Record<string, (node: string, peer: string) => string>> = {
  'peer-runs': (_node, peer) => `${peer} exécute l’application`,
  'peer-returned': (_node, peer) => `${peer} est de retour, avec une copie qui contient ce qui manque à celle-ci`,
  booted: (node) => `${node} a été éteint pendant qu’il attendait un autre module`,
};

export const events: Messages['cluster']['events'] = {
  'ordered-start': () => 'L’ordre de démarrage a été donné.',
  'ordered-stop': () => 'L’ordre d’arrêt a été donné.',
  'server-goes-down': ({ node }) => `${node} s’arrête : l’application y est arrêtée.`,
  'ordered-restart': () => 'L’ordre de redémarrer l’application a été donné.',
  'ordered-swap': (_event, peer) => `L’ordre de basculer l’application vers ${peer} a été donné.`,
  'ordered-promote': ({ node }) =>
    `${node} a reçu l’ordre d’utiliser sa copie, même s’il y manque des écritures confirmées.`,
  'order-ended': ({ node, evidence }, peer) => {
    const why = orderEnds[String(evidence['because'])]?.(node, peer);
    return `L’ordre d’utiliser la copie de ${node} a pris fin sans être exécuté${why === undefined ? '' : ` : ${why}`}.`;
  },
  maintenance: ({ evidence }) =>
    evidence['on'] === true ? 'La maintenance commence : rien ne bascule seul.' : 'La maintenance est terminée.',
  'data-chosen': ({ node }) => `Les données de ${node} sont la bonne copie.`,
  'data-blank': ({ node }) => `${node} recevra les données de l’autre serveur.`,
  'becomes-primary': ({ node, evidence }, peer) => {
    const why = purposes[String(evidence['purpose'])]?.(node, peer);
    return `${node} prend l’application${why === undefined ? '' : ` : ${why}`}.`;
  },
  'became-primary': ({ node, evidence }) => {
    const { tookMs } = evidence;
    return `${node} exécute l’application${typeof tookMs === 'number' ? ` ; démarrée en ${seconds(tookMs)} s` : ''}.`;
  },
  'disk-failover': ({ node, evidence }, peer) =>
    `Le disque de ${String(evidence['paths'] ?? 'ces données')} sur ${node} est en panne ; ${peer} a tout ce qui a été confirmé et prend le relais.`,
  'became-secondary': ({ node }, peer) => `${node} est secondaire : il reçoit les modifications de ${peer}.`,
  alone: ({ node }, peer) =>
    `${node} continue seul : ${peer} ne reçoit plus les modifications et se resynchronisera à son retour.`,
  'generation-renewed': ({ node }, peer) =>
    `${peer} se souvient d’une version des données que personne n’a plus : ${node} continue sous une version plus récente.`,
  failback: (_event, peer) => `${peer} est le serveur préféré et il est prêt : l’application lui revient.`,
  resumed: ({ node }) => `L’agent de ${node} a redémarré et garde l’application en marche.`,
  'replicator-restarted': ({ node }) =>
    `Le processus de réplication de ${node} a été relancé ; l’application a attendu ses fichiers pendant ce temps.`,
  'replicator-silent': ({ node }) =>
    `Le processus de réplication de ${node} ne répondait plus et a été tué ; il est relancé.`,
  'replicator-waits-for-disk': ({ node }) =>
    `Le processus de réplication de ${node} ne répond pas : il attend un disque. Consultez le journal du noyau de ${node}.`,
  'application-stopped': ({ node, evidence }) =>
    `L’application s’est arrêtée sur ${node}${evidence['clean'] === true ? ' ; les deux copies sont identiques et sur disque' : ''}.`,
  'start-failed': ({ node }) => `L’application n’a pas démarré sur ${node}.`,
  'stop-escalated': () => 'La commande d’arrêt a échoué : l’application est arrêtée de force.',
  'force-stop-failed': () => 'L’arrêt forcé a échoué lui aussi.',
  'holders-killed': () => 'Des processus utilisaient encore le répertoire ; il a fallu les terminer.',
  'leftovers-killed': () => 'Des processus tournaient encore après la commande d’arrêt ; il a fallu les terminer.',
  'transition-failed': () => 'La commande qui annonce un changement a échoué.',
  'module-missing': ({ evidence }) => `Attend que ${String(evidence['modules'] ?? 'un autre module')} fonctionne.`,
  'checker-failed': (event, peer) => checkerSentence(event, peer),
  'checker-recovered': (event) => `Le contrôle « ${checker(event)} » est de nouveau bon sur ${event.node}.`,
  'checker-unusable': (event) =>
    `Le contrôle « ${checker(event)} » ne peut pas regarder sur ${event.node} ; il ne compte pas.`,
  'disk-silent': ({ node }) => `Le disque de ${node} ne répond pas.`,
  'peer-heard': (_event, peer) => `${peer} répond.`,
  'peer-silent': (event, peer) => silence(peer, event),
  protected: () => 'Protégé : les deux serveurs ont chaque écriture confirmée.',
  'not-protected': () => 'La protection est perdue.',
  'verify-began': () => 'Les copies des deux serveurs sont comparées.',
  'verify-equal': ({ evidence }) =>
    `Les deux copies de ${String(evidence['path'] ?? 'ces données')} sont identiques : ${String(evidence['files'] ?? '?')} fichiers comparés.`,
  'copies-differ': ({ evidence }, peer) =>
    `La copie de ${peer} est différente : ${String(evidence['differences'] ?? '')}. Elle n’est plus utilisée tant qu’elle n’est pas réparée.`,
  'verify-different': ({ evidence }) =>
    `La comparaison de ${String(evidence['path'] ?? 'ces données')} est terminée : ${String(evidence['differing'] ?? '?')} fichiers et répertoires diffèrent.${Number(evidence['unreadable'] ?? 0) === 0 ? '' : ' Le disque de ce serveur ne lit pas toute sa copie : déplacez l’application sur l’autre.'}`,
  'verify-repairing': ({ node }, peer) => `La copie de ${peer} est rendue identique à celle de ${node}.`,
  'verify-repaired': (_event, peer) => `La copie de ${peer} est réparée.`,
  'verify-stopped': () => 'La comparaison a été arrêtée.',
  'verify-interrupted': () =>
    'La comparaison s’est terminée avant d’avoir tout comparé : les serveurs ont été séparés.',
  'kept-restored': ({ evidence }) =>
    `${evidence['path'] === '' ? 'Tout' : String(evidence['path'])} de ce qui avait été mis de côté a été copié vers ${evidence['to'] === '' ? 'les données vivantes' : String(evidence['to'])}.`,
  'kept-discarded': ({ evidence }) =>
    `Ce qui avait été mis de côté sous ${String(evidence['id'])} a été supprimé sur ordre.`,
  fenced: ({ node, evidence }, peer) => {
    const known: ReasonWordings = reasons;
    const why = known[String(evidence['reason'])]?.(node, peer, { state: 'primary', networks: 1 }).what;
    return `${node} a tout arrêté immédiatement${why === undefined ? '' : ` : ${why}`}.`;
  },
  'fence-complete': ({ node }) => `${node} a tout arrêté de ce module.`,
  'node-reset': ({ node }) =>
    `${node} s’est réinitialisé : l’application n’a pas pu être terminée après avoir perdu le droit de tourner.`,
  'fence-failed': ({ node }) => `${node} n’a pas pu tout arrêter ; il réessaie.`,
  'ping-witness-silent': ({ node }) =>
    `Le témoin par ping ne répond pas à ${node} : il ne démarre rien seul, et s’arrête si l’autre serveur se tait aussi.`,
  'ping-witness-answers': ({ node }) => `Le témoin par ping répond de nouveau à ${node}.`,
  'fence-restored': () => 'Quelqu’un d’autre a changé le filtre de paquets ; il a été rétabli.',
};
