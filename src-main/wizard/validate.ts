/** What is wrong with answers, everything at once, at the place where it was typed. Pure. */
import { Fault } from '../../agent/contract/fault.ts';
import type { AnswerProblem, Answers, ServerFacts } from '../app-api/index.ts';
import { checkValue, subnetContains, type ProblemAt } from '../configuration/index.ts';
import { checkDestination } from '../servers/index.ts';
import { answerPath, configurationValue, tidied } from './configuration-value.ts';

type Facts = AnswerProblem['facts'];

function wrong(path: string, code: string, message: string, remedy: string, facts: Facts = {}): AnswerProblem {
  return { path, code, message, remedy, facts };
}

function fromConfiguration(found: ProblemAt): AnswerProblem {
  const { reason, code, message, remedy, facts } = found;
  return wrong(answerPath(found.path), reason ?? code, message, remedy, { ...facts });
}

/** The answers that have to be given, with what stands there. */
function required(answers: Answers): [path: string, value: string][] {
  const { application, witness, networks } = answers;
  return [
    ['cluster', answers.cluster],
    ...answers.nodes.flatMap((node, index): [string, string][] => [
      [`nodes.${index}.name`, node.name],
      [`nodes.${index}.machine.destination`, node.machine.destination],
    ]),
    ['application.name', application.name],
    ...(application.directories.length === 0 ? [''] : application.directories).map((path, index): [string, string] => [
      `application.directories.${index}`,
      path,
    ]),
    ['application.start', application.start],
    ['application.stop', application.stop],
    ...answers.checkers.map(({ target }, index): [string, string] => [`checkers.${index}.target`, target]),
    ...(networks ?? []).flatMap((network, index): [string, string][] => [
      [`networks.${index}.name`, network.name],
      [`networks.${index}.subnet`, network.subnet],
    ]),
    ...(witness.kind === 'voting'
      ? [['witness.machine.destination', witness.machine.destination] as [string, string]]
      : []),
    ...(witness.kind === 'ping' ? [['witness.ping', witness.ping ?? ''] as [string, string]] : []),
  ];
}

/** What nobody has answered yet. */
export function missingAnswers(given: Answers): AnswerProblem[] {
  return required(tidied(given))
    .filter(([, value]) => value === '')
    .map(([path]) => wrong(path, 'missing', 'This is not answered yet.', 'Answer it.'));
}

/** Typed and wrong. What is missing is not complained about. */
export function wrongAnswers(given: Answers): AnswerProblem[] {
  const answers = tidied(given);
  const own = [
    ...textProblems(answers),
    ...destinationProblems(answers),
    ...timeProblems(answers),
    ...pingTextProblems(answers),
  ];
  const blank = required(answers)
    .filter(([, value]) => value === '')
    .map(([path]) => path);
  const at = new Set([...blank, ...own.map(({ path }) => path)]);
  const found: AnswerProblem[] = [];
  // The first look may find values that are none; the rules that span several values are judged without those.
  for (let look = 0; look < 2; look += 1) {
    const { problems } = checkValue(placed(answers, at));
    for (const one of problems.map(fromConfiguration)) {
      if (at.has(one.path) || found.some(({ path }) => path === one.path)) continue;
      found.push(one);
    }
    for (const { path } of found) at.add(path);
  }
  const judged = [...own, ...found, ...nodeProblems(answers)];
  const fine = (path: string): boolean => judged.every((one) => one.path !== path);
  const pings = fine('witness.ping') ? pingProblems(answers) : [];
  return [...judged, ...pings, ...(fine('vip') ? addressProblems(answers) : []), ...networkProblems(answers, fine)];
}

function placed(answers: Answers, at: ReadonlySet<string>): unknown {
  const { directories } = answers.application;
  const one =
    directories.length === 0 ? { ...answers, application: { ...answers.application, directories: [''] } } : answers;
  return configurationValue(one, { at: directories.length === 0 ? new Set([...at, 'application.directories.0']) : at });
}

/** A file is text in lines: what cannot be seen cannot be mended by whoever reads it. */
function isPlain(text: string, lines: boolean): boolean {
  const visible = lines ? text.replace(/[\n\t]/g, '') : text;
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029\uFEFF]/u.test(visible);
}

function textProblems({ application, checkers, interface: device }: Answers): AnswerProblem[] {
  const texts: [path: string, text: string, lines: boolean][] = [
    ...application.directories.map((path, index): [string, string, boolean] => [
      `application.directories.${index}`,
      path,
      false,
    ]),
    ['application.start', application.start, true],
    ['application.stop', application.stop, true],
    ['interface', device ?? '', false],
    ...checkers.flatMap(({ target, contains, guestAgent }, index): [string, string, boolean][] => [
      [`checkers.${index}.target`, target, false],
      [`checkers.${index}.contains`, contains, false],
      [`checkers.${index}.guestAgent`, guestAgent, false],
    ]),
  ];
  return texts
    .filter(([, text, lines]) => !isPlain(text, lines))
    .map(([path]) =>
      wrong(path, 'text-unusable', 'There are characters in it that cannot be seen.', 'Type it again by hand.'),
    );
}

function pingTextProblems({ witness }: Answers): AnswerProblem[] {
  const ping = witness.ping ?? '';
  if (witness.kind !== 'ping' || ping === '') return [];
  const parts = ping.split('.');
  if (parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return [];
  return [
    wrong('witness.ping', 'ping-witness-invalid', `${ping} is no IPv4 address.`, 'Write it as 10.0.0.1.', {
      value: ping,
    }),
  ];
}

/** Whatever name it is reached by: an address of a server is known as soon as somebody has logged in there. */
function pingProblems(answers: Answers): AnswerProblem[] {
  const { witness } = answers;
  if (witness.kind !== 'ping') return [];
  const own = known(answers).find(({ facts }) => facts.addresses.some(({ address }) => address === witness.ping));
  if (own === undefined) return [];
  const address = witness.ping ?? '';
  return [
    wrong(
      'witness.ping',
      'ping-witness-is-node',
      `${address} is ${own.name} itself: a server always answers its own pings.`,
      'Name what neither server is and both reach: the router of the network of the clients.',
      { address, name: own.name },
    ),
  ];
}

function destinationProblems({ nodes, witness }: Answers): AnswerProblem[] {
  const machines: [path: string, destination: string][] = [
    ...nodes.map(({ machine }, index): [string, string] => [`nodes.${index}.machine.destination`, machine.destination]),
    ...(witness.kind === 'voting'
      ? [['witness.machine.destination', witness.machine.destination] as [string, string]]
      : []),
  ];
  return machines.flatMap(([path, destination]) => {
    if (destination === '') return [];
    try {
      checkDestination(destination);
      return [];
    } catch (error) {
      const { message, remedy } = Fault.from(error);
      return [wrong(path, 'destination-invalid', message, remedy, { value: destination })];
    }
  });
}

const timeoutSecondsMax = 86_400;

function timeProblems({ application, detectionMs }: Answers): AnswerProblem[] {
  const timeouts = (['startTimeout', 'stopTimeout'] as const).filter(
    (key) => application[key] < 1 || application[key] > timeoutSecondsMax,
  );
  return [
    ...timeouts.map((key) =>
      wrong(
        `application.${key}`,
        'timeout-out-of-range',
        `${application[key]} s is outside of what works.`,
        `Write a time from 1 to ${timeoutSecondsMax} s.`,
        { value: application[key], least: 1, most: timeoutSecondsMax },
      ),
    ),
    ...(detectionMs < 1000 || detectionMs > 60_000
      ? [
          wrong(
            'detectionMs',
            'detection-out-of-range',
            `${detectionMs / 1000} s is outside of what works.`,
            'Write a time from 1 to 60 s.',
            { value: detectionMs, least: 1000, most: 60_000 },
          ),
        ]
      : []),
  ];
}

function nodeProblems({ goodNode, nodes }: Answers): AnswerProblem[] {
  const names = nodes.map(({ name }) => name);
  if (goodNode === null || names.includes(goodNode)) return [];
  return [
    wrong('goodNode', 'node-unknown', `No node is named ${goodNode}.`, `Choose ${names.join(' or ')}.`, {
      name: goodNode,
    }),
  ];
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isUsable(address: string, prefixLength: number): boolean {
  const number = numberOf(address);
  const size = 2 ** (32 - prefixLength);
  const within = number % size;
  const first = Math.floor(number / 2 ** 24);
  // In a /31 and a /32 there is neither a network nor a broadcast address.
  return first > 0 && first !== 127 && first < 224 && (prefixLength > 30 || (within !== 0 && within !== size - 1));
}

interface Known {
  readonly name: string;
  readonly facts: ServerFacts;
}

/** What the servers said when they were connected. Those that belong to this cluster already may have the virtual IP. */
function known(answers: Answers): Known[] {
  return answers.nodes.flatMap(({ name, facts }) => (facts === null ? [] : [{ name, facts }]));
}

function addressProblems(answers: Answers): AnswerProblem[] {
  if (answers.vip === '') return [];
  const [address = '', prefix = '32'] = answers.vip.split('/');
  if (!isUsable(address, Number(prefix))) {
    return [
      wrong(
        'vip',
        'address-unusable',
        `${answers.vip} is not the address of one machine.`,
        'Choose a free address between the first and the last one of the network.',
        { address },
      ),
    ];
  }
  const nodes = known(answers);
  const holder = nodes.find(
    ({ facts }) => facts.cluster === null && facts.addresses.some((own) => own.address === address),
  );
  if (holder) {
    return [
      wrong(
        'vip',
        'address-of-node',
        `${address} is an address of ${holder.name}.`,
        'Choose a free address: the virtual IP moves between the nodes.',
        { address, node: holder.name },
      ),
    ];
  }
  if (answers.interface !== null) {
    const device = answers.interface;
    const lacking = nodes.find(({ facts }) => !facts.addresses.some((own) => own.interface === device));
    if (!lacking) return [];
    const interfaces = [...new Set(lacking.facts.addresses.map((own) => own.interface))];
    return [
      wrong(
        'interface',
        'interface-unknown',
        `${lacking.name} has no interface ${device} with an IPv4 address.`,
        `Choose one of: ${interfaces.join(', ')}.`,
        { interface: device, node: lacking.name, interfaces },
      ),
    ];
  }
  const outside = nodes.find(
    ({ facts }) => !facts.addresses.some((own) => subnetContains(`${own.address}/${own.prefixLength}`, address)),
  );
  if (!outside) return [];
  const present = outside.facts.addresses.map((own) => `${own.address}/${own.prefixLength}`);
  return [
    wrong(
      'vip',
      'address-not-in-network',
      `${outside.name} has no interface in the network of ${address}.`,
      'Choose an address of a network that both servers are in.',
      { address, node: outside.name, addresses: present },
    ),
  ];
}

function networkProblems(answers: Answers, fine: (path: string) => boolean): AnswerProblem[] {
  return (answers.networks ?? []).flatMap((network, index) => {
    const path = `networks.${index}.subnet`;
    if (network.subnet === '' || !fine(path)) return [];
    const outside = known(answers).find(
      ({ facts }) => !facts.addresses.some((own) => subnetContains(network.subnet, own.address)),
    );
    if (!outside) return [];
    return [
      wrong(
        path,
        'network-without-node',
        `${outside.name} has no address in ${network.subnet}.`,
        'Choose a network that both servers are in, or give the server an address there.',
        { subnet: network.subnet, node: outside.name },
      ),
    ];
  });
}
