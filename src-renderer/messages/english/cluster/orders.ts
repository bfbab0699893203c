/** Orders: what a person may do to a module, what happens then, and what may be lost. */
export const orders = {
  menu: (module: string) => `Orders for ${module}`,
  given: (module: string) => `The order for ${module} was given.`,
  names: {
    start: 'Start',
    stop: 'Stop on both servers',
    restart: 'Restart the application',
    swap: 'Swap',
    'maintenance-on': 'Begin maintenance',
    'maintenance-off': 'End maintenance',
    promote: (node: string) => `Promote ${node}`,
  },
  /** Why an order cannot be given now. */
  obstacles: {
    runsAlready: 'It runs already.',
    runsNowhere: 'The application runs on no server.',
    stoppedAlready: 'It is stopped on both servers.',
    partnerNotReady: 'The other server is not an up-to-date secondary.',
    somebodyRuns: (node: string) => `${node} runs the application.`,
    notReachable: (node: string) => `${node} cannot be reached from here.`,
  },
  start: {
    title: (module: string) => `Start ${module}`,
    what: 'The application starts on the server with the newest copy; the other one follows it.',
    confirm: 'Start',
  },
  stop: {
    title: (module: string) => `Stop ${module} on both servers`,
    what: (module: string) =>
      `${module} stops on both servers. Its virtual IP disappears, and nobody can use the application.`,
    data: 'The data stays as it is on both servers. Nothing starts again before somebody orders it.',
    confirm: 'Stop the application on both servers',
  },
  restart: {
    title: (module: string) => `Restart the application of ${module}`,
    what: (node: string) => `The application stops and starts again on ${node}. It does not answer meanwhile.`,
    data: 'No data is lost. Nothing is moved to the other server.',
    confirm: 'Restart the application',
  },
  swap: {
    title: (module: string, node: string) => `Move ${module} to ${node}`,
    what: (from: string, to: string) =>
      `The application stops on ${from} and starts on ${to}. The virtual IP moves along.`,
    data: 'No data is lost. Connections break once, for as long as stopping and starting take.',
    confirm: (node: string) => `Move to ${node}`,
  },
  'maintenance-on': {
    title: (module: string) => `Begin maintenance of ${module}`,
    what: 'From then on nothing is moved by itself: when the server that runs the application fails, it stays down.',
    data: 'The data is still replicated. The screen says that protection is off until you end the maintenance.',
    confirm: 'Begin maintenance',
  },
  'maintenance-off': {
    title: (module: string) => `End maintenance of ${module}`,
    what: 'Holdfast moves the application by itself again when a server fails.',
    confirm: 'End maintenance',
  },
  promote: {
    title: (module: string, node: string) => `Promote ${node} for ${module}`,
    what: (node: string) => `${node} starts the application with its own copy, even if that copy is older.`,
    loss: (node: string, peer: string) =>
      `Every change that ${peer} confirmed to its users and that ${node} did not get is missing from then on. If ${peer} went on alone, both copies are kept when it returns, and you choose.`,
    only: (peer: string) =>
      `Do it only when ${peer} is off for good or its disk is lost. Otherwise bring ${peer} back.`,
    typed: (module: string) => `Type ${module} to confirm`,
    wrong: (module: string) => `Type exactly ${module}.`,
    confirm: (node: string) => `Promote ${node} and accept the loss`,
  },
};
