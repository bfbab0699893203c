/** Charts of what was measured: replication, what the application feels, resyncs. */
export const measurements = {
  title: 'Measurements',
  // --- the time that is shown
  timeShown: 'Time shown',
  ranges: { quarter: '15 min', hour: '1 h', day: '24 h', week: '7 d' },
  navigation: 'Move through time',
  earlier: 'Earlier',
  later: 'Later',
  closer: 'Closer',
  wider: 'Wider',
  backToNow: 'Back to now',
  untilNow: (from: string) => `${from} until now`,
  span: (from: string, to: string) => `${from} – ${to}`,
  dragHint: 'Drag over a chart to look closer.',
  // --- the charts
  replication: 'Replication',
  replicationText: 'sent to the other server',
  writeLatency: 'Write latency',
  writeLatencyText: 'of a change by the application, as it felt it',
  resyncDone: 'Resync',
  resyncDoneText: 'done',
  resyncRate: 'Resync rate',
  resyncRateText: 'compared and sent',
  protection: 'Protected',
  yes: 'yes',
  no: 'no',
  p50: 'p50',
  p99: 'p99',
  percentiles: 'Half of the changes were quicker than p50; one in a hundred was slower than p99.',
  timeLeft: (left: string) => `${left} left`,
  duringResync: 'Shaded: a resync was running.',
  /** In a chart without a line. */
  nothing: {
    rate: 'Nothing was replicated in this time.',
    latency: 'The application changed nothing in this time.',
  },
  // --- empty
  emptyTitle: 'Nothing measured yet',
  emptyText:
    'This laptop keeps what it measures while the app looks at the cluster: the first numbers appear within seconds, and stay for a year.',
  emptyPastTitle: 'Nothing known of this time',
  emptyPastText:
    'The app was closed, or could reach no server. Measurements are kept on this laptop only while it looks at the cluster.',
  reading: 'Reading the measurements …',
  // --- resyncs
  resyncs: 'Resyncs',
  noResyncs: 'No resync has been seen from this laptop.',
  began: 'Began',
  server: 'Server',
  took: 'Took',
  compared: 'Compared',
  sent: 'Sent',
  outcome: 'Outcome',
  show: (node: string, time: string) => `Show the resync of ${node}, ${time}`,
  outcomes: { finished: 'finished', running: 'running', cutOff: 'cut off', unseen: 'end not seen' },
  outcomeTexts: {
    finished: 'Both servers had the same data then.',
    running: 'The server is being brought up to date.',
    cutOff: 'It ended before both servers had the same data, and began again later.',
    unseen: 'The app did not look when it ended.',
  },
  // --- for people who listen
  tableCaption: (time: string) => `Measurements, ${time}`,
  quantity: 'What',
  latest: 'Latest',
  mean: 'Mean',
  highest: 'Highest',
};
