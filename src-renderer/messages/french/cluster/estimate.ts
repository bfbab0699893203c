import type { Messages } from '../../messages.ts';

export const estimate: Messages['cluster']['estimate'] = {
  marked: (node, bytes, files) =>
    `Au retour de ${node}, ${bytes} au plus sont à comparer, dans ${files} fichiers et répertoires.`,
  namesOnly: (node, files) =>
    `Au retour de ${node}, seuls les noms et attributs de ${files} fichiers et répertoires sont à comparer, aucun contenu.`,
  unchanged: (node) => `Rien n’a été modifié depuis le départ de ${node}.`,
  whole: (directories) => `En plus, tout ce que contiennent ${directories} répertoires déplacés.`,
  everything: (node, bytes, why) => `Au retour de ${node}, tout est à comparer, ${bytes} au plus : ${why}.`,
  everythingUnknown: (node, why) => `Au retour de ${node}, tout est à comparer : ${why}.`,
  time: (time) => `À la vitesse de la dernière fois, cela prend ${time} au plus.`,
  reasons: {
    'no-log': 'il n’y a pas de journal des modifications, comme après un redémarrage de la réplication',
    'too-many-changes': 'il y a eu plus de modifications que le journal n’en retient',
    unwritten: 'un disque n’a pas réussi à écrire',
    'copies-differ': 'une différence entre les copies a été trouvée, et votre ordre est attendu',
  },
  toCompare: 'À comparer',
  files: 'Quels fichiers',
  more: (count) => `… et ${count} autres : holdfast resync MODULE --estimate --files`,
  kinds: {
    new: 'nouveau',
    content: 'contenu',
    moved: 'nom seulement',
    attributes: 'attributs',
    names: 'noms qu’il contient',
  },
};
