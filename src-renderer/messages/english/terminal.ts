/** Terminals, and the commands with which trouble is found. */

/** `text`: what it shows and how to read it, in one or two sentences. */
interface CommandWords {
  readonly title: string;
  readonly text: string;
}

const commands = {
  status: {
    title: 'State of this cluster',
    text: 'Each module on both servers as this server sees it. Anything but primary and secondary, up to date, comes with its reason.',
  },
  resync: {
    title: 'Watch a resync',
    text: 'The state again every two seconds. Bytes done grow and the time left shrinks; when they stand still, look at the replicator log. Ctrl C ends it.',
  },
  events: {
    title: 'What happened',
    text: 'Events of this server, newest last, each with its reason. Read upwards from the moment of the trouble.',
  },
  units: {
    title: 'Do the Holdfast services run?',
    text: 'Both say active (running). “failed” or a start a few seconds ago means that one crashed: read its log.',
  },
  agentLog: {
    title: 'Log of the agent',
    text: 'The last 100 lines of what decides. Look for “fenced”, “lease” and “fault”.',
  },
  replicatorLog: {
    title: 'Log of the replicator',
    text: 'The last 100 lines of what copies. Look for “link”, “resync” and names of files.',
  },
  restartAgent: {
    title: 'Restart the agent',
    text: 'Starts the deciding service again; the application and its data go on. If it comes back within the detection time, nothing moves.',
  },
  mounts: {
    title: 'Replicated directories',
    text: 'One line per directory that Holdfast has mounted. A directory that is missing here is not replicated now.',
  },
  space: {
    title: 'Disk space',
    text: 'Use% above 90 on the disk of a replicated directory or of /var is worth acting on; at 100 writes fail on both servers.',
  },
  fileNumbers: {
    title: 'Number of files left',
    text: 'IUse% at 100 means “no space left” although there is space: too many small files.',
  },
  diskLatency: {
    title: 'Disk latency',
    text: 'Five seconds. w_await is how long a write takes in ms: below 5 on an SSD, below 20 on a disk; %util near 100 is a disk at its limit. Needs the package sysstat.',
  },
  pressure: {
    title: 'What the server waits for',
    text: 'Five seconds. “wa” above 20 waits for disks, “st” above 10 is a virtual machine short of CPU, “si” and “so” other than 0 is memory that runs out.',
  },
  users: {
    title: 'Who uses the replicated directories',
    text: 'Every process with a file open there. On the secondary there is none; one that is there holds up a stop. Needs the package psmisc.',
  },
  trimJournal: {
    title: 'Make room: shorten the journal',
    text: 'Removes the oldest system logs until 200 MB are left. Save a log that you still need before.',
  },
  reach: {
    title: 'Does everybody answer?',
    text: 'Three pings to each address of the cluster. 0% packet loss and less than 2 ms is good; loss is a cable, a switch or a firewall.',
  },
  peerLink: {
    title: 'Replication link',
    text: 'The connections between the replicators. ESTAB with a small rtt is good; a Send-Q that keeps growing is a slow network or a slow disk over there; no line is no link.',
  },
  ports: {
    title: 'Open ports',
    text: 'Who listens where. The application is here on the primary only; replication listens on 7411.',
  },
  addresses: {
    title: 'Addresses',
    text: 'Interfaces and their addresses. The virtual IP stands here on exactly one server; DOWN is a cable or a switch.',
  },
  neighbours: {
    title: 'Neighbours',
    text: 'Which hardware address answers for which IP. FAILED is nobody; another hardware address than expected is a second machine with the same IP.',
  },
  fence: {
    title: 'Fence of the virtual IP',
    text: 'What the kernel lets through. An address in “managed” works only while it is in “leased”, where the seconds left are shown.',
  },
  time: {
    title: 'Clock',
    text: '“System clock synchronized: yes” is good. Holdfast decides nothing by clocks, but times in logs can only be compared when they agree.',
  },
  kernel: {
    title: 'Warnings of the kernel',
    text: 'The last 50. “I/O error” is a dying disk, “link is down” a cable, “Out of memory” a process that was killed.',
  },
  load: {
    title: 'What is busy',
    text: 'Processes by CPU. A load average far above the number of cores makes everything late, heartbeats too.',
  },
  memory: {
    title: 'Memory',
    text: 'What counts is “available”. Near 0, with swap in use, the server is about to stall.',
  },
  restarts: {
    title: 'Last restarts',
    text: 'When the server was started and stopped. A reboot without a shutdown before it was a loss of power or a crash.',
  },
  syncClock: {
    title: 'Switch on clock synchronisation',
    text: 'The system follows a time server from then on. The clock may jump once.',
  },
} satisfies Record<string, CommandWords>;

export const terminal = {
  title: 'Terminal',
  show: 'Terminal',
  key: 'Ctrl `',
  local: 'This computer',
  /** Second and later tabs of one place. */
  numbered: (name: string, number: number): string => `${name} (${number})`,
  witness: 'Witness',
  openOn: (name: string): string => `Open a terminal on ${name}`,
  openOnWitness: 'Open a terminal on the witness',
  openLocal: 'Open a terminal on this computer',
  add: 'New terminal',
  tabs: 'Open terminals',
  closeTab: (name: string): string => `Close the terminal ${name}`,
  hide: 'Hide the terminal',
  maximise: 'Maximise',
  restore: 'Restore the size',
  resize: 'Height of the terminal',
  shortcuts: { copy: 'Ctrl Shift C', paste: 'Ctrl Shift V', find: 'Ctrl Shift F' },
  keys: 'Keys',
  menu: 'Options of the terminal',
  screenReader: 'Screen reader mode',
  screenReaderText: 'Reads out what a command prints. Long outputs become slower.',
  hint: 'Ctrl Shift C copies, Ctrl Shift V pastes, Ctrl Shift F searches.',
  opening: (name: string): string => `Connecting to ${name}`,
  openingLocal: 'Starting the shell',
  loading: 'Loading the terminal',
  failedToLoad: 'The terminal could not be loaded. Reload the page.',
  again: 'Connect again',
  openAgain: 'Open again',
  tryAgain: 'Try again',
  close: 'Close',
  lost: (name: string, time: string): string => `The connection to ${name} was lost ${time}.`,
  endedSignal: (time: string): string => `The shell was ended by a signal ${time}.`,
  ended: (code: number, time: string): string =>
    code === 0 ? `The shell ended ${time}.` : `The shell ended ${time} with code ${code}.`,
  endedWithApp: (time: string): string => `The shell ended with the app ${time}.`,
  secret: {
    password: (user: string, host: string): string => `Password of ${user} on ${host}`,
    sudo: (user: string, host: string): string => `Password with which ${user} becomes root on ${host}`,
    passphrase: (file: string): string => `Passphrase of the key ${file}`,
    wrong: 'This was not the right one.',
    connect: 'Connect',
  },
  hostKey: {
    accept: 'It is the same: accept and connect',
    acceptChanged: 'I know why it changed: accept the new one',
  },
  copy: 'Copy',
  paste: 'Paste',
  selectAll: 'Select everything',
  find: 'Search',
  clear: 'Clear',
  pasteByKey: 'Press Ctrl Shift V: this browser lets nobody else paste.',
  copyFailed: 'Could not be copied: this browser does not allow it.',
  pasteSeveral: (lines: number): string => `Paste ${lines} lines?`,
  pasteWarning: (name: string): string => `Each line is run on ${name} as if you had typed it and pressed Enter.`,
  pasteText: 'Text to be pasted',
  pasteNow: 'Paste and run',
  pasteOneLine: 'Paste as one line',
  cancel: 'Cancel',
  search: {
    label: 'Search in the terminal',
    next: 'Next',
    previous: 'Previous',
    close: 'Close the search',
    none: 'Not found',
    found: (at: number, total: number): string => `${at} of ${total}`,
  },
  list: {
    title: 'Find the trouble',
    show: 'Show the commands',
    hide: 'Hide the commands',
    search: 'Search the commands',
    none: 'No command is about that.',
    runsOn: (name: string): string => `on ${name}`,
    noServer: 'Open a cluster: these commands are for its servers.',
    looks: 'Runs at once: it only looks.',
    changes: 'Changes something: it is typed, you press Enter.',
    changesShort: 'changes something',
    run: (title: string, name: string): string => `${title}, ${name}`,
  },
  groups: {
    holdfast: 'Holdfast',
    data: 'Disks and data',
    network: 'Network',
    system: 'Server',
  },
  commands,
};
