import type { Messages } from '../messages.ts';

export const app: Messages['app'] = {
  otherLanguage: 'English',
  theme: 'Sombre ou clair',
  noCluster: 'Pas encore de cluster. Il vous faut deux serveurs et dix minutes.',
  appLost: 'L’application derrière cette page s’est arrêtée. Relancez-la ; la page se reconnecte seule.',
  duration: (seconds) => {
    if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return `${Math.round(seconds / 3600)} h`;
  },
  days: (days) => `${days} j`,
  unknownDuration: 'une durée inconnue',
  ui: {
    copy: 'Copier',
    copied: 'Copié',
    copyFailed: 'Le navigateur n’autorise pas la copie. Sélectionnez le texte et copiez-le à la main.',
    close: 'Fermer',
    cancel: 'Annuler',
    detail: 'Détail technique',
    showSecret: 'Afficher la saisie',
  },
};
