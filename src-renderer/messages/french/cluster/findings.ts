import type { FaultText } from '../../fault-words.ts';
import { sentenceFrom, type Telling } from '../../cluster-words.ts';
import type { Messages } from '../../messages.ts';

const depuis = (at: string | null | undefined, telling: Telling): string =>
  at === null || at === undefined ? '' : ` depuis ${telling.time(at)}`;
const nonProtege = (at: string | null | undefined, why: FaultText, telling: Telling): FaultText => ({
  ...why,
  what: sentenceFrom(`Non protégé${depuis(at, telling)} : ${why.what}`),
});
const mais = (why: FaultText, telling: Telling): FaultText => ({
  ...why,
  what: sentenceFrom(telling.protected && telling.onTop ? `Protégé, mais ${why.what}` : why.what, telling.names),
});

export const findings: Messages['cluster']['findings'] = {
  reading: () => ({ what: 'Lecture du cluster …' }),
  unreadable: ({ fault, since }, telling) => {
    const why = telling.fault('', fault);
    return { ...why, what: `Le cluster est illisible depuis ${telling.time(since)}.`, cause: why.what };
  },
  protected: () => ({ what: 'Protégé.' }),
  'protected-resync': ({ resync }, { left }) => ({
    what:
      typeof resync?.etaSeconds === 'number'
        ? `Protégé, resynchronisation : encore ${left(resync.etaSeconds)}.`
        : 'Protégé, resynchronisation ; durée encore inconnue.',
  }),
  'protected-unwell': ({ on, peer }, telling) => mais(telling.reason(on, peer), telling),
  'no-modules': () => ({
    what: 'Aucun module : rien n’est protégé.',
    remedy: 'Ajoutez un module à la configuration et appliquez-la.',
  }),
  forked: (finding, { reason }) => ({
    ...reason({ ...finding.on, reason: 'forked' }, finding.peer),
    what: 'À vous de choisir : les deux serveurs ont modifié les données sans se voir.',
  }),
  waiting: ({ on, peer }, telling) => {
    const why = telling.reason(on, peer);
    return { ...why, what: sentenceFrom(`À l’arrêt${depuis(on.since, telling)} : ${why.what}`) };
  },
  nowhere: ({ on, peer }, telling) => {
    const why = telling.reason(on, peer);
    return { ...why, what: sentenceFrom(`À l’arrêt sur tous les serveurs qui répondent : ${why.what}`) };
  },
  alone: ({ on, peer }, telling) => nonProtege(on.since, telling.reason(on, peer), telling),
  'not-following': ({ on, peer, since }, telling) => nonProtege(since, telling.reason(on, peer), telling),
  'peer-stopped': ({ on, since }, telling) =>
    nonProtege(
      since,
      { what: `${on.name} a été arrêté sur ordre`, remedy: 'Démarrez le module quand le travail est terminé.' },
      telling,
    ),
  'link-cut': ({ on, peer, since }, telling) =>
    nonProtege(
      since,
      {
        what: `${on.name} et ${peer} répondent ici mais ne s’entendent plus`,
        cause: 'Le réseau entre les deux est coupé, ou un pare-feu les sépare.',
        remedy: `Vérifiez le câble et le commutateur. ${peer} se resynchronisera seul.`,
      },
      telling,
    ),
  changing: ({ on, peer }, { reason, names }) => {
    const why = reason(on, peer);
    return { ...why, what: sentenceFrom(why.what, names) };
  },
  stopped: ({ module, since }, telling) => ({
    what: `Arrêté${depuis(since, telling)} : ${module} ne tourne sur aucun serveur.`,
    cause: 'L’ordre d’arrêt a été donné.',
    remedy: 'Démarrez-le quand le travail est terminé.',
  }),
  maintenance: ({ module }) => ({
    what: `Protection suspendue : ${module} est en maintenance.`,
    cause: 'Rien ne bascule seul.',
    remedy: 'Terminez la maintenance quand le travail est fini.',
  }),
  settling: ({ module }) => ({
    what: `Non protégé pour l’instant : les serveurs décident lequel exécute ${module}.`,
    remedy: 'Rien à faire : cela se termine seul en quelques secondes.',
  }),
  resync: ({ node, resync }, { left }) => ({
    what:
      typeof resync?.etaSeconds === 'number'
        ? `Pas encore protégé : ${node} se resynchronise, encore ${left(resync.etaSeconds)}.`
        : `Pas encore protégé : ${node} se resynchronise ; durée encore inconnue.`,
    remedy: 'Rien à faire. L’application fonctionne pendant ce temps.',
  }),
  'resync-paused': ({ node }) => ({
    what: `Pas encore protégé : la resynchronisation de ${node} n’avance plus.`,
    cause: `Le disque de ${node} ou le réseau ne prend plus de données pour l’instant.`,
    remedy: 'Rien n’est perdu : elle reprend où elle s’est arrêtée. Si cela dure, regardez le disque et le réseau.',
  }),
  offline: () => ({
    what: 'Inconnu : ce portable n’a pas de réseau.',
    cause: 'Le câble est débranché ou le Wi-Fi est coupé. Les serveurs continuent sans lui.',
    remedy: 'Connectez le portable ; l’écran suit tout seul.',
  }),
  'nobody-answers': ({ since }, telling) => ({
    what: `Inconnu${depuis(since, telling)} : aucun des deux serveurs n’est joignable d’ici.`,
    cause: 'Le réseau vers le site est coupé, ou les deux serveurs sont éteints.',
    remedy: 'Vérifiez d’abord votre propre connexion, puis l’alimentation des serveurs.',
  }),
  'agents-dead': () => ({
    what: 'Inconnu : SSH fonctionne vers les deux serveurs, mais aucun agent n’y répond.',
    cause: 'Une installation a été interrompue, ou les agents ont été arrêtés.',
    remedy: 'Reprenez l’installation, ou regardez sur un serveur : systemctl status holdfastd',
  }),
  'agent-dead': ({ node, module, since }, telling) => {
    const why: FaultText = {
      what: `SSH fonctionne vers ${node}, mais son agent ne répond pas`,
      cause: 'Il a été arrêté, ou il échoue au démarrage.',
      remedy: `Ouvrez un terminal sur ${node} : systemctl status holdfastd`,
    };
    return module === null ? mais(why, telling) : nonProtege(since, why, telling);
  },
  'node-unreachable': ({ node, fault }, telling) => {
    const why = fault === null ? null : telling.fault(node, fault);
    return {
      what: `${node} est injoignable d’ici${telling.protected ? ' ; l’autre serveur répond pour les deux' : ''}.`,
      ...(why === null ? {} : { cause: why.what }),
      ...(why?.remedy === undefined ? {} : { remedy: why.remedy }),
    };
  },
  login: ({ node, fault }, telling) => telling.fault(node, fault),
  'host-key': ({ node, fault }, telling) =>
    mais(
      fault.code === 'host-key-changed'
        ? {
            what: `${node} présente une autre clé d’hôte que celle enregistrée ici`,
            cause: 'Il a été réinstallé, ou une autre machine répond à son adresse.',
            remedy: 'Comparez les empreintes avant toute chose.',
          }
        : fault.code === 'host-key-unknown'
          ? {
              what: `ce portable n’a jamais vu la clé d’hôte de ${node}`,
              remedy: 'Comparez les empreintes, une fois.',
            }
          : {
              what: `la clé d’hôte de ${node} est révoquée`,
              cause: 'Quelqu’un l’a marquée comme volée dans un fichier known_hosts.',
              remedy: `Donnez une nouvelle clé d’hôte à ${node}.`,
            },
      telling,
    ),
  slept: ({ fault }, telling) => telling.fault('', fault),
  old: ({ observedAt }, telling) => ({
    what: `Inconnu : ce que vous voyez date de ${telling.time(observedAt)}.`,
    cause: 'Le portable était en veille, ou les serveurs répondent lentement.',
    remedy: 'Rien à faire : la lecture reprend.',
  }),
  'witness-lost': ({ address }, telling) =>
    mais(
      {
        what: address === null ? 'le témoin ne répond pas' : `${address} ne répond pas aux pings des deux serveurs`,
        cause: 'Il est éteint, ou son réseau est coupé. Une panne de plus arrêterait maintenant l’application.',
        remedy:
          address === null
            ? 'Regardez la machine du témoin.'
            : `Regardez ${address} et le réseau à cet endroit, ou nommez un autre témoin par ping.`,
      },
      telling,
    ),
  'network-lost': ({ network }, telling) =>
    mais(
      {
        what: `les serveurs ne s’entendent plus sur le réseau ${network}`,
        cause: 'Un câble est débranché ou un commutateur éteint. Rien n’est perdu tant qu’un autre réseau fonctionne.',
        remedy: `Vérifiez les câbles de ${network} sur les deux serveurs.`,
      },
      telling,
    ),
  'version-skew': ({ versions }, telling) =>
    mais(
      {
        what: `les serveurs n’ont pas la même version : ${versions.map(({ node, version }) => `${node} ${version}`).join(', ')}`,
        cause: 'Une mise à niveau n’est pas allée au bout.',
        remedy: 'Appliquez de nouveau la configuration : elle met les deux serveurs à la même version.',
      },
      telling,
    ),
  'clock-wrong': ({ node, aheadMs }, telling) =>
    mais(
      {
        what: `l’horloge de ${node} ${aheadMs > 0 ? 'avance' : 'retarde'} de ${telling.duration(Math.abs(aheadMs) / 1000)}`,
        cause: 'Rien n’en dépend, mais les heures de la chronologie sont fausses.',
        remedy: `Mettez l’horloge de ${node} à l’heure, de préférence par un serveur de temps.`,
      },
      telling,
    ),
  'install-interrupted': (_finding, telling) =>
    mais(
      {
        what: 'une installation de ce cluster n’est pas allée au bout',
        cause: 'La connexion a été coupée ou l’application fermée en cours de route.',
        remedy: 'Reprenez-la : ce qui est fait n’est pas refait.',
      },
      telling,
    ),
};
