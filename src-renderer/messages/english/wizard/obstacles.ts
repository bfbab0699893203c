/** Why a step cannot be left yet; stands beside the disabled button. */
import type { Obstacle, ObstacleCode } from '../../../wizard/steps.ts';

const server = (obstacle: Obstacle): string => obstacle.server ?? '';
const count = (obstacle: Obstacle): number => obstacle.count ?? 0;

export const obstacles = {
  'server-missing': (o): string =>
    count(o) === 1 ? 'Give the address of the first server.' : 'Give the address of the second server.',
  'answer-wrong': (o) =>
    count(o) === 1 ? 'One answer has to be corrected.' : `${count(o)} answers have to be corrected.`,
  'not-connected': (o) => `Connect to ${server(o)} first.`,
  connecting: (o) => `Connecting to ${server(o)} …`,
  'secret-missing': (o) => `${server(o)} waits for a password.`,
  'login-failed': (o) => `${server(o)} cannot be reached yet.`,
  'host-key-changed': (o) => `The key of ${server(o)} has changed.`,
  'host-key-open': (o) => `Compare the fingerprint of ${server(o)}.`,
  'same-machine': () => 'Two different servers are needed.',
  'in-other-cluster': (o) => `${server(o)} belongs to another cluster.`,
  'cluster-name-missing': () => 'Give the cluster a name.',
  'node-name-missing': (o) => `Give ${server(o)} a name.`,
  asking: () => 'Waiting for the servers …',
  'not-asked': () => 'The servers could not be asked. Try again above.',
  'checks-failed': (o) => (count(o) === 1 ? 'One check does not pass.' : `${count(o)} checks do not pass.`),
  'application-missing': () => 'Choose the application.',
  'application-name-missing': () => 'Give the module a name.',
  'directory-missing': () => 'Name at least one directory.',
  'start-missing': () => 'Say how the application is started.',
  'stop-missing': () => 'Say how the application is stopped.',
  'good-copy-missing': () => 'Choose which data is good.',
  'good-copy-empty': (o) => `There is no data on ${server(o)}.`,
  'address-missing': () => 'Give the virtual IP, or choose to have none.',
  'address-in-use': () => 'This address is in use.',
  'checker-target-missing': () => 'Say what each checker looks at, or remove it.',
  'network-missing': () => 'At least one network is needed.',
  'witness-missing': () => 'Give the address of the third machine.',
  'ping-witness-missing': () => 'Give the address that answers pings.',
  'witness-is-node': () => 'The witness has to be a third machine.',
  'configuration-incomplete': (o) =>
    count(o) === 1 ? 'One answer is missing or wrong.' : `${count(o)} answers are missing or wrong.`,
  'not-installed': () => 'The installation is not done.',
  installing: () => 'The installation is running.',
} satisfies Record<ObstacleCode, (obstacle: Obstacle) => string>;
