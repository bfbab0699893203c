/** Review, installation, first sync. */
import type { StepWordings } from '../../wizard-words.ts';

export const installing = {
  review: {
    asSteps: 'Steps',
    asFile: 'Configuration file',
    views: 'How to show the plan',
    composing: 'Putting the configuration together …',
    planning: 'Looking what has to be done …',
    incomplete: (count: number) =>
      count === 1 ? 'One answer is missing or wrong.' : `${count} answers are missing or wrong.`,
    mendAt: (step: string) => `Go to “${step}”`,
    nothing: 'Nothing is left to be done: the servers are as the answers say.',
    steps: (count: number) => (count === 1 ? '1 step' : `${count} steps`),
    onHost: (host: string) => `On ${host}`,
    onWitness: 'On the witness',
    onCluster: 'For the cluster',
    fileLabel: 'Configuration file of the cluster',
    fileHint: 'The same can be installed with the command line:',
    checksFailed: 'A check does not pass any more.',
  },
  /** English is in the step itself. */
  installSteps: {} as StepWordings,
  install: {
    notBegun: 'Nothing has been installed yet.',
    begin: 'Install now',
    running: (done: number, all: number) => `Step ${Math.min(done + 1, all)} of ${all}`,
    overall: 'Installation',
    stop: 'Stop after this step',
    stopping: 'Stops when this step is done …',
    done: 'Both servers are installed. The application runs, the first sync has begun.',
    failed: 'The installation stopped.',
    goOn: 'Try again',
    goOnHint: 'It goes on where it was; what is done is not done twice.',
    interrupted: 'The installation was interrupted.',
    interruptedCause: 'The app was closed, or you stopped it. The servers are as the list below says.',
    resume: 'Go on',
    state: {
      waiting: 'waiting',
      running: 'running',
      done: 'done',
      failed: 'failed',
    },
    bytes: (done: string, total: string) => `${done} of ${total}`,
    keptAside: 'Kept aside',
    keptAsideText:
      'What stood in the directories of the other server before. Delete it when you are sure that you do not need it.',
  },
  sync: {
    reading: 'Reading the cluster …',
    notYet: 'The servers are being read for the first time.',
    protected: 'Protected.',
    protectedText: 'Both servers have the same data. The loss of either one loses nothing.',
    copying: (from: string, to: string) => `Copying from ${from} to ${to}`,
    amount: (done: string, total: string) => `${done} of ${total}`,
    amountUnknown: (done: string) => `${done} so far`,
    left: (time: string) => `${time} left`,
    waiting: 'The copy has not begun yet.',
    unreadable: 'The cluster cannot be read from here just now. The copy goes on without this laptop.',
    leave: 'You can leave: the copy goes on without this app.',
  },
};
