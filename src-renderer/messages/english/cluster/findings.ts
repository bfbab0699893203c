/** What stands on top of a cluster: what happened · likely cause · what to do. */
import type { FaultText } from '../../fault-words.ts';
import { sentenceFrom, type FindingWordings, type Telling } from '../../cluster-words.ts';

const since = (at: string | null | undefined, telling: Telling): string =>
  at === null || at === undefined ? '' : ` since ${telling.time(at)}`;
const notProtected = (at: string | null | undefined, why: FaultText, telling: Telling): FaultText => ({
  ...why,
  what: sentenceFrom(`Not protected${since(at, telling)} — ${why.what}`),
});
/** What is wrong without costing the protection says so. */
const but = (why: FaultText, telling: Telling): FaultText => ({
  ...why,
  what: sentenceFrom(telling.protected && telling.onTop ? `Protected, but ${why.what}` : why.what, telling.names),
});

export const findings: FindingWordings = {
  reading: () => ({ what: 'Reading the cluster …' }),
  unreadable: ({ fault, since: at }, telling) => {
    const why = telling.fault('', fault);
    return { ...why, what: `The cluster cannot be read since ${telling.time(at)}.`, cause: why.what };
  },
  protected: () => ({ what: 'Protected.' }),
  'protected-resync': ({ resync }, { left }) => ({
    what:
      typeof resync?.etaSeconds === 'number'
        ? `Protected, resynchronising: ${left(resync.etaSeconds)} left.`
        : 'Protected, resynchronising; how long is not known yet.',
  }),
  'protected-unwell': ({ on, peer }, telling) => but(telling.reason(on, peer), telling),
  'no-modules': () => ({
    what: 'No module yet: nothing is protected.',
    remedy: 'Write a module into the configuration and apply it.',
  }),
  // --- not protected
  forked: (finding, { reason }) => ({
    ...reason({ ...finding.on, reason: 'forked' }, finding.peer),
    what: 'Needs you: both servers changed data while they could not see each other.',
  }),
  waiting: ({ on, peer }, telling) => {
    const why = telling.reason(on, peer);
    return { ...why, what: sentenceFrom(`Not running${since(on.since, telling)} — ${why.what}`) };
  },
  nowhere: ({ on, peer }, telling) => {
    const why = telling.reason(on, peer);
    return { ...why, what: sentenceFrom(`Not running on any server that answers — ${why.what}`) };
  },
  alone: ({ on, peer }, telling) => notProtected(on.since, telling.reason(on, peer), telling),
  'not-following': ({ on, peer, since: at }, telling) => notProtected(at, telling.reason(on, peer), telling),
  'peer-stopped': ({ on, since: at }, telling) =>
    notProtected(
      at,
      { what: `${on.name} was stopped by order`, remedy: 'Start the module when the work is done.' },
      telling,
    ),
  'link-cut': ({ on, peer, since: at }, telling) =>
    notProtected(
      at,
      {
        what: `${on.name} and ${peer} answer here but do not hear each other`,
        cause: 'The network between them is cut, or a firewall stands in between.',
        remedy: `Check cable and switch. ${peer} catches up by itself.`,
      },
      telling,
    ),
  changing: ({ on, peer }, { reason, names }) => {
    const why = reason(on, peer);
    return { ...why, what: sentenceFrom(why.what, names) };
  },
  stopped: ({ module, since: at }, telling) => ({
    what: `Stopped${since(at, telling)} — ${module} runs on neither server.`,
    cause: 'It was stopped by order.',
    remedy: 'Start it when the work is done.',
  }),
  maintenance: ({ module }) => ({
    what: `Protection is off: ${module} is in maintenance.`,
    cause: 'Nothing is moved by itself.',
    remedy: 'End the maintenance when the work is done.',
  }),
  settling: ({ module }) => ({
    what: `Not protected at this moment: the servers are settling who runs ${module}.`,
    remedy: 'Nothing to do: it ends by itself within seconds.',
  }),
  resync: ({ node, resync }, { left }) => ({
    what:
      typeof resync?.etaSeconds === 'number'
        ? `Not protected yet: ${node} is being brought up to date, ${left(resync.etaSeconds)} left.`
        : `Not protected yet: ${node} is being brought up to date; how long is not known yet.`,
    remedy: 'Nothing to do. The application works meanwhile.',
  }),
  'resync-paused': ({ node }) => ({
    what: `Not protected yet: the resync of ${node} stands still.`,
    cause: `The disk of ${node} or the network takes no data at the moment.`,
    remedy: 'Nothing is lost: it goes on where it stopped. Look at disk and network when it lasts.',
  }),
  // --- from here to the servers
  offline: () => ({
    what: 'Unknown — this laptop has no network.',
    cause: 'The cable is out or Wi-Fi is off. The servers go on without it.',
    remedy: 'Connect the laptop; the screen follows by itself.',
  }),
  'nobody-answers': ({ since: at }, telling) => ({
    what: `Unknown${since(at, telling)} — neither server can be reached from here.`,
    cause: 'The network to the site is cut, or both servers are off.',
    remedy: 'Check your own connection first, then the power of the servers.',
  }),
  'agents-dead': () => ({
    what: 'Unknown — SSH to both servers works, but no agent answers there.',
    cause: 'An installation was interrupted, or the agents were stopped.',
    remedy: 'Go on with the installation, or look on a server: systemctl status holdfastd',
  }),
  'agent-dead': ({ node, module, since: at }, telling) => {
    const why: FaultText = {
      what: `SSH to ${node} works, but its agent does not answer`,
      cause: 'It was stopped, or it fails when it starts.',
      remedy: `Open a terminal on ${node}: systemctl status holdfastd`,
    };
    return module === null ? but(why, telling) : notProtected(at, why, telling);
  },
  'node-unreachable': ({ node, fault }, telling) => {
    const why = fault === null ? null : telling.fault(node, fault);
    return {
      what: `${node} cannot be reached from here${telling.protected ? '; the other server answers for both' : ''}.`,
      ...(why === null ? {} : { cause: why.what }),
      ...(why?.remedy === undefined ? {} : { remedy: why.remedy }),
    };
  },
  login: ({ node, fault }, telling) => telling.fault(node, fault),
  'host-key': ({ node, fault }, telling) =>
    but(
      fault.code === 'host-key-changed'
        ? {
            what: `${node} shows another host key than the one on record here`,
            cause: 'It was installed anew, or another machine answers at its address.',
            remedy: 'Compare the fingerprints before anything else.',
          }
        : fault.code === 'host-key-unknown'
          ? {
              what: `this laptop has never seen the host key of ${node}`,
              remedy: 'Compare the fingerprints, once.',
            }
          : {
              what: `the host key of ${node} has been revoked`,
              cause: 'Somebody has marked it as stolen in a known_hosts file.',
              remedy: `Give ${node} a new host key.`,
            },
      telling,
    ),
  slept: ({ fault }, telling) => telling.fault('', fault),
  old: ({ observedAt }, telling) => ({
    what: `Unknown — what you see is as of ${telling.time(observedAt)}.`,
    cause: 'The laptop slept, or the servers answer slowly.',
    remedy: 'Nothing to do: it is being read again.',
  }),
  // --- what protection rests on
  'witness-lost': ({ address }, telling) =>
    but(
      {
        what: address === null ? 'the witness does not answer' : `${address} does not answer the pings of both servers`,
        cause: 'It is off, or its network is cut. One more failure now would stop the application.',
        remedy:
          address === null
            ? 'Look at the machine of the witness.'
            : `Look at ${address} and the network there, or name another ping witness.`,
      },
      telling,
    ),
  'network-lost': ({ network }, telling) =>
    but(
      {
        what: `the servers do not hear each other on network ${network}`,
        cause: 'A cable is out, or a switch is off. Nothing is lost as long as another network works.',
        remedy: `Check the cables of ${network} on both servers.`,
      },
      telling,
    ),
  'version-skew': ({ versions }, telling) =>
    but(
      {
        what: `the servers run different versions: ${versions.map(({ node, version }) => `${node} ${version}`).join(', ')}`,
        cause: 'An upgrade did not come to its end.',
        remedy: 'Apply the configuration again: it brings both servers to one version.',
      },
      telling,
    ),
  'clock-wrong': ({ node, aheadMs }, telling) =>
    but(
      {
        what: `the clock of ${node} is ${telling.duration(Math.abs(aheadMs) / 1000)} ${aheadMs > 0 ? 'ahead' : 'behind'}`,
        cause: 'Nothing is decided by it, but the times in the timeline are wrong.',
        remedy: `Set the clock of ${node}, best by a time server.`,
      },
      telling,
    ),
  'install-interrupted': (_finding, telling) =>
    but(
      {
        what: 'an installation of this cluster did not come to its end',
        cause: 'The connection was cut or the app was closed in the middle.',
        remedy: 'Go on with it: what was done is not done twice.',
      },
      telling,
    ),
};
