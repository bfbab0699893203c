/** What was decided in a step, in a few words for the list on the left. Pure. */
import type { Answers, WizardStep } from '../../src-main/app-api/index.ts';
import type { Messages } from '../messages/messages.ts';
import { nodeNames } from './answers.ts';
import type { Known } from './steps.ts';

type Words = Messages['wizard'];

function checksSummary(words: Words, known: Known): string | null {
  const { summaries } = words;
  if (known.checks.state === 'asking') return summaries.checksRunning;
  if (known.checks.answer === null) return null;
  const failed = known.checks.answer.filter((check) => !check.ok).length;
  return failed > 0 ? summaries.checksFailed(failed) : summaries.checksPassed(known.checks.answer.length);
}

function serversSummary(words: Words, answers: Answers, known: Known): string | null {
  const [first = '', second = ''] = nodeNames(answers);
  if (answers.nodes.every((node) => node.machine.destination.trim() === '')) return null;
  const ready = known.logins.every((login) => login.kind === 'ready');
  return ready ? words.summaries.serversReady(first, second) : words.summaries.servers(first, second);
}

function installSummary(words: Words, known: Known): string | null {
  const { installation } = known;
  if (installation === null) return null;
  if (installation.state === 'done') return words.summaries.installed;
  if (installation.state !== 'running') return words.summaries.installFailed;
  const done = installation.steps.filter((step) => step.state === 'done').length;
  return words.summaries.installing(done, installation.steps.length);
}

/** Null: nothing decided. */
export function summaryOf(words: Words, step: WizardStep, answers: Answers, known: Known): string | null {
  const { summaries } = words;
  switch (step) {
    case 'servers':
      return serversSummary(words, answers, known);
    case 'fingerprints':
      return known.logins.every((login) => login.kind === 'ready') ? summaries.fingerprints : null;
    case 'checks':
      return checksSummary(words, known);
    case 'application': {
      const { name, directories } = answers.application;
      return name === '' ? null : summaries.application(name, directories.length);
    }
    case 'data':
      return answers.goodNode === null ? null : summaries.data(answers.goodNode);
    case 'address':
      return answers.vip === '' ? summaries.noAddress : answers.vip;
    case 'checkers':
      return summaries.checkers(answers.checkers.length);
    case 'networks':
      return answers.networks === null ? null : answers.networks.map((network) => network.name).join(', ');
    case 'safety':
      if (answers.witness.kind === 'voting') {
        const { destination } = answers.witness.machine;
        return summaries.witness(destination.slice(destination.indexOf('@') + 1));
      }
      if (answers.witness.kind === 'ping') return summaries.pingWitness((answers.witness.ping ?? '').trim());
      return answers.withoutWitness === 'prefer-one-copy' ? summaries.preferOneCopy : summaries.preferAvailability;
    case 'preferred':
      return answers.prefer ?? summaries.noPreference;
    case 'install':
      return installSummary(words, known);
    case 'review':
    case 'sync':
      return null;
  }
}
