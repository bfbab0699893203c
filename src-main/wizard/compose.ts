/** Answers as the text of a configuration file that a person likes to read. Pure. */
import { Document, isMap, isScalar, isSeq, Scalar, type YAMLMap } from 'yaml';
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { AnswerProblem, Answers } from '../app-api/index.ts';
import { checkConfiguration } from '../configuration/index.ts';
import { configurationValue, tidied } from './configuration-value.ts';
import { missingAnswers, wrongAnswers } from './validate.ts';

export type Composed =
  | { readonly text: string; readonly configuration: Configuration; readonly problems: readonly [] }
  | { readonly text: null; readonly configuration: null; readonly problems: AnswerProblem[] };

export function compose(answers: Answers): Composed {
  const problems = [...missingAnswers(answers), ...wrongAnswers(answers)];
  if (problems.length > 0) return { text: null, configuration: null, problems };
  const text = textOf(tidied(answers));
  const checked = checkConfiguration(text);
  // Every rule of the file is one of the answers: something else here is our mistake, and no file leaves with it.
  if (checked.configuration === null) {
    const [first] = checked.problems;
    throw new Fault('internal', { message: `the composed configuration is refused: ${first?.message ?? ''}` });
  }
  return { text, configuration: checked.configuration, problems: [] };
}

const comments = {
  networks: ' Heartbeats use all of these networks, replication the first that is up.',
  voting: ' The third vote: with it, a server that sees neither the other one nor the witness stops.',
  ping: ' An address that answers pings. No vote: whoever reaches neither it nor the other server stops.',
  none: ' No third machine decides which server goes on when they cannot see each other.',
  then: ' Then',
  linkCut: ' When only the link between the servers is cut,',
  'prefer-one-copy': ' none takes over by itself: a person decides, and the data stays one.',
  'prefer-availability': ' both may go on, each with its own changes, until a person chooses one of them.',
  detection: ' A server that is silent for so long counts as lost.',
  replicate: ' What is in these directories is on both servers; nothing else is.',
  checkers: ' Looked at while the application runs here, and what follows when it fails several times in a row.',
} as const;

function commentBefore(map: YAMLMap, key: string, text: string): void {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair && isScalar(pair.key)) pair.key.commentBefore = text;
}

/** `{ name: n1, ssh: … }` on one line. */
function onOneLine(node: unknown): void {
  if (isMap(node)) node.flow = true;
}

/** Several lines in a flow mapping would become escapes that nobody reads. */
function isShort(node: unknown): boolean {
  return isMap(node) && node.items.every(({ value }) => !isScalar(value) || !String(value.value).includes('\n'));
}

function textOf(answers: Answers): string {
  const document = new Document(configurationValue(answers));
  document.commentBefore = ` Holdfast, cluster ${answers.cluster}\n To look at what a change would do: holdfast apply FILE --plan`;
  const root = document.contents;
  if (!isMap(root)) throw new Fault('internal', { message: 'no mapping' });
  for (const key of ['nodes', 'networks'] as const) {
    const list = root.get(key);
    if (isSeq(list)) list.items.forEach(onOneLine);
  }
  onOneLine(root.get('witness'));
  if (answers.networks !== null) commentBefore(root, 'networks', comments.networks);
  commentBefore(
    root,
    'witness',
    answers.witness.kind === 'voting'
      ? comments.voting
      : `${comments[answers.witness.kind]}\n${answers.witness.kind === 'ping' ? comments.linkCut : comments.then}${comments[answers.withoutWitness]}`,
  );
  commentBefore(root, 'detection', comments.detection);
  const modules = root.get('modules');
  const module = isSeq(modules) ? modules.items[0] : undefined;
  if (isMap(module)) {
    commentBefore(module, 'replicate', comments.replicate);
    commentBefore(module, 'checkers', comments.checkers);
    const checkers = module.get('checkers');
    if (isSeq(checkers)) checkers.items.forEach(onOneLine);
    for (const key of ['start', 'stop']) {
      const script = module.get(key, true);
      if (isShort(script)) onOneLine(script);
      else if (isScalar(script) && String(script.value).includes('\n')) script.type = Scalar.BLOCK_LITERAL;
    }
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
