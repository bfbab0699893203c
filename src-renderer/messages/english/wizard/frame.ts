/** What stands around every question, the questions themselves, and what they mean. */
import type { WizardStep } from '../../../../src-main/app-api/index.ts';

const oneOrMore = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

export const frame = {
  steps: {
    servers: 'Servers',
    fingerprints: 'Fingerprints',
    checks: 'Checks',
    application: 'Application',
    data: 'Good data',
    address: 'Address',
    checkers: 'Checkers',
    networks: 'Networks',
    safety: 'Safety',
    preferred: 'Preferred server',
    review: 'Review',
    install: 'Installation',
    sync: 'First sync',
  } satisfies Record<WizardStep, string>,
  questions: {
    servers: 'Which two servers?',
    fingerprints: 'Are these the right machines?',
    checks: 'Are both servers ready?',
    application: 'What is to be protected?',
    data: 'Which server has the good data?',
    address: 'At which address do users find it?',
    checkers: 'What if the application fails?',
    networks: 'Which networks connect the servers?',
    safety: 'What if the servers lose sight of each other?',
    preferred: 'Where should it usually run?',
    review: 'This is what will be done',
    install: 'Installation',
    sync: 'First sync',
  } satisfies Record<WizardStep, string>,
  /** Two sentences each. */
  meanings: {
    servers:
      'One server runs the application, the other keeps an identical copy and takes over when the first is lost. Nothing is changed on them before you have seen the whole plan.',
    fingerprints:
      'A fingerprint tells one machine from all others. Compared once, nobody can put another machine in its place without your noticing.',
    checks:
      'Holdfast looks whether it can work on both servers, and changes nothing there. What stands in its way is shown with how to mend it.',
    application:
      'Everything below these directories will be on both servers, every change as it happens. The start and stop commands are how Holdfast runs the application on one server at a time.',
    data: 'The first sync copies the good data to the other server. What stands there now is kept aside, not deleted.',
    address:
      'The virtual IP belongs to whichever server runs the application and moves with it. Users and other machines never need to know which one that is.',
    checkers:
      'A server that is lost is noticed by its silence; an application that hangs or has ended is noticed by these checkers. They look only where the application runs, and several failures in a row are needed before anything follows.',
    networks:
      'Every write crosses to the other server on the first of these networks that is up. Each server sends a heartbeat on all of them, so that one pulled cable is not taken for a lost server.',
    safety:
      'When a server hears nothing any more, it cannot tell whether the other one is dead or only cut off. A third machine can: whoever reaches it may run, never both.',
    preferred:
      'When both servers are well, the application starts on the preferred one. After a failover it stays where it is unless you want it to return by itself.',
    review:
      'Nothing has been changed on the servers yet. The same cluster can be made again from this file with the command line.',
    install:
      'Each step can be repeated: when the connection is cut, it goes on where it was. The servers need no internet.',
    sync: 'The application runs already while the data is copied. From the moment it says “Protected”, the loss of either server loses no data.',
  } satisfies Record<WizardStep, string>,
  title: 'Set up two servers',
  stepList: 'Steps',
  stepOf: (number: number, count: number) => `Step ${number} of ${count}`,
  meaning: 'What this means',
  back: 'Back',
  continue: 'Continue',
  toInstall: 'Install',
  toCluster: 'Open the cluster',
  reading: 'Reading your answers …',
  keptByItself: 'Every answer is kept at once. You can close this and go on another day.',
  saving: 'Saving …',
  notSaved: 'Not saved yet: the app does not answer. What you typed stays here and is saved when it is back.',
  changedElsewhere: 'Another window has changed these answers.',
  changedElsewhereRemedy: 'Nothing of yours is lost: it stays on this screen until you choose.',
  readAgain: 'Read its answers',
  keepMine: 'Keep mine',
  draftGone: 'This draft has been removed.',
  draftGoneRemedy: 'The servers were not touched by that.',
  toStart: 'To the start',
  loginAgain: (server: string) => `Before going on: ${server} has to be reached again.`,
  tryAgain: 'Try again',
  asking: 'Asking the servers …',
  /** What was decided, in the list on the left. */
  summaries: {
    servers: (first: string, second: string) => `${first}, ${second}`,
    serversReady: (first: string, second: string) => `${first} and ${second}, both ready`,
    fingerprints: 'known',
    checksPassed: (count: number) => `all ${count} passed`,
    checksFailed: (count: number) => `${count} to mend`,
    checksRunning: 'running …',
    application: (name: string, directories: number) =>
      `${name}, ${oneOrMore(directories, 'directory', 'directories')}`,
    data: (node: string) => `on ${node}`,
    noAddress: 'none',
    checkers: (count: number) => (count === 0 ? 'none' : oneOrMore(count, 'checker', 'checkers')),
    witness: (machine: string) => `witness ${machine}`,
    pingWitness: (address: string) => `ping witness ${address}`,
    preferOneCopy: 'no witness, waits',
    preferAvailability: 'no witness, goes on',
    noPreference: 'none',
    installed: 'done',
    installing: (done: number, all: number) => `${done} of ${all} steps`,
    installFailed: 'stopped',
  },
  picture: {
    title: 'The cluster as it will be',
    firstServer: 'first server',
    secondServer: 'second server',
    primary: 'primary',
    secondary: 'secondary',
    noNetwork: 'network',
    witness: 'witness',
    noWitness: 'no witness',
  },
};
