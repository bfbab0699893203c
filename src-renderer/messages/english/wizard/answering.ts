/** Checks, application, data, addresses, networks, safety, preference. */
export const answering = {
  checkList: {
    intro: 'Nothing is changed on the servers by looking.',
    running: 'Looking at the servers …',
    again: 'Check again',
    allPassed: (count: number) => `All ${count} checks passed.`,
    passedButWorthKnowing: (count: number) =>
      count === 1
        ? 'All checks passed. One thing is worth knowing.'
        : `All checks passed. ${count} things are worth knowing.`,
    failed: (count: number) =>
      count === 1 ? 'One thing has to be mended first.' : `${count} things have to be mended first.`,
    check: 'Check',
    both: 'Cluster',
    passed: 'passed',
    worthKnowing: 'worth knowing',
    notPassed: 'not passed',
    passedOnes: (count: number) => `What was looked at: ${count} checks`,
  },
  application: {
    which: 'What runs on the servers',
    looking: 'Looking what runs on the servers …',
    nothing: 'No service was recognised that keeps data. Describe the application by hand.',
    byHand: 'By hand',
    byHandText: 'Any application that can be started and stopped with a command.',
    more: (count: number) => (count === 1 ? 'Show one other service' : `Show ${count} other services`),
    fewer: 'Show fewer',
    runsOn: (nodes: string) => `runs on ${nodes}`,
    stoppedOn: (nodes: string) => `stopped on ${nodes}`,
    missingOn: (nodes: string) => `not installed on ${nodes}`,
    portsText: (ports: string) => `port ${ports}`,
    suggested: 'Chosen because it runs and keeps data. Another choice is as good.',
    name: 'Name of the module',
    nameHint: 'A module is one protected application. Lower-case letters, digits and hyphens.',
    directories: 'Directories to replicate',
    directoriesHint:
      'Everything that the application writes and that has to survive, configuration included if it changes.',
    directory: (number: number) => `Directory ${number}`,
    addDirectory: 'Add a directory',
    removeDirectory: (path: string) => `Do not replicate ${path}`,
    browse: 'Browse …',
    systemDirectory: (path: string) =>
      `${path} belongs to the system and cannot be replicated. Name the directory below it that holds the data.`,
    size: (size: string, node: string) => `${size} on ${node}`,
    notThere: (node: string) => `not on ${node}`,
    suggestedDirectories: 'It also seems to keep data in:',
    start: 'Start command',
    stop: 'Stop command',
    commandHint: 'Runs as root on the server that gets the application. Exit code 0 means done.',
    timeouts: (start: string, stop: string) => `Time allowed: start ${start}, stop ${stop}`,
    startTimeout: 'Seconds allowed for the start',
    stopTimeout: 'Seconds allowed for the stop',
    timeoutHint: 'A start that takes longer has failed; a stop that takes longer is forced.',
  },
  browser: {
    title: (node: string) => `Directories of ${node}`,
    onNode: 'Server',
    here: 'You are in',
    up: 'One level up',
    empty: 'No directory below this one.',
    reading: 'Reading …',
    entries: (count: number) => (count === 1 ? '1 entry' : `${count} entries`),
    open: (path: string) => `Open ${path}`,
    take: (path: string) => `Take ${path}`,
  },
  data: {
    looking: 'Looking at the directories on both servers …',
    stillCounting: 'Large directories take a moment.',
    size: 'Size',
    files: 'Files',
    newest: 'Newest change',
    version: 'Version',
    none: 'not there',
    empty: 'empty',
    atLeast: (text: string) => `at least ${text}`,
    choose: 'The good data is on',
    good: (node: string) => `The data on ${node} is the good data`,
    replaces: (other: string) =>
      `It is copied to ${other}. What stands on ${other} now is replaced, and kept aside there in a directory beside it.`,
    copiesTo: (other: string) => `It is copied to ${other}, where there is nothing yet.`,
    emptyGood: (node: string, other: string) =>
      `There is nothing on ${node}. Choosing it would replace the data of ${other} by nothing.`,
    bothHaveData: 'Both servers have data, so only you can know which one is good. Nothing is chosen for you.',
    oneHasData: (node: string) => `Only ${node} has data: it is the good copy.`,
    noneHasData: (node: string) =>
      `Neither server has data yet. ${node} begins, and whatever is written there is replicated.`,
    newer: (node: string) => `The newest change is on ${node}. A clock may be wrong, and newer is not always better.`,
    versionsDiffer: 'The versions differ. The other server has to run the version of the good data.',
  },
  address: {
    which: 'Virtual IP',
    suggestedText: 'Free when it was looked, in the network that both servers share.',
    other: 'Another address',
    otherText: 'A free address in a network that both servers are in.',
    none: 'No virtual IP',
    noneText:
      'Users have to find the running server by themselves, for example by a list of both addresses. Holdfast still restarts the application on the surviving server.',
    field: 'Address with prefix length',
    interface: 'Network interface',
    interfaceAutomatic: 'The one in the network of the address',
    interfaceHint: 'Only where an address stands on several interfaces.',
    checking: (address: string) => `Looking whether anybody answers at ${address} …`,
    free: (address: string) => `Nobody answers at ${address}.`,
    inUse: (address: string) => `Somebody answers at ${address} already.`,
    inUseBy: (address: string, by: string) => `${address} is in use already: ${by}.`,
    inUseCause: 'Two machines with the same address cut each other off.',
    inUseRemedy: 'Choose a free address, or take this one away from the machine that has it.',
    noSuggestion: 'No free address was found by itself. Ask whoever looks after the network for one outside of DHCP.',
  },
  networks: {
    which: 'Networks that both servers are on',
    looking: 'Looking which networks both servers share …',
    name: 'Name',
    first: 'Replication and heartbeats',
    next: 'Heartbeats; replication when the one above is down',
    unused: 'Not used',
    sshHere: 'your connection uses it',
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    onlyOne:
      'The servers share one network. A second one, such as a cable from server to server, would keep them in sight of each other when a switch fails.',
    dedicated: (name: string) => `${name} comes first: the copy does not compete with the users there.`,
    noneFound: 'The servers have no network in common.',
    noneFoundRemedy: 'Connect them with a cable or a switch, give both an address there, then look again.',
    again: 'Look again',
  },
  safety: {
    which: 'A third machine as witness',
    witness: 'With a witness',
    witnessText:
      'A small program on any third Linux machine, best in another room. Two servers can then never run the application at the same time, and one that is cut off stops by itself.',
    ping: 'Only an address that answers pings',
    pingText:
      'A router that both servers reach. It gives no vote: a server that reaches neither it nor the other one stops. It cannot help when only the link between the two is cut.',
    pingAddress: 'Address that answers pings',
    pingHint: 'The router of the network of the clients; neither of the two servers, nor the virtual IP.',
    pingPolicyTexts: {
      'prefer-one-copy':
        'Nothing is taken over without a person, and a server that is cut off from everybody stops. No data can ever be changed on both servers.',
      'prefer-availability':
        'The server that still reaches the address takes over; the one that is cut off stops. When only the link between the two is cut, both reach it and both run the application, and a person later has to choose one of two changed copies.',
    },
    none: 'Without a witness',
    noneText: 'Then you choose what a server does that neither hears the other one nor knows why.',
    machine: 'Third machine',
    isNode: 'This is one of the two servers.',
    isNodeRemedy: 'A witness has to see what both servers cannot: give a third machine.',
    policy: 'When a server hears nothing from the other one',
    policies: {
      'prefer-one-copy': 'It waits',
      'prefer-availability': 'It goes on',
    },
    policyTexts: {
      'prefer-one-copy':
        'The application stops until the other server is seen again or a person gives the order. No data can ever be changed on both servers.',
      'prefer-availability':
        'The application runs on. When both servers are alive and only the cable is cut, both run it, and a person later has to choose one of two changed copies.',
    },
    suggestedPolicy: 'Waiting is chosen because it can be mended; two changed copies cannot be merged.',
    detection: 'Silence after which a server counts as lost',
    detectionText: (ms: number): string =>
      ms <= 1000
        ? 'Fastest failover. Only for servers on a quiet network of their own; a busy virtual machine can be silent for a second.'
        : ms <= 3000
          ? 'Short enough that users hardly notice, long enough that a busy server is not taken for a lost one.'
          : 'For virtual machines that are paused by backups or moved between hosts. Users wait that much longer after a loss.',
  },
  preferred: {
    which: 'Preferred server',
    nodeText: 'The application starts here when both servers are well.',
    nodeIsGood: 'The application starts here when both servers are well. The good data is here.',
    none: 'No preference',
    noneText: 'The application stays where it is. Choose this when both servers are equal.',
    failback: 'After a failover, when the preferred server is back',
    manual: 'Stay, until a person swaps',
    manualText: 'No second interruption by itself. You swap back with one button at a time that suits everybody.',
    automatic: 'Return by itself',
    automaticText:
      'As soon as its data is up to date again. The application is interrupted once more, at a time that nobody chooses.',
  },
};
