/** The answer that a step begins with, once the servers have said enough to have one. Pure. */
import type { Answers, Copy, DetectedService, WizardStep } from '../../src-main/app-api/index.ts';
import {
  applicationFrom,
  isApplicationBlank,
  likeliestService,
  suggestedGoodNode,
  suggestedNetworks,
  type Suggestions,
} from './answers.ts';
import { proposedCheckers } from './checkers.ts';

export interface SaidByServers {
  readonly services: readonly DetectedService[] | null;
  readonly copies: readonly Copy[] | null;
  readonly suggestions: Suggestions | null;
}

/** Null: nothing to suggest. `decided`: what is empty here is meant to be. */
export function suggest(
  step: WizardStep,
  answers: Answers,
  said: SaidByServers,
  decided: boolean,
): Partial<Answers> | null {
  switch (step) {
    case 'application': {
      const service = likeliestService(said.services ?? []);
      if (decided || service === null || !isApplicationBlank(answers.application)) return null;
      return { application: applicationFrom(service) };
    }
    case 'data': {
      if (answers.nodes.some((node) => node.name === answers.goodNode) || said.copies === null) return null;
      const goodNode = suggestedGoodNode(answers, said.copies);
      return goodNode === answers.goodNode ? null : { goodNode };
    }
    case 'address': {
      const vip = said.suggestions?.vip ?? null;
      return decided || answers.vip !== '' || vip === null ? null : { vip };
    }
    case 'checkers': {
      if (answers.checkersBy === 'person' || isUnseen(answers, said.services)) return null;
      const checkers = proposedCheckers(answers, said.services ?? []);
      const same = answers.checkersBy === 'proposal' && JSON.stringify(checkers) === JSON.stringify(answers.checkers);
      return same ? null : { checkers, checkersBy: 'proposal' };
    }
    case 'networks': {
      if (answers.networks !== null || said.suggestions === null) return null;
      const networks = suggestedNetworks(said.suggestions.networks);
      return networks.length === 0 ? null : { networks };
    }
    case 'preferred':
      return decided || answers.prefer !== null || answers.goodNode === null ? null : { prefer: answers.goodNode };
    default:
      return null;
  }
}

/** The servers have not said yet where the chosen service listens. */
function isUnseen(answers: Answers, services: readonly DetectedService[] | null): boolean {
  return answers.application.service !== null && services === null;
}
