import type { Messages } from '../../messages.ts';
import { fact } from '../../fault-words.ts';
import type { reach as english } from '../../english/faults/reach.ts';

const whereToCompare =
  'Comparez-la à la console du serveur : ssh-keygen -l -f /etc/ssh/ssh_host_*_key.pub. Ne l’acceptez que si elle est identique.';

export const reach: Pick<Messages['faults'], keyof typeof english> = {
  'ssh-unreachable': (d) => ({
    what: `${fact(d, 'host', 'Le serveur')} ne répond pas sur le port ${fact(d, 'port', '22')}.`,
    cause: 'Il est éteint, l’adresse est fausse, son service SSH ne tourne pas, ou un pare-feu s’interpose.',
    remedy: 'Vérifiez son alimentation, son câble et l’adresse.',
  }),
  'laptop-offline': () => ({
    what: 'Ce portable n’a pas de réseau.',
    cause: 'Le câble est débranché ou le Wi-Fi coupé. Les serveurs continuent sans lui.',
    remedy: 'Reconnectez le portable ; l’écran suivra seul.',
  }),
  'laptop-slept': (d) => ({
    what: `Ce portable était en veille de ${fact(d, 'from', 'une heure inconnue')} à ${fact(d, 'to', 'maintenant')}.`,
    cause: 'Les serveurs ont continué sans lui ; seul l’affichage s’était arrêté.',
    remedy: 'Rien à faire : la lecture est en cours.',
  }),
  'ssh-too-many-jumps': (d) => ({
    what: `Le chemin vers ${fact(d, 'host', 'le serveur')} passe par des rebonds qui tournent en rond.`,
    cause: 'Deux entrées de la configuration SSH se désignent l’une l’autre comme ProxyJump.',
    remedy: 'Corrigez ~/.ssh/config.',
  }),
  'ssh-channel-refused': (d) => ({
    what: `${fact(d, 'host', 'Le serveur')} vous laisse entrer mais n’ouvre pas de session.`,
    cause: 'Son service SSH n’accepte plus de session, ou aucune commande pour cet utilisateur.',
    remedy: 'Regardez MaxSessions et ForceCommand dans son sshd_config.',
  }),
  'connection-lost': (d) => ({
    what: `La connexion avec ${fact(d, 'host', 'le serveur')} est coupée.`,
    cause: 'Le réseau est tombé, ou le serveur s’est arrêté.',
    remedy: 'Vérifiez qu’il tourne, puis réessayez : ce qui est fait n’est pas refait.',
  }),
  'connection-closed': () => ({ what: 'La connexion est fermée.', remedy: 'Réessayez.' }),
  'timed-out': (d) => ({
    what: `${fact(d, 'host', fact(d, 'node', 'Le serveur'))} met trop de temps à répondre.`,
    cause: 'Il est surchargé, ou son disque ne répond pas.',
    remedy: 'Ouvrez-y un terminal, regardez sa charge, puis réessayez.',
  }),
  'login-refused': (d) => ({
    what: `${fact(d, 'host', 'Le serveur')} refuse la connexion de ${fact(d, 'user', 'cet utilisateur')}.`,
    cause:
      d['tried'] === undefined ? 'Utilisateur, mot de passe ou clé incorrects.' : `Refusé : ${fact(d, 'tried', '')}.`,
    remedy: 'Vérifiez l’utilisateur, puis ressaisissez le mot de passe ou choisissez une autre clé.',
  }),
  'secret-needed': (d) => {
    switch (d['kind']) {
      case 'key-passphrase':
        return { what: `${fact(d, 'file', 'La clé')} est chiffrée.`, remedy: 'Saisissez sa phrase de passe.' };
      case 'sudo-password':
        return {
          what: `Sur ${fact(d, 'host', 'le serveur')}, sudo demande le mot de passe de ${fact(d, 'user', 'cet utilisateur')}.`,
          remedy: 'Saisissez-le.',
        };
      default:
        return {
          what: `${fact(d, 'host', 'Le serveur')} demande le mot de passe de ${fact(d, 'user', 'cet utilisateur')}.`,
          remedy: 'Saisissez-le, ou choisissez une clé.',
        };
    }
  },
  'identity-missing': (d) => ({
    what: `Il n’y a pas de clé ${fact(d, 'file', 'à cet endroit')}.`,
    remedy: 'Choisissez le fichier de la clé privée.',
  }),
  'host-key-unknown': (d) => ({
    what: `${fact(d, 'host', 'Ce serveur')} n’a encore jamais été vu. Son empreinte est ${fact(d, 'fingerprint', 'inconnue')}.`,
    cause: 'Sans comparaison, une autre machine pourrait se faire passer pour lui.',
    remedy: whereToCompare,
  }),
  'host-key-changed': (d) => ({
    what: `La clé d’hôte de ${fact(d, 'host', 'ce serveur')} a changé : attendue ${fact(d, 'expected', 'une autre')}, reçue ${fact(d, 'fingerprint', 'une inconnue')}.`,
    cause: 'Le serveur a été réinstallé, ou une autre machine répond à sa place.',
    remedy: whereToCompare,
  }),
  'host-key-revoked': (d) => ({
    what: `La clé d’hôte de ${fact(d, 'host', 'ce serveur')} est marquée comme révoquée dans known_hosts.`,
    cause: 'Quelqu’un l’a déclarée volée ou hors d’usage.',
    remedy: 'Cherchez pourquoi avant de continuer. Holdfast ne s’y connecte pas.',
  }),
  'no-sudo': (d) => ({
    what: `${fact(d, 'user', 'Cet utilisateur')} ne peut pas devenir root sur ${fact(d, 'host', 'le serveur')}.`,
    cause: 'sudo n’y est pas installé, ou ses règles ne citent pas cet utilisateur.',
    remedy: 'Connectez-vous en root, ou ajoutez l’utilisateur au groupe sudo ou wheel.',
  }),
  'sudo-needs-password': (d) => ({
    what: `Sur ${fact(d, 'host', 'le serveur')}, sudo demande le mot de passe de ${fact(d, 'user', 'cet utilisateur')}.`,
    remedy: 'Saisissez-le.',
  }),
  'sudo-password-wrong': (d) => ({
    what: `Sur ${fact(d, 'host', 'le serveur')}, sudo refuse ce mot de passe de ${fact(d, 'user', 'l’utilisateur')}.`,
    cause: 'Il peut différer du mot de passe de connexion.',
    remedy: 'Ressaisissez-le.',
  }),
  'shell-unusable': (d) => ({
    what: `Le shell de connexion de ${fact(d, 'user', 'cet utilisateur')} sur ${fact(d, 'host', 'le serveur')} n’exécute aucune commande.`,
    cause: 'Le compte est limité à un menu, au transfert de fichiers, ou à nologin.',
    remedy: 'Donnez-lui un shell ordinaire (chsh -s /bin/bash), ou prenez un autre utilisateur.',
  }),
  'not-a-linux-server': (d) => ({
    what: `${fact(d, 'host', 'Cette machine')} n’est pas un serveur Linux.`,
    cause:
      d['system'] === undefined
        ? 'Elle répond comme un commutateur ou un autre système.'
        : `C’est un système ${fact(d, 'system', '')}.`,
    remedy: 'Donnez l’adresse d’un serveur Linux.',
  }),
  'probe-failed': (d) => ({
    what: `${fact(d, 'host', 'Cette machine')} ne répond pas comme un serveur Linux.`,
    cause: 'Son shell de connexion affiche ou refuse quelque chose d’inattendu.',
    remedy: 'Ouvrez-y un terminal et regardez.',
  }),
  'destination-invalid': () => ({
    what: 'Ce n’est pas une adresse que SSH comprend.',
    remedy: 'Écrivez utilisateur@hôte, par exemple root@10.0.0.11, ou un nom de votre configuration SSH.',
  }),
  'subnet-invalid': () => ({ what: 'Ce n’est pas un sous-réseau.', remedy: 'Écrivez-le ainsi : 10.0.0.0/24.' }),
  'subnet-too-large': () => ({
    what: 'Ce sous-réseau est trop grand pour être parcouru.',
    cause: 'Plus de 1 022 adresses, c’est trop long, et cela alerte ceux qui surveillent le réseau.',
    remedy: 'Écrivez un /22 ou plus petit.',
  }),
  'disk-full': (d) => ({
    what: `Le disque de ${fact(d, 'host', fact(d, 'node', 'ce serveur'))} est plein.`,
    cause: d['path'] === undefined ? 'Plus rien ne peut y être écrit.' : `Impossible d’écrire ${fact(d, 'path', '')}.`,
    remedy: 'Libérez de la place (df -h montre où), puis réessayez.',
  }),
  'copy-failed': (d) => ({
    what: `Impossible d’écrire ${fact(d, 'path', 'un fichier')} sur ${fact(d, 'host', 'le serveur')}.`,
    cause: 'Le système de fichiers est en lecture seule, ou le répertoire est protégé.',
    remedy: 'Ouvrez-y un terminal, regardez le montage et les droits, puis réessayez.',
  }),
  'copy-damaged': (d) => ({
    what: `${fact(d, 'path', 'Un fichier')} est arrivé sur ${fact(d, 'host', 'le serveur')} avec un autre contenu que celui envoyé.`,
    cause: 'Le disque ou la mémoire de ce serveur défaille, ou quelque chose modifie le trafic.',
    remedy: 'Réessayez. Si cela se répète, contrôlez ce serveur avant de lui confier des données.',
  }),
  'command-failed': (d) => ({
    what: `Une commande a échoué sur ${fact(d, 'host', 'le serveur')}.`,
    cause: d['said'] === undefined ? 'Le détail technique dit ce qu’elle a affiché.' : fact(d, 'said', ''),
    remedy: 'Corrigez ce qu’elle indique, puis réessayez : ce qui est fait n’est pas refait.',
  }),
  'command-timed-out': () => ({
    what: 'Une commande n’a pas abouti à temps sur le serveur.',
    cause: 'Il est surchargé, ou son disque ne répond pas.',
    remedy: 'Ouvrez-y un terminal, regardez sa charge, puis réessayez.',
  }),
};
