/** One calm line per fact. The prefix tells the journal the priority (`man 3 sd-daemon`). */
import type { EventDraft } from '../contract/index.ts';
import { assertNever } from '../contract/index.ts';
import type { Journal } from './ports.ts';

export function lineJournal(write: (text: string) => void, prefixes: boolean): Journal {
  const line = (priority: number) => (text: string) =>
    write(`${prefixes ? `<${priority}>` : ''}${text.replaceAll('\n', ' · ')}\n`);
  return { error: line(3), warning: line(4), notice: line(5), info: line(6) };
}

export const processJournal = (): Journal =>
  lineJournal((text) => process.stdout.write(text), process.env['JOURNAL_STREAM'] !== undefined);

/** A failover is news, not a defect of the agent: only `bad` reaches the journal as a warning. */
export function journalEvent(journal: Journal, event: EventDraft): void {
  const text = `${event.module === null ? '' : `${event.module}: `}${event.message} [${event.code}]`;
  switch (event.severity) {
    case 'good':
    case 'info':
      journal.info(text);
      break;
    case 'attention':
      journal.notice(text);
      break;
    case 'bad':
      journal.warning(text);
      break;
    default:
      assertNever(event.severity);
  }
}
