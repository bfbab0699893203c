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
  unknownDuration: 'an unknown time',
};
