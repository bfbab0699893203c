import type { problems as english } from '../../english/wizard/problems.ts';
import { listed } from '../../wizard-words.ts';

export const problems: typeof english = {
  'name-invalid': () => ({
    what: 'Holdfast ne peut pas utiliser ce nom.',
    remedy: 'Minuscules, chiffres et traits d’union, 32 au plus, avec une lettre ou un chiffre à chaque bout.',
  }),
  'name-repeated': (f) => ({ what: `${listed(f, 'name')} sert deux fois.`, remedy: 'Donnez à chacun son propre nom.' }),
  'destination-invalid': () => ({
    what: 'Ce n’est pas une adresse.',
    remedy: 'Écrivez utilisateur@hôte, par exemple root@10.0.0.11.',
  }),
  'machine-repeated': (f) => ({
    what: `${listed(f, 'machine')} figure déjà ici.`,
    remedy: 'Les deux serveurs et le témoin sont trois machines différentes.',
  }),
  'port-invalid': () => ({
    what: 'Ce n’est pas un port.',
    remedy: 'Écrivez un nombre de 1 à 65535 ; SSH utilise d’ordinaire le 22.',
  }),
  'path-not-absolute': () => ({
    what: 'Ce n’est pas un chemin complet.',
    remedy: 'Commencez par / et n’en mettez pas à la fin, par exemple /var/lib/app.',
  }),
  'path-not-plain': () => ({
    what: 'Ce chemin fait des détours.',
    remedy: 'Écrivez-le sans //, /./ ni /../ dedans.',
  }),
  'path-of-system': (f) => ({
    what: `${listed(f, 'path')} appartient au système et ne peut pas être répliqué.`,
    remedy: 'Indiquez le répertoire qui contient les données de l’application.',
  }),
  'path-repeated': () => ({ what: 'Ce répertoire figure deux fois.', remedy: 'Retirez l’un des deux.' }),
  'paths-nested': (f) => ({
    what: `${listed(f, 'path')} et ${listed(f, 'other')} sont l’un dans l’autre.`,
    remedy: 'Gardez seulement celui de l’extérieur, ou deux répertoires séparés.',
  }),
  'address-invalid': () => ({
    what: 'Ce n’est pas une adresse avec sa longueur de préfixe.',
    remedy: 'Écrivez-la ainsi : 10.0.0.50/24.',
  }),
  'address-repeated': () => ({
    what: 'Cette adresse figure deux fois.',
    remedy: 'Chaque adresse IP virtuelle appartient à un seul module.',
  }),
  'address-of-node': (f) => ({
    what: `${listed(f, 'address')} est l’adresse de l’un des serveurs.`,
    remedy: 'Choisissez-en une libre : l’adresse IP virtuelle passe de l’un à l’autre.',
  }),
  'ping-witness-invalid': () => ({ what: 'Ce n’est pas une adresse.', remedy: 'Écrivez-la ainsi : 10.0.0.1.' }),
  'ping-witness-is-node': (f) => ({
    what: `${listed(f, 'address')} est ${listed(f, 'name')} lui-même : un serveur répond toujours à ses propres pings.`,
    remedy: 'Nommez ce qu’aucun des deux serveurs n’est et que les deux joignent : le routeur du réseau des clients.',
  }),
  'ping-witness-is-vip': (f) => ({
    what: `${listed(f, 'address')} est l’adresse IP virtuelle : celui qui la porte se répond à lui-même.`,
    remedy: 'Nommez ce qu’aucun des deux serveurs n’est et que les deux joignent : le routeur du réseau des clients.',
  }),
  'ping-witness-is-nobody': (f) => ({
    what: `${listed(f, 'address')} n’est l’adresse d’aucune autre machine.`,
    remedy: 'Nommez ce qu’aucun des deux serveurs n’est et que les deux joignent : le routeur du réseau des clients.',
  }),
  'subnet-invalid': () => ({ what: 'Ce n’est pas un sous-réseau.', remedy: 'Écrivez-le ainsi : 10.0.0.0/24.' }),
  'networks-overlap': (f) => ({
    what: `${listed(f, 'subnet')} recouvre ${listed(f, 'other')}.`,
    remedy: 'Deux fois le même réseau ne protège de rien : indiquez-en deux différents.',
  }),
  'dependency-unknown': (f) => ({
    what: `Aucun module ne s’appelle ${listed(f, 'other')}.`,
    remedy: 'Nommez un autre module de ce fichier.',
  }),
  'dependency-cycle': (f) => ({
    what: `${listed(f, 'name')} s’attendrait lui-même : ${listed(f, 'way')}.`,
    remedy: 'Retirez une de ces dépendances.',
  }),
  'node-unknown': (f) => ({
    what: `Aucun serveur ne s’appelle ${listed(f, 'name')}.`,
    remedy: 'Choisissez l’un des deux.',
  }),
  'failback-without-prefer': () => ({
    what: 'Un retour automatique suppose un serveur préféré.',
    remedy: 'Choisissez-en un, ou laissez l’application où elle est.',
  }),
  'checker-address': (f) => ({
    what: 'Cette adresse ne peut pas être contrôlée.',
    remedy: `Écrivez par exemple ${listed(f, 'example')} : une adresse et pas un nom, sinon le contrôle échouerait avec le serveur de noms.`,
  }),
  'checker-port': () => ({
    what: 'Ce n’est ni un port ni une adresse avec un port.',
    remedy:
      'Écrivez 5432 ou 10.0.0.50:5432 : une adresse et pas un nom, sinon le contrôle échouerait avec le serveur de noms.',
  }),
  'checker-ping': () => ({ what: 'Ce n’est pas une adresse IPv4.', remedy: 'Écrivez-la ainsi : 10.0.0.1.' }),
  'checker-service': () => ({
    what: 'Ce n’est pas le nom d’une unité systemd.',
    remedy: 'Écrivez-le comme systemctl le montre, par exemple app.service.',
  }),
  'checker-status': () => ({ what: 'Ce n’est pas un code HTTP.', remedy: 'Écrivez un code de 100 à 599, ou rien.' }),
  'checker-failures': () => ({ what: 'Ce nombre ne convient pas.', remedy: 'Écrivez un nombre de 1 à 100.' }),
  'checker-percent': () => ({
    what: 'Ce n’est pas une part de disque.',
    remedy: 'Écrivez un nombre de 0 à 99, ou rien.',
  }),
  'checker-latency': () => ({
    what: 'Ce n’est pas une durée en millisecondes.',
    remedy: 'Écrivez un nombre de 1 à 600000, ou rien.',
  }),
  'checker-script': () => ({
    what: 'Cette commande demande un shell ; un contrôle lance son programme sans shell.',
    remedy:
      'Écrivez un programme et ses arguments ; mettez dans un fichier ce qui demande un shell, et nommez ce fichier.',
  }),
  'checker-domain': () => ({
    what: 'Ce n’est ni un nom de libvirt ni un chemin absolu.',
    remedy: 'Écrivez le nom que montre virsh list --all, ou le socket du moniteur, comme /run/vm/qmp.sock.',
  }),
  'checker-socket': () => ({
    what: 'Ce n’est pas le chemin d’un socket.',
    remedy: 'Écrivez un chemin absolu de 107 octets au plus, comme /run/vm/qmp.sock.',
  }),
  'checker-vm-agent': () => ({ what: 'Libvirt trouve lui-même l’agent invité.', remedy: 'Laissez ce champ vide.' }),
  'checker-sockets-equal': () => ({
    what: 'Le moniteur et l’agent invité ont chacun leur socket.',
    remedy: 'Écrivez le socket de l’agent invité, ou laissez ce champ vide.',
  }),
  'checker-socket-replicated': (f) => ({
    what: `Un socket dans ${listed(f, 'path')} est hors d’atteinte pendant que la réplication attend.`,
    remedy: 'Faites créer à QEMU ses sockets sous /run.',
  }),
  'checker-disk': () => ({
    what: 'Ce contrôle de disque ne demande rien.',
    remedy: 'Donnez l’espace libre minimal, la durée maximale d’une écriture, ou les deux.',
  }),
  'checker-interval': (f) => ({
    what: 'Cet intervalle ne convient pas.',
    remedy: `Écrivez une durée de ${listed(f, 'least')} à ${listed(f, 'most')}.`,
  }),
  'checker-timeout': (f) => ({
    what: 'Rien ne répond de façon sûre en si peu de temps.',
    remedy: `Écrivez au moins ${listed(f, 'least')}.`,
  }),
  'checker-timeout-beyond-interval': (f) => ({
    what: `Un contrôle peut durer ${listed(f, 'timeout')}, et le suivant est prévu après ${listed(f, 'interval')}.`,
    remedy: 'Écrivez un délai de réponse plus court, ou un intervalle plus long.',
  }),
  'checker-limit': (f) => ({
    what: `La limite de redémarrages ne serait jamais atteinte : ${listed(f, 'sum')}, pas moins de ${listed(f, 'within')}.`,
    remedy: 'Écrivez moins d’échecs ou un intervalle plus court.',
  }),
  'checker-repeated': () => ({ what: 'Ce contrôle figure deux fois.', remedy: 'Retirez l’un des deux.' }),
  'checker-covered': (f) => ({
    what: `${listed(f, 'path')} est recouvert sur le serveur qui ne fait pas tourner l’application : ce contrôle n’y serait jamais bon.`,
    remedy: 'Choisissez une autre action.',
  }),
  'detection-out-of-range': () => ({ what: 'Cette durée ne convient pas.', remedy: 'Choisissez entre 1 s et 60 s.' }),
  'duration-invalid': () => ({ what: 'Ce n’est pas une durée.', remedy: 'Écrivez un nombre de secondes.' }),
  missing: () => ({ what: 'Cette réponse manque encore.', remedy: 'Donnez-la.' }),
  'text-unusable': () => ({
    what: 'Ce texte contient des caractères invisibles.',
    remedy: 'Saisissez-le à la main plutôt que de le coller.',
  }),
  'timeout-out-of-range': (f) => ({
    what: 'Cette durée ne convient pas.',
    remedy: `Écrivez un nombre de secondes de ${listed(f, 'least')} à ${listed(f, 'most')}.`,
  }),
  'address-unusable': (f) => ({
    what: `${listed(f, 'address')} n’est pas l’adresse d’une machine.`,
    remedy: 'Choisissez une adresse libre entre la première et la dernière du réseau.',
  }),
  'address-not-in-network': (f) => ({
    what: `${listed(f, 'node')} n’a aucune carte dans le réseau de ${listed(f, 'address')}.`,
    remedy: 'Choisissez une adresse d’un réseau où se trouvent les deux serveurs.',
  }),
  'interface-unknown': (f) => ({
    what: `${listed(f, 'node')} n’a pas de carte ${listed(f, 'interface')} avec une adresse IPv4.`,
    remedy: `Choisissez parmi : ${listed(f, 'interfaces')}.`,
  }),
  'network-without-node': (f) => ({
    what: `${listed(f, 'node')} n’a pas d’adresse dans ${listed(f, 'subnet')}.`,
    remedy: 'Choisissez un réseau où se trouvent les deux serveurs, ou donnez-y une adresse au serveur.',
  }),
  'value-invalid': () => ({ what: 'Cette valeur ne convient pas.', remedy: 'Corrigez-la.' }),
};
