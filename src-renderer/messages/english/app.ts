/** The frame of the app: what stands on every screen, and the start screen. */
export const app = {
  otherLanguage: 'Français',
  theme: 'Dark or light',
  noCluster: 'No cluster yet. You need two servers and ten minutes.',
  appLost: 'The app behind this page has stopped. Start it again; this page reconnects by itself.',
  duration: (seconds: number): string => {
    if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return `${Math.round(seconds / 3600)} h`;
  },
  days: (days: number): string => `${days} d`,
  unknownDuration: 'an unknown time',
  /** On the small parts that every screen is made of. */
  ui: {
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'The browser does not allow copying. Select the text and copy it by hand.',
    close: 'Close',
    cancel: 'Cancel',
    detail: 'Technical detail',
    showSecret: 'Show what is typed',
  },
};
