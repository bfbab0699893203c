/** The practice cluster: while it is made, and the plugs of its servers. */
interface ObstacleWords {
  readonly what: string;
  readonly remedy: string;
}

export const practice = {
  title: 'Practice',
  making: 'The practice cluster is being made.',
  removing: 'The practice servers are being taken away …',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  /** By code; after which the step took so long. */
  steps: {
    begin: 'Look for what the servers need',
    packages: 'Install the Debian packages that servers are made with (once)',
    root: 'Build the Debian that they boot (once, one to two minutes)',
    layer: 'Add PostgreSQL to it (once, about half a minute)',
    boot: 'Boot n1, n2 and the witness',
    postgresql: 'Set up PostgreSQL on both; its database is made on n1',
    draft: 'Log in to them and fill in the wizard',
    ready: 'The servers are ready',
  } as Readonly<Record<string, string>>,
  stepTook: (time: string) => `took ${time}`,
  stepRunning: 'in progress',
  /** Why there can be none here; the remedy is a line to type where `line` says so. */
  obstacles: {
    'practice-needs-linux': () => ({
      what: 'The practice cluster needs Linux: its servers share the kernel of this machine.',
      remedy: 'Run Holdfast on a Debian or Ubuntu machine; a virtual one will do.',
    }),
    'practice-needs-checkout': (line) => ({
      what: 'The practice cluster is made by tools that are not in the installed app.',
      remedy: line,
    }),
    'practice-needs-debian': () => ({
      what: 'The practice cluster needs Debian or Ubuntu: its servers are made with their tools.',
      remedy: 'Run Holdfast on a Debian or Ubuntu machine; a virtual one will do.',
    }),
    'practice-needs-root': (line) => ({
      what: 'The practice cluster needs root: its servers have network interfaces, disks and a power switch of their own.',
      remedy: line,
    }),
    'practice-needs-loop-devices': (line) => ({
      what: 'The practice cluster needs loop devices, for the disks of its servers; this machine has none.',
      remedy: line,
    }),
  } as Readonly<Record<string, (line: string) => ObstacleWords>>,
  server: 'Server',
  power: 'Power',
  cable: 'Network cable',
  witness: 'witness',
  on: 'on',
  off: 'off',
  connected: 'plugged in',
  cut: 'cut',
  powerOff: 'Pull the plug',
  powerOffOf: (server: string) => `Pull the plug of ${server}`,
  powerOn: 'Plug in',
  powerOnOf: (server: string) => `Plug ${server} in`,
  cutCable: 'Cut the cable',
  cutCableOf: (server: string) => `Cut the cable of ${server}`,
  heal: 'Heal the cable',
  healOf: (server: string) => `Heal the cable of ${server}`,
  /** What will be seen. */
  whenWhole:
    'Pull the plug of the server that runs the database: within about five seconds the other one has its address and every COMMIT that was answered.',
  whenOff: (server: string) =>
    `${server} has no power, as after a real failure. Plug it in: it catches up by itself while the application goes on.`,
  whenCut: (server: string) =>
    `${server} sees nobody. Without a majority it gives the application up by itself, so that there are never two. Heal its cable: it catches up.`,
  whenWitnessGone:
    'Without the witness the data stays protected; the application would stop with the next failure. Give the witness back.',
  whenBothOff:
    'Both servers are gone. Give them back in any order: none starts alone on a copy that may lack a COMMIT.',
  remove: 'Take the practice servers away',
  removeWhat: 'The servers, their data and this cluster disappear. They are made again in less than a minute.',
};
