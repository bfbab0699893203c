/** The timeline of this node: one JSON object per line, rotated once at a size, numbered without a gap across restarts. */
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TimelineEvent } from '../contract/index.ts';
import { eventSchema } from '../contract/index.ts';
import type { EventStore } from './ports.ts';

const fileBytesMax = 10 * 1024 * 1024;
/** Answers nearly every question without the disk. */
const recentMax = 1000;

export interface FileEventStore extends EventStore {
  /** Everything appended until now is on disk. */
  settled(): Promise<void>;
}

export async function fileEventStore(options: {
  readonly file: string;
  readonly node: string;
  readonly wallMs: () => number;
  readonly failed: (error: unknown) => void;
  readonly bytesMax?: number;
}): Promise<FileEventStore> {
  const { file } = options;
  const former = `${file}.1`;
  const bytesMax = options.bytesMax ?? fileBytesMax;
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const recent: TimelineEvent[] = [];
  for (const one of [former, file])
    for await (const event of readEvents(one)) {
      recent.push(event);
      if (recent.length > recentMax) recent.shift();
    }
  // A line that a power cut left half written must not swallow the next one.
  if (!(await endsWithLine(file))) await appendFile(file, '\n');
  let sequence = recent.at(-1)?.sequence ?? 0;
  let pending: string[] = [];
  let writing: Promise<void> | null = null;

  async function write(): Promise<void> {
    while (pending.length > 0) {
      const text = pending.join('');
      pending = [];
      const size = (await stat(file).catch(() => null))?.size ?? 0;
      if (size > bytesMax) await rename(file, former);
      await using handle = await open(file, 'a', 0o600);
      await handle.appendFile(text);
      await handle.datasync();
    }
  }

  async function after(from: number, limit: number): Promise<TimelineEvent[]> {
    const oldest = recent[0]?.sequence ?? 1;
    if (from >= oldest - 1) return recent.filter((event) => event.sequence > from).slice(0, limit);
    await writing;
    const found: TimelineEvent[] = [];
    for (const one of [former, file])
      for await (const event of readEvents(one)) {
        if (event.sequence > from) found.push(event);
        if (found.length >= limit) return found;
      }
    return found;
  }

  return {
    append(draft) {
      sequence++;
      const event: TimelineEvent = {
        at: new Date(options.wallMs()).toISOString(),
        node: options.node,
        sequence,
        ...draft,
      };
      recent.push(event);
      if (recent.length > recentMax) recent.shift();
      pending.push(`${JSON.stringify(event)}\n`);
      writing ??= write()
        .catch(options.failed)
        .finally(() => {
          writing = null;
        });
      return event;
    },
    after,
    newestAfter: (from, limit) => after(Math.max(from, sequence - limit), limit),
    async settled() {
      await writing;
    },
  };
}

async function endsWithLine(file: string): Promise<boolean> {
  const size = (await stat(file).catch(() => null))?.size ?? 0;
  if (size === 0) return true;
  await using handle = await open(file, 'r');
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last.toString() === '\n';
}

/** A line that was cut by a power loss is left out. */
async function* readEvents(file: string): AsyncGenerator<TimelineEvent> {
  if ((await stat(file).catch(() => null)) === null) return;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    const event = parseEvent(line);
    if (event !== null) yield event;
  }
}

function parseEvent(line: string): TimelineEvent | null {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
